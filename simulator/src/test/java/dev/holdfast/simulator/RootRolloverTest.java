package dev.holdfast.simulator;

import static dev.holdfast.simulator.MeterFleet.PER_HOUR;
import static dev.holdfast.simulator.MeterFleet.TESTER;
import static dev.holdfast.simulator.MeterFleet.done;
import static dev.holdfast.simulator.MeterFleet.missing;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.rollover.DeviceTrust;
import dev.holdfast.rollover.Progress;
import dev.holdfast.rollover.Rollover;
import dev.holdfast.rollover.Rollovers;
import dev.holdfast.rollover.Step;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.TempDir;

/// A root is replaced under living meters, three times: nobody touches a device, and nothing goes while one
/// depends on it. The last time one is left behind, so the order is fixed.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class RootRolloverTest {
    private static final int METERS = 5;
    private static final int LAST = METERS - 1;

    @TempDir
    private static Path folder;

    private MeterFleet fleet;
    private X509Certificate oldRoot;

    @BeforeAll
    void start() throws Exception {
        folder.toFile().setExecutable(true, false);
        fleet = MeterFleet.start(folder.resolve("data"), Map.of());
        oldRoot = fleet.server().ca().authorities().root().certificate();
        fleet.manufacture(METERS, oldRoot);
    }

    @BeforeEach
    void everyMeterIsThere() throws Exception {
        fleet.awaitAllConnected();
        fleet.notes().clear();
    }

    @AfterAll
    void stop() {
        fleet.close();
    }

    private Rollovers rollovers() {
        return fleet.rollovers();
    }

    @Test
    @Order(1)
    void everyDeviceFollowsByItselfAndTheOldRootGoes() throws Exception {
        Rollover ready = done(rollovers().startRoot(PER_HOUR, "twenty years", TESTER));
        String newRoot = Certificates.fingerprint(fleet.certificate(ready.newAuthority()));
        fleet.await("all have fetched and trust the new root", () -> {
            Progress now = rollovers().progress(ready);
            return now.trusting() == METERS && now.fetched() == METERS;
        });
        assertThat(rollovers().progress(ready).missing()).isEmpty();
        assertThat(fleet.devices(ready, DeviceTrust.Only.MISSING)).isEmpty();
        assertThat(fleet.devices(ready, DeviceTrust.Only.ACKNOWLEDGED)).hasSize(METERS);
        assertThat(fleet.noted("root-learned")).isEqualTo(METERS);

        done(rollovers().move(ready.id(), false, "all trust it", TESTER));
        fleet.await("all have a certificate under the new root", () -> {
            Progress now = rollovers().progress(ready);
            return now.moved() == METERS && now.depending() == 0;
        });
        done(rollovers().finish(ready.id(), "all have moved", TESTER));
        assertThat(fleet.server().ca().authorities().published()).doesNotContain(oldRoot);
        fleet.await("all have dropped the old root", () -> fleet.noted("root-withdrawn") == METERS);

        // What is trusted survives a power cut, and is the new root alone.
        fleet.cutPower(0);
        fleet.agent(0).start();
        fleet.await("back", () -> fleet.isConnected(0));
        assertThat(fleet.notes()).anyMatch(n -> n.endsWith(" root-learned: " + newRoot));
        assertThat(fleet.noted("root-refused")).isZero();
    }

    @Test
    @Order(2)
    void whoStaysAwayIsNamedAndComesBackByTheOldRootsWord() throws Exception {
        String away = MeterFleet.name(LAST);
        fleet.cutPower(LAST);

        Rollover ready = done(rollovers().startRoot(PER_HOUR, "twenty years", TESTER));
        fleet.await("the others trust it", () -> rollovers().progress(ready).trusting() == METERS - 1);
        assertThat(missing(rollovers().move(ready.id(), false, "too early", TESTER)))
                .containsExactly(away);
        assertThat(fleet.devices(ready, DeviceTrust.Only.MISSING)).containsExactly(away);
        done(rollovers().move(ready.id(), true, "it is in a cellar", TESTER));
        fleet.await("the others have moved", () -> rollovers().progress(ready).depending() == 1);
        assertThat(missing(rollovers().finish(ready.id(), "too early", TESTER))).containsExactly(away);

        fleet.agent(LAST).start(); // it knows the old root alone
        fleet.await("it has moved", () -> rollovers().progress(ready).depending() == 0);
        fleet.await("it trusts the new root", () -> rollovers().progress(ready).trusting() == METERS);
        done(rollovers().finish(ready.id(), "all have moved", TESTER));
        fleet.await("all have dropped the old root", () -> fleet.noted("root-withdrawn") == METERS);
        fleet.await("it is back", () -> fleet.isConnected(LAST));
    }

    @Test
    @Order(3)
    void twoPeopleMayLeaveItBehindAndItStandsInTheJournal() throws Exception {
        String away = MeterFleet.name(LAST);
        fleet.cutPower(LAST);
        Rollover ready = done(rollovers().startRoot(PER_HOUR, "twenty years", TESTER));
        fleet.await("the others trust it", () -> rollovers().progress(ready).trusting() == METERS - 1);
        done(rollovers().move(ready.id(), true, "it was stolen", TESTER));
        fleet.await("the others have moved", () -> rollovers().progress(ready).depending() == 1);

        for (int i = 0; i < 2; i++) { // one person twice is one person
            assertThat(rollovers().finishLeavingBehind(ready.id(), "operator:ada", "it was stolen", TESTER))
                    .isInstanceOfSatisfying(
                            Step.NeedsAnother.class,
                            another -> assertThat(another.devices()).isEqualTo(1));
        }
        assertThat(missing(rollovers().finish(ready.id(), "without a second", TESTER)))
                .containsExactly(away);
        assertThat(rollovers().waivers(ready)).singleElement().satisfies(waiver -> {
            assertThat(waiver.person()).isEqualTo("operator:ada");
            assertThat(waiver.reason()).isEqualTo("it was stolen");
        });
        done(rollovers().finishLeavingBehind(ready.id(), "operator:ben", "it was, I saw the report", TESTER));
        fleet.await(
                "the journal says who agreed",
                () -> fleet.journal().stream()
                        .anyMatch(entry -> entry.contains("\"kind\":\"rollover.ended\"")
                                && entry.contains("operator:ada")
                                && entry.contains("operator:ben")
                                && entry.contains("\"leftBehind\":1")));
        assertThat(fleet.journal()).anyMatch(entry -> entry.contains("\"kind\":\"rollover.waived\""));

        fleet.await("the others have dropped the old root", () -> fleet.noted("root-withdrawn") == METERS - 1);
        fleet.agent(LAST).start();
        fleet.await(
                "who was left behind does not know us any more",
                () -> fleet.notes().stream()
                        .anyMatch(n ->
                                n.startsWith(away + " disconnected: ") || n.startsWith(away + " roots-not-heard: ")));
        assertThat(fleet.isConnected(LAST)).isFalse();
    }
}
