package dev.holdfast;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.protocol.x509.CertificationRequest;
import dev.holdfast.testkit.RealClient;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.spec.ECGenParameterSpec;
import java.util.Base64;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLSocket;
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
        KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
        generator.initialize(new ECGenParameterSpec("secp256r1"));
        ServerProcess server = ServerProcess.start(folder.resolve("data"), Map.of());
        try {
            for (int kill = 0; kill < KILLS; kill++) {
                String id = "meter-" + kill;
                KeyPair key = generator.generateKeyPair();
                String request = Base64.getEncoder().encodeToString(CertificationRequest.create(id, key));
                String token = server.ask("token " + id);
                ServerProcess victim = server;
                Thread enrolling = Thread.ofVirtual().start(() -> tryToEnrol(victim, id, token, request));
                TimeUnit.MICROSECONDS.sleep(random.nextInt(60_000));
                victim.kill();
                enrolling.join();
                server = ServerProcess.start(folder.resolve("data"), Map.of());
                assertThat(enrol(server, id, token, request))
                        .as("seed %d, kill %d", SEED, kill)
                        .isEqualTo(200);
                assertThat(server.ask("certificates " + id))
                        .as("seed %d, kill %d", SEED, kill)
                        .isEqualTo("1");
            }
            assertThat(server.ask("verify")).isEqualTo("Optional.empty");
        } finally {
            server.close();
            RealClient.of("rm", "-rf", folder.toString()).run();
        }
    }

    private static void tryToEnrol(ServerProcess server, String id, String token, String request) {
        try {
            enrol(server, id, token, request);
        } catch (IOException killed) {
            // as intended
        }
    }

    private static int enrol(ServerProcess server, String id, String token, String request) throws IOException {
        String credential = Base64.getEncoder().encodeToString((id + ":" + token).getBytes(StandardCharsets.US_ASCII));
        try (SSLSocket socket = server.tls("device")) {
            socket.getOutputStream()
                    .write(("POST /.well-known/est/simpleenroll HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic "
                                    + credential + "\r\nContent-Type: application/pkcs10\r\nContent-Length: "
                                    + request.length() + "\r\nConnection: close\r\n\r\n" + request)
                            .getBytes(StandardCharsets.US_ASCII));
            byte[] head = socket.getInputStream().readNBytes(12);
            if (head.length < 12) {
                throw new IOException("no answer");
            }
            return Integer.parseInt(new String(head, StandardCharsets.US_ASCII).substring(9));
        }
    }
}
