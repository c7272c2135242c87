package dev.holdfast.simulator;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.ca.Authority;
import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.rollover.Progress;
import dev.holdfast.rollover.Rollover;
import dev.holdfast.testkit.HoldfastCommand;
import dev.holdfast.testkit.Recipe;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// docs/root-ceremony.md with a fleet under it: meters that know an operator's root alone, and the next root, from
/// the table to the end of the old one. The operator does what the page says, as it stands; nobody touches a meter.
class OwnRootRolloverTest {
    private static final int METERS = 3;

    @TempDir
    private Path folder;

    private MeterFleet fleet;
    private Path table;
    private Path bin;

    @BeforeEach
    void start() throws Exception {
        folder.toFile().setExecutable(true, false);
        Path data = folder.resolve("data");
        fleet = MeterFleet.start(
                data, Map.of("HOLDFAST_PUBLIC_HOST_NAME", "localhost", "HOLDFAST_ACCESS_FIRST_TOKEN", "true"));
        table = Files.createDirectory(folder.resolve("table"));
        bin = HoldfastCommand.write(folder.resolve("bin"), fleet.url(), data.resolve("secrets/first-token"));
    }

    @AfterEach
    void stop() {
        fleet.close();
    }

    /// Blocks of the page, as they stand.
    private String does(Map<String, String> knowing, String... blocks) {
        Map<String, String> environment = new TreeMap<>(knowing);
        environment.put("PATH", bin + ":" + System.getenv("PATH"));
        return Recipe.read(Path.of(System.getProperty("holdfast.root", "..")).resolve("docs/root-ceremony.md"))
                .only(blocks)
                .run(table, environment, Duration.ofMinutes(4))
                .text();
    }

    private X509Certificate made(String file) throws Exception {
        return Certificates.parsePem(Files.readString(table.resolve(file))).getFirst();
    }

    @Test
    void theFleetFollowsFromOneCeremonysRootToTheNextAndTheOldOneGoes() throws Exception {
        does(Map.of(), "request", "root");
        does(Map.of("SERVERS_ID", "server-2", "DEVICES_ID", "device-development-2"), "sign", "install");
        X509Certificate old = made("root/root.pem");
        fleet.manufacture(METERS, old);

        fleet.cutPower(METERS - 1); // it hears of nothing until the listeners have changed
        assertThat(does(
                        Map.of("NEXT_SERVERS_ID", "server-3", "NEXT_DEVICES_ID", "device-development-3"),
                        "next-request",
                        "next-root",
                        "next-sign",
                        "campaign"))
                .contains("new-with-old/cross.pem: OK", "old-with-new/cross.pem: OK", "ready");
        X509Certificate next = made("root-2/root.pem");
        Rollover ready = fleet.rollovers().list(MeterFleet.ENVIRONMENT).getFirst();
        assertThat(ready.kind()).isEqualTo(Rollover.Kind.ROOT);
        assertThat(fleet.certificate(ready.oldAuthority())).isEqualTo(old);
        assertThat(fleet.certificate(ready.newAuthority())).isEqualTo(next);
        assertThat(fleet.server().ca().authorities().server().anchor()).isEqualTo(old);
        assertThat(fleet.server().ca().authorities().published())
                .contains(old, next, made("new-with-old/cross.pem"), made("old-with-new/cross.pem"));
        fleet.await(
                "who is there trusts the next root",
                () -> fleet.rollovers().progress(ready).trusting() == METERS - 1);
        assertThat(fleet.noted("root-learned")).isEqualTo(METERS - 1);
        Map<String, String> campaign = Map.of("campaign", ready.id());
        assertThat(does(campaign, "progress")).contains(MeterFleet.name(METERS - 1));
        assertThat(MeterFleet.missing(fleet.rollovers().move(ready.id(), false, "too early", MeterFleet.TESTER)))
                .containsExactly(MeterFleet.name(METERS - 1));

        fleet.agent(METERS - 1).start();
        fleet.await("all trust it", () -> fleet.rollovers().progress(ready).trusting() == METERS);
        fleet.cutPower(METERS - 1); // and comes again when the listeners are under the next root
        does(campaign, "move");
        assertThat(fleet.server().ca().authorities().server().anchor()).isEqualTo(next);
        fleet.await(
                "the others have moved", () -> fleet.rollovers().progress(ready).depending() == 1);
        assertThat(MeterFleet.missing(fleet.rollovers().finish(ready.id(), "too early", MeterFleet.TESTER)))
                .containsExactly(MeterFleet.name(METERS - 1));
        fleet.agent(METERS - 1).start();
        fleet.manufacture(1, old); // from the factory's stock: it knows the old root alone
        fleet.await("all have moved, and trust it", () -> {
            Progress now = fleet.rollovers().progress(ready);
            return now.moved() == METERS + 1 && now.trusting() == METERS + 1 && now.depending() == 0;
        });
        assertThat(fleet.rollovers().toTakeBack(ready)).isEmpty();

        does(campaign, "finish");
        assertThat(fleet.server().ca().authorities().published()).doesNotContain(old, made("old-with-new/cross.pem"));
        assertThat(fleet.server()
                        .ca()
                        .authorities()
                        .find(ready.oldAuthority())
                        .orElseThrow()
                        .standing())
                .isEqualTo(Authority.Standing.RETIRED);
        fleet.await("all have dropped the old root", () -> fleet.noted("root-withdrawn") == METERS + 1);
        Rollover ended = fleet.rollovers().find(ready.id()).orElseThrow();
        assertThat(ended.phase()).isEqualTo(Rollover.Phase.ENDED);
        assertThat(fleet.rollovers().toTakeBack(ended)).contains(made("old-with-new/cross.pem"));
        assertThat(does(Map.of(), "take-back"))
                .contains("Superseded")
                .containsIgnoringCase(
                        made("old-with-new/cross.pem").getSerialNumber().toString(16));
        fleet.awaitAllConnected();
        fleet.manufacture(1, next); // who is made from now on knows the next root alone
    }
}
