package dev.holdfast;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.testkit.RealClient;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/// The server is killed at moments chosen by seed while a device enrols. Whatever the moment: after the restart the
/// same device with the same key and token is enrolled, with one certificate, and the journal verifies.
class EnrolmentKillTest {
    private static final long SEED = Long.getLong("holdfast.seed", 20260302L);
    private static final int KILLS = Boolean.getBoolean("holdfast.long") ? 100 : 20;

    @Test
    void aDeviceWhoseEnrolmentWasKilledIsEnrolledOnceByTryingAgain() throws Exception {
        Path folder = Files.createTempDirectory("holdfast-kill");
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx--x--x"));
        Random random = new Random(SEED);
        System.out.println("enrolment kills: seed " + SEED);
        ServerProcess server = ServerProcess.start(folder.resolve("data"), Map.of());
        try {
            for (int kill = 0; kill < KILLS; kill++) {
                ServerProcess victim = server;
                ProcessDevice device = new ProcessDevice(server, "meter-" + kill);
                Thread enrolling = Thread.ofVirtual().start(() -> tryToEnrol(victim, device));
                TimeUnit.MICROSECONDS.sleep(random.nextInt(60_000));
                victim.kill();
                enrolling.join();
                server = ServerProcess.start(folder.resolve("data"), Map.of());
                assertThat(device.enrol(server))
                        .as("seed %d, kill %d", SEED, kill)
                        .isEqualTo(200);
                assertThat(server.ask("certificates " + device.id()))
                        .as("seed %d, kill %d", SEED, kill)
                        .isEqualTo("1");
            }
            assertThat(server.ask("verify")).isEqualTo("Optional.empty");
        } finally {
            server.close();
            RealClient.of("rm", "-rf", folder.toString()).run();
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
