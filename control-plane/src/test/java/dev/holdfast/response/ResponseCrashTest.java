package dev.holdfast.response;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.core.Actor;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Selector;
import dev.holdfast.database.Database;
import dev.holdfast.database.TestDatabase;
import dev.holdfast.inventory.Lifecycle;
import dev.holdfast.journal.Entry;
import dev.holdfast.response.Action.Leg.State;
import dev.holdfast.telemetry.Provenance;
import dev.holdfast.testkit.FakeClock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// The server ends between any two of: finding, incident, intent, effect. The next one goes on from what is
/// stored.
class ResponseCrashTest {
    private final FakeClock clock = FakeClock.atStart();
    private Database database;

    @BeforeEach
    void open() {
        database = TestDatabase.fresh();
    }

    @AfterEach
    void close() {
        database.close();
    }

    /// A city of which only detection works: what it finds is stored, and nobody takes it up.
    private City withoutResponse() {
        City city = new City(database, clock, true);
        city.detection.start();
        city.telemetry.start();
        return city;
    }

    @Test
    void aFindingThatWasStoredBeforeTheCrashIsTakenUpAfterIt() {
        DeviceRef device;
        try (City before = withoutResponse().withMeters(4)) {
            device = before.ref(1);
            before.flows(device, 2, Provenance.OBSERVED);
            City.await(() -> before.detection.unhandled(10).size() == 2);
            assertThat(before.state(device)).isEqualTo(Lifecycle.ACTIVE);
        }
        try (City after = new City(database, clock, true).start()) {
            City.await(() -> after.state(device) == Lifecycle.QUARANTINED);
            assertThat(after.open(device)).hasSize(1);
            assertThat(after.open(device).getFirst().actions()).hasSize(1);
        }
    }

    @Test
    void anIntentThatWasStoredBeforeTheCrashIsEnforcedAfterIt() {
        DeviceRef gateway;
        DeviceRef device;
        try (City before = withoutResponse().withMeters(2)) {
            gateway = before.meter(100, Map.of(), Optional.empty());
            device = before.meter(101, Map.of("address", "10.1.0.7"), Optional.of(gateway.id()));
            // The intent is committed here; neither the gateway's order nor the legs are worked on.
            IsolationWish wish = new IsolationWish(
                    City.ENVIRONMENT,
                    Selector.parse("id=m-101"),
                    Action.Kind.QUARANTINE,
                    "because",
                    Duration.ofHours(1));
            before.response.isolate(wish, 1, City.OPERATOR);
            assertThat(before.commands.desired(gateway)).isEmpty();
            assertThat(before.open(device)
                            .getFirst()
                            .actions()
                            .getFirst()
                            .legs()
                            .session()
                            .state())
                    .isEqualTo(State.PENDING);
        }
        try (City after = new City(database, clock, true).start()) {
            City.await(() -> after.commands
                    .desired(gateway)
                    .map(d -> d.state().toString())
                    .orElse("")
                    .contains("\"isolated\":[{"));
            City.await(() -> after.open(device)
                            .getFirst()
                            .actions()
                            .getFirst()
                            .legs()
                            .session()
                            .state()
                    == State.ENFORCED);
        }
    }

    @Test
    void detectorsRememberAcrossARestart() {
        DeviceRef device;
        try (City before = new City(database, clock, true).start().withMeters(200)) {
            device = before.ref(1);
            before.flows(device, 1, Provenance.OBSERVED);
            City.await(() -> before.open(device).size() == 1);
            assertThat(before.state(device)).isEqualTo(Lifecycle.ACTIVE);
        }
        try (City after = new City(database, clock, true).start()) {
            clock.advance(Duration.ofSeconds(5));
            after.flows(device, 1, Provenance.OBSERVED); // the second one, as after a restart is known
            City.await(() -> after.state(device) == Lifecycle.QUARANTINED);
        }
    }

    @Test
    void anIsolationEndsByItselfAtItsTimeLimitAlsoWhenItPassedWhileTheServerWasDown() {
        DeviceRef device;
        try (City before = new City(database, clock, true).start().withMeters(4)) {
            device = before.ref(1);
            before.flows(device, 2, Provenance.OBSERVED);
            City.await(() -> before.state(device) == Lifecycle.QUARANTINED);
        }
        clock.advance(Duration.ofHours(25));
        try (City after = new City(database, clock, true).start()) {
            City.await(() -> after.state(device) == Lifecycle.ACTIVE);
            Action action = after.open(device).getFirst().actions().getFirst();
            assertThat(action.status()).isEqualTo(Action.Status.EXPIRED);
            assertThat(action.ended().orElseThrow().actor()).isEqualTo("system:response");
        }
    }

    @Test
    void aStoppedRolloutIsOneIncidentHoweverOftenTheServerRestarts() {
        try (City before = withoutResponse().withMeters(1)) {
            before.journal.run(tx -> tx.record(new Entry(
                    "rollout.stopped",
                    City.ENVIRONMENT,
                    "rollout:7",
                    new Actor.Holdfast("rollout"),
                    "5 of 5 failed",
                    Map.of("exposed", 5))));
        }
        for (int i = 0; i < 2; i++) {
            try (City after = new City(database, clock, true).start()) {
                City.await(() -> after.response.countOpen(City.ENVIRONMENT) == 1);
                after.response.catchUp();
                Incident incident = after.response
                        .incidents(City.ENVIRONMENT, true, Optional.empty(), Long.MAX_VALUE, 10)
                        .getFirst()
                        .incident();
                assertThat(incident.subject()).isEqualTo(new Incident.Subject.OfRollout(City.ENVIRONMENT, "7"));
                assertThat(incident.findings()).isEqualTo(1);
                assertThat(incident.summary()).contains("5 of 5 failed");
            }
        }
    }

    @Test
    void isolationsThatLieOverEachOtherReturnTheDeviceToWhereItWasInWhateverOrderTheyEnd() {
        for (boolean lowerFirst : List.of(true, false)) {
            try (City city = new City(TestDatabase.fresh(), clock, true).start().withMeters(2)) {
                DeviceRef device = city.ref(1);
                Action lower = byHand(city, Action.Kind.QUARANTINE);
                Action upper = byHand(city, Action.Kind.SUSPEND);
                assertThat(city.state(device)).isEqualTo(Lifecycle.SUSPENDED);
                city.response.undo(City.ENVIRONMENT, (lowerFirst ? lower : upper).id(), "one", City.OPERATOR);
                assertThat(city.state(device)).isEqualTo(lowerFirst ? Lifecycle.SUSPENDED : Lifecycle.QUARANTINED);
                city.response.undo(City.ENVIRONMENT, (lowerFirst ? upper : lower).id(), "two", City.OPERATOR);
                assertThat(city.state(device)).isEqualTo(Lifecycle.ACTIVE);
                city.database.close();
            }
        }
    }

    private static Action byHand(City city, Action.Kind kind) {
        IsolationWish wish =
                new IsolationWish(City.ENVIRONMENT, Selector.parse("id=m-1"), kind, "because", Duration.ofHours(1));
        return ((Outcome.Done<Outcome.Isolated>) city.response.isolate(wish, 1, City.OPERATOR))
                .now()
                .actions()
                .getFirst();
    }

    @Test
    void aPersonsUndoHoldsTheNextAutomaticIsolationIsTheirs() {
        try (City city = new City(database, clock, true).start().withMeters(4)) {
            DeviceRef device = city.ref(1);
            city.flows(device, 2, Provenance.OBSERVED);
            City.await(() -> city.state(device) == Lifecycle.QUARANTINED);
            city.response.undo(
                    City.ENVIRONMENT, city.open(device).getFirst().incident().id(), "planned work", City.OPERATOR);
            clock.advance(Duration.ofHours(2));
            city.flows(device, 2, Provenance.OBSERVED);
            City.await(() -> city.open(device).stream().anyMatch(Response.Case::awaitsApproval));
            assertThat(city.state(device)).isEqualTo(Lifecycle.ACTIVE);
            assertThat(city.open(device).getFirst().actions().getFirst().waitsBecause())
                    .contains("a person undid");
        }
    }

    @Test
    void withAutomaticIsolationSwitchedOffAPersonIsAsked() {
        try (City city = new City(database, clock, false).start().withMeters(4)) {
            DeviceRef device = city.ref(1);
            city.flows(device, 2, Provenance.OBSERVED);
            City.await(() -> city.open(device).stream().anyMatch(Response.Case::awaitsApproval));
            assertThat(city.state(device)).isEqualTo(Lifecycle.ACTIVE);
        }
    }
}
