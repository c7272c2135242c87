package dev.holdfast.est;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.TestServer;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Serial;
import dev.holdfast.database.TestDatabase;
import dev.holdfast.protocol.x509.CertificationRequest;
import dev.holdfast.protocol.x509.Crypto;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.cert.X509Certificate;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A server process killed with -9 at random points of enrolment: nothing that was answered is lost, nothing is
/// done twice, and every device that tries again with its key and its token gets its one certificate.
class EnrolmentKillTest {
    private static final int KILLS = 3;
    private static final int DEVICES = 24;

    /// What the killed process runs: enrols all devices it is told of, as fast as it can, and prints each
    /// serial that it would have answered.
    public static final class Victim {
        private Victim() {}

        public static void main(String[] arguments) throws Exception {
            try (TestServer server = TestServer.start(
                    Path.of(arguments[0]),
                    new dev.holdfast.database.Database.Address(arguments[1], arguments[2], arguments[3]),
                    Map.of(),
                    InstantSource.system())) {
                System.out.println("ready");
                System.out.flush();
                BufferedReader in =
                        new BufferedReader(new java.io.InputStreamReader(System.in, StandardCharsets.US_ASCII));
                List<String[]> jobs = new ArrayList<>();
                for (String line = in.readLine(); line != null && !line.isEmpty(); line = in.readLine()) {
                    jobs.add(line.split(" ", -1));
                }
                try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
                    List<Future<?>> all = new ArrayList<>();
                    for (String[] job : jobs) {
                        all.add(threads.submit(() -> {
                            X509Certificate certificate = EstCaller.certificate(
                                    EstCaller.enrol(server, Base64.getDecoder().decode(job[1]), job[2]));
                            synchronized (System.out) {
                                System.out.println(
                                        "answered " + job[0] + " " + Serial.of(certificate.getSerialNumber()));
                                System.out.flush();
                            }
                            return true;
                        }));
                    }
                    for (Future<?> one : all) {
                        one.get();
                    }
                }
                System.out.println("done");
                System.out.flush();
            }
        }
    }

    @Test
    void aServerKilledDuringEnrolmentLosesNothingAndDoesNothingTwice(@TempDir Path folder) throws Exception {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        var database = TestDatabase.freshAddress();
        Path server = folder.resolve("s");
        Map<String, String> jobs = new HashMap<>();
        try (TestServer first = TestServer.start(server, database, Map.of(), InstantSource.system())) {
            for (int i = 0; i < DEVICES; i++) {
                DeviceRef device = first.register("kill-" + i);
                KeyPair key = Crypto.generateP256(EstCaller.RANDOM);
                jobs.put(
                        device.id().value(),
                        device.id() + " "
                                + Base64.getEncoder()
                                        .encodeToString(CertificationRequest.create(
                                                device.id().value(), key))
                                + " " + first.credential(device));
            }
            first.stop();

            Map<String, String> answered = new HashMap<>();
            for (int kill = 0; kill < KILLS; kill++) {
                victim(server, database, jobs, answered, random.nextInt(250));
            }
            try (TestServer last = TestServer.start(server, database, Map.of(), InstantSource.system())) {
                for (String id : jobs.keySet()) {
                    String[] job = jobs.get(id).split(" ", -1);
                    X509Certificate certificate = EstCaller.certificate(
                            EstCaller.enrol(last, Base64.getDecoder().decode(job[1]), job[2]));
                    String serial = Serial.of(certificate.getSerialNumber()).hex();
                    assertThat(answered.getOrDefault(id, serial))
                            .as("seed " + seed)
                            .isEqualTo(serial);
                    assertThat(last.server().identity().certificates(TestServer.device(id)))
                            .as("seed " + seed)
                            .hasSize(1);
                }
                assertThat(last.server().journal().verify()).isEmpty();
            }
        }
    }

    private static void victim(
            Path folder,
            dev.holdfast.database.Database.Address database,
            Map<String, String> jobs,
            Map<String, String> answered,
            int afterMillis)
            throws IOException, InterruptedException {
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:+UseSerialGC",
                        "--enable-native-access=ALL-UNNAMED",
                        "--sun-misc-unsafe-memory-access=allow",
                        "-cp",
                        System.getProperty("java.class.path"),
                        Victim.class.getName(),
                        folder.toString(),
                        database.url(),
                        database.user(),
                        database.password())
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        try (BufferedReader out = process.inputReader(StandardCharsets.US_ASCII)) {
            String line = out.readLine();
            while (line != null && !line.equals("ready")) {
                line = out.readLine();
            }
            assertThat(line).isEqualTo("ready");
            var in = process.outputWriter(StandardCharsets.US_ASCII);
            in.write(String.join("\n", jobs.values()) + "\n\n");
            in.flush();
            // The moment of the kill is what is random here; nothing is waited for.
            TimeUnit.MILLISECONDS.sleep(afterMillis);
            process.destroyForcibly();
            for (line = out.readLine(); line != null; line = out.readLine()) {
                if (line.startsWith("answered ")) {
                    String[] words = line.split(" ", -1);
                    String before = answered.put(words[1], words[2]);
                    assertThat(before == null || before.equals(words[2]))
                            .as("device " + words[1] + " was given two certificates")
                            .isTrue();
                }
            }
        } finally {
            process.destroyForcibly().waitFor(20, TimeUnit.SECONDS);
        }
    }
}
