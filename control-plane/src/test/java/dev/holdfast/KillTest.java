package dev.holdfast;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.database.Database;
import dev.holdfast.database.EmbeddedPostgresStore;
import dev.holdfast.database.TestDatabase;
import dev.holdfast.rollout.RolloutRecord;
import dev.holdfast.testkit.RealClient;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// kill -9 of the whole server at seeded moments, while devices enrol and rollouts run, and of its database as well.
///
/// Whatever the moment, after the restart: the device that was enrolling is enrolled by trying again with the same key
/// and token, and has one certificate; every count and state of every rollout agrees with every other; nothing that
/// was acknowledged is lost; the journal verifies. 20 kills, 200 with `-Dholdfast.long=true`: half of them with keys of
/// authorities that sign inside the transaction which grants the certificate, half with such that sign between two.
class KillTest {
    private static final long SEED = Long.getLong("holdfast.seed", System.nanoTime() % 1_000_000_000L);
    private static final int KILLS = Boolean.getBoolean("holdfast.long") ? 100 : 10;

    private final Random random = new Random(SEED);
    private final List<Long> acknowledged = new ArrayList<>();
    private Path data = Path.of("");
    private int databaseKills;

    @ParameterizedTest
    @ValueSource(strings = {"ec-p256", "ec-p384"})
    void afterAnyKillEnrolmentsAndRolloutsGoOnWhereTheyWereAndNothingAcknowledgedIsLost(String authorityKind)
            throws Exception {
        Path folder = Files.createTempDirectory("holdfast-kill");
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx--x--x"));
        data = folder.resolve("data");
        System.out.println("seed " + SEED + " of " + KILLS + " kills, authorities of " + authorityKind);
        Map<String, String> settings = Map.of("HOLDFAST_KEYS_AUTHORITY_KIND", authorityKind);
        ServerProcess server = ServerProcess.start(data, settings);
        try {
            server.ask("prepare");
            for (int kill = 0; kill < KILLS; kill++) {
                ProcessDevice device = new ProcessDevice(server, "meter-" + kill);
                killInTheMiddle(server, kill, device);
                server = ServerProcess.start(data, settings);
                String as = "seed " + SEED + ", kill " + kill;
                assertThat(device.enrol(server)).as(as).isEqualTo(200);
                assertThat(server.ask("certificates " + device.id())).as(as).isEqualTo("1");
                checkRollouts(as);
                assertThat(server.ask("verify")).as(as).isEqualTo("Optional.empty");
            }
            System.out.printf(
                    "%d kills of the server, %d of its database too, %d acknowledged answers, 0 lost%n",
                    KILLS, databaseKills, acknowledged.size());
            assertThat(acknowledged).isNotEmpty();
        } finally {
            server.close();
            RealClient.of("rm", "-rf", folder.toString()).run();
        }
    }

    private void killInTheMiddle(ServerProcess victim, int kill, ProcessDevice device) throws Exception {
        victim.ask("roll " + random.nextInt(1_000_000));
        victim.await("ack ");
        TimeUnit.MILLISECONDS.sleep(random.nextInt(500));
        Thread enrolling = Thread.ofVirtual().start(() -> tryToEnrol(victim, device));
        TimeUnit.MICROSECONDS.sleep(random.nextInt(60_000));
        if (kill % 5 == 4) {
            killDatabase();
            databaseKills++;
            TimeUnit.MILLISECONDS.sleep(random.nextInt(300));
        }
        victim.kill();
        enrolling.join();
        for (String line : victim.lines()) {
            if (line.startsWith("ack ")) {
                acknowledged.add(Long.parseLong(line.substring(4)));
            }
        }
    }

    private void killDatabase() throws IOException {
        String pid = Files.readAllLines(data.resolve("postgres/cluster/postmaster.pid"))
                .getFirst();
        ProcessHandle.of(Long.parseLong(pid.strip())).ifPresent(ProcessHandle::destroyForcibly);
    }

    private void checkRollouts(String as) throws IOException {
        Database.Address address = EmbeddedPostgresStore.running(
                        data.resolve("postgres"),
                        TestDatabase.binaries(),
                        Files.readString(data.resolve("secrets/postgres-password")))
                .orElseThrow();
        try (Database database = Database.open(address, 2)) {
            for (long action : acknowledged) {
                assertThat(RolloutRecord.feedback(database, action))
                        .as("%s, action %d", as, action)
                        .isPositive();
            }
            assertThat(RolloutRecord.faults(database)).as(as).isEmpty();
        }
    }

    private static void tryToEnrol(ServerProcess server, ProcessDevice device) {
        try {
            device.enrol(server);
        } catch (IOException killed) {
            // as intended
        }
    }
}
