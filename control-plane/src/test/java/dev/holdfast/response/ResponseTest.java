package dev.holdfast.response;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Labels;
import dev.holdfast.core.Selector;
import dev.holdfast.database.Database;
import dev.holdfast.database.TestDatabase;
import dev.holdfast.inventory.Inventory;
import dev.holdfast.inventory.Lifecycle;
import dev.holdfast.response.Action.Leg.State;
import dev.holdfast.telemetry.Observation;
import dev.holdfast.telemetry.Provenance;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ResponseTest {
    private Database database;
    private City city;

    @BeforeEach
    void open() {
        database = TestDatabase.fresh();
        city = new City(database, InstantSource.system(), true).start();
    }

    @AfterEach
    void close() {
        city.close();
        database.close();
    }

    private static Action only(Response.Case one) {
        assertThat(one.actions()).hasSize(1);
        return one.actions().getFirst();
    }

    @Test
    void aDeviceSeenTalkingElsewhereTwiceIsQuarantinedItsSessionCutAndUndoneAgain() {
        city.withMeters(8);
        DeviceRef device = city.ref(1);
        city.connect(device);
        city.flows(device, 2, Provenance.OBSERVED);

        City.await(() -> city.state(device) == Lifecycle.QUARANTINED
                && city.sessions.of(device).isEmpty());
        City.await(
                () -> only(city.open(device).getFirst()).times().sessionCutAt().isPresent());
        Response.Case incident = city.open(device).getFirst();
        assertThat(incident.incident().causes()).containsExactly("DESTINATION_NOT_ALLOWED");
        assertThat(incident.incident().provenance()).isEqualTo(Provenance.OBSERVED);
        Action action = only(incident);
        assertThat(action.legs().session().state()).isEqualTo(State.ENFORCED);
        assertThat(action.legs().identity().state()).isEqualTo(State.ENFORCED);
        assertThat(action.legs().network().state()).isEqualTo(State.UNAVAILABLE);
        assertThat(action.times().toCut()).isPresent();
        System.out.println("first bad observation -> session cut: "
                + action.times().toCut().orElseThrow().toMillis() + " ms");

        assertThat(city.response.undo(
                        City.ENVIRONMENT, incident.incident().id(), "a technician's laptop", City.OPERATOR))
                .isInstanceOf(Outcome.Done.class);
        assertThat(city.state(device)).isEqualTo(Lifecycle.ACTIVE);
        assertThat(city.open(device))
                .as("nothing is left for the operator to do")
                .isEmpty();
        Response.Case after =
                city.response.find(City.ENVIRONMENT, incident.incident().id()).orElseThrow();
        assertThat(after.incident().status()).isEqualTo(Incident.Status.CLOSED);
        assertThat(after.incident().closed().orElseThrow().reason()).isEqualTo("undone: a technician's laptop");
        Action undone = only(after);
        assertThat(undone.status()).isEqualTo(Action.Status.UNDONE);
        assertThat(undone.ended().orElseThrow().actor()).isEqualTo("operator:o-1");
        assertThat(undone.ended().orElseThrow().reason()).isEqualTo("a technician's laptop");
        assertThat(undone.legs().session().state()).isEqualTo(State.LIFTED);
        assertThat(city.journal.verify()).isEmpty();
    }

    @Test
    void anUndoSettlesWhatTheIsolationAnsweredAndWhatComesAfterIsNewAndAPersonsToApprove() {
        city.withMeters(8);
        DeviceRef device = city.ref(1);
        city.flows(device, 2, Provenance.OBSERVED);
        City.await(() -> city.state(device) == Lifecycle.QUARANTINED);
        for (int i = 0; i < 3; i++) {
            city.telemetry.accept(new Observation.Violation(
                    device, city.clock.instant(), Observation.Violation.Rule.FORBIDDEN_TOPIC, "d/m-2/log"));
        }
        City.await(() -> city.open(device).size() == 2);
        IncidentId acted = city.open(device).stream()
                .filter(c -> !c.actions().isEmpty())
                .findFirst()
                .orElseThrow()
                .incident()
                .id();
        IncidentId other = city.open(device).stream()
                .map(c -> c.incident().id())
                .filter(id -> !id.equals(acted))
                .findFirst()
                .orElseThrow();
        assertThat(city.response.undo(City.ENVIRONMENT, other, "cleaned", City.OPERATOR))
                .isEqualTo(new Outcome.Conflict<>(
                        "nothing of this incident is in force; incident " + acted + " holds the device"));
        city.response.undo(City.ENVIRONMENT, acted, "cleaned", City.OPERATOR);
        assertThat(city.open(device)).isEmpty();

        // Told at once though the same was told a moment ago, as soon as the undo has reached the detectors.
        City.await(() -> {
            city.flows(device, 2, Provenance.OBSERVED);
            return city.open(device).stream().anyMatch(Response.Case::awaitsApproval);
        });
        assertThat(city.state(device)).isEqualTo(Lifecycle.ACTIVE);
        assertThat(city.open(device).getFirst().incident().id()).isNotEqualTo(acted);
    }

    @Test
    void whatIsOnlyClaimedNeverIsolates() {
        city.withMeters(8);
        city.flows(city.ref(1), 30, Provenance.CLAIMED);
        City.await(() -> !city.open(city.ref(1)).isEmpty());
        city.response.catchUp();
        assertThat(city.state(city.ref(1))).isEqualTo(Lifecycle.ACTIVE);
        assertThat(city.open(city.ref(1)).getFirst().actions()).isEmpty();
    }

    @Test
    void pastTheLimitAPersonIsAskedAndMaySayYes() {
        city.withMeters(8);
        city.flows(city.ref(1), 2, Provenance.OBSERVED);
        City.await(() -> city.state(city.ref(1)) == Lifecycle.QUARANTINED);
        city.flows(city.ref(2), 2, Provenance.OBSERVED);
        City.await(() -> city.open(city.ref(2)).stream().anyMatch(Response.Case::awaitsApproval));
        Response.Case waiting = city.open(city.ref(2)).getFirst();
        assertThat(city.state(city.ref(2))).isEqualTo(Lifecycle.ACTIVE);
        assertThat(only(waiting).waitsBecause()).contains("automatic isolation may take 1 of the 8 devices");

        city.response.approve(City.ENVIRONMENT, waiting.incident().id(), "seen it", City.OPERATOR);
        assertThat(city.state(city.ref(2))).isEqualTo(Lifecycle.QUARANTINED);
        assertThat(only(city.open(city.ref(2)).getFirst())
                        .approved()
                        .orElseThrow()
                        .actor())
                .isEqualTo("operator:o-1");
    }

    @Test
    void theNeverIsolateListAsksAPerson() {
        city.withMeters(8);
        city.response.setNeverIsolate(City.ENVIRONMENT, List.of("site=s1"), 0, "hospital", City.OPERATOR);
        city.flows(city.ref(1), 2, Provenance.OBSERVED);
        City.await(() -> city.open(city.ref(1)).stream().anyMatch(Response.Case::awaitsApproval));
        assertThat(only(city.open(city.ref(1)).getFirst()).waitsBecause())
                .contains("never-isolate")
                .contains("site=s1");
        assertThat(city.state(city.ref(1))).isEqualTo(Lifecycle.ACTIVE);
    }

    @Test
    void aPersonIsolatesByHandAfterSeeingWhatItWouldDo() {
        city.withMeters(8);
        IsolationWish wish = new IsolationWish(
                City.ENVIRONMENT,
                Selector.parse("id=m-3"),
                Action.Kind.QUARANTINE,
                "smells of smoke",
                Duration.ofHours(2));
        IsolationPreview preview = city.response.preview(wish);
        assertThat(preview.count()).isEqualTo(1);
        assertThat(city.response.isolate(wish, preview.count(), City.OPERATOR)).isInstanceOf(Outcome.Done.class);
        assertThat(city.state(city.ref(3))).isEqualTo(Lifecycle.QUARANTINED);
        Response.Case incident = city.open(city.ref(3)).getFirst();
        assertThat(incident.incident().family()).isEqualTo(Incident.Family.MANUAL);
        city.response.undo(City.ENVIRONMENT, incident.incident().id(), "it was lunch", City.OPERATOR);
        assertThat(city.state(city.ref(3))).isEqualTo(Lifecycle.ACTIVE);
    }

    @Test
    void theGatewayIsToldAndItsConfirmationIsTheNetworkLeg() {
        city.withMeters(8);
        DeviceRef gateway = city.meter(100, Map.of("kind", "gateway"), Optional.empty());
        DeviceRef device = city.meter(101, Map.of("address", "10.1.0.7"), Optional.of(gateway.id()));
        city.flows(device, 2, Provenance.OBSERVED);
        City.await(() -> city.commands
                .desired(gateway)
                .map(d -> d.state().toString())
                .orElse("")
                .contains("\"isolated\":[{"));
        var desired = city.commands.desired(gateway).orElseThrow();
        assertThat(desired.state().path("isolated").get(0).path("device").asText())
                .isEqualTo("m-101");
        assertThat(desired.state().path("isolated").get(0).path("allow").get(0).asText())
                .isEqualTo("127.0.0.1:8443");
        City.await(() ->
                only(city.open(device).getFirst()).legs().network().detail().contains("has not confirmed"));

        city.telemetry.accept(new dev.holdfast.telemetry.Observation.ConfigurationReport(
                gateway, city.clock.instant(), Map.of("appliedRevision", Long.toString(desired.revision()))));
        City.await(() -> only(city.open(device).getFirst()).legs().network().state() == State.ENFORCED);
        assertThat(only(city.open(device).getFirst()).times().networkEnforcedAt())
                .isPresent();
    }

    @Test
    void aFindingDoesNotWaitForTheNewsOfThousandsOfOtherDevices() throws Exception {
        city.close();
        city = new City(database, InstantSource.system(), true);
        city.withMeters(8);
        try (var threads = java.util.concurrent.Executors.newVirtualThreadPerTaskExecutor()) {
            for (int i = 1_000; i < 3_000; i++) {
                DeviceRef device = city.ref(i);
                var _ = threads.submit(() -> city.inventory.register(
                        new Inventory.Registration(device, City.METER, Labels.NONE), City.OPERATOR));
            }
        }
        long all = city.journal.head().number();
        DeviceRef device = city.ref(1);
        city.start();
        city.flows(device, 2, Provenance.OBSERVED);
        City.await(() -> city.state(device) == Lifecycle.QUARANTINED);
        long read = database.<Long>read(sql -> PolicyStore.cursor(sql, false).orElseThrow());
        assertThat(read).as("how far the journal had been read of %d", all).isLessThan(all);
    }
}
