package dev.holdfast.est;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.TestServer;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.est.EstCaller.Caller;
import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.protocol.x509.CertificationRequest;
import dev.holdfast.protocol.x509.Crypto;
import dev.holdfast.protocol.x509.KeyKind;
import dev.holdfast.protocol.x509.Pem;
import dev.holdfast.testkit.RealClient;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Which kinds of key are certified, and with which a device can then come in where: measured, printed, and
/// held against the table in `docs/key-kinds.md`, so that the page says what is.
class KeyKindsTest {
    private static TestServer server;

    @TempDir
    Path folder;

    @BeforeAll
    static void start() {
        server = TestServer.start();
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    @Test
    void theTableOfWhatEachListenerTakesIsThatOfTheDocumentation() throws Exception {
        Files.copy(server.rootPem(), folder.resolve("root.pem"));
        List<String> measured = new ArrayList<>();
        for (KeyKind kind : KeyKind.values()) {
            if (kind.isIssuable()) {
                measured.add(row(kind));
            }
        }
        measured.forEach(System.out::println);
        List<String> written =
                Files.readAllLines(Path.of(System.getProperty("holdfast.root", ".."))
                                .resolve("docs/key-kinds.md"))
                        .stream()
                        .filter(line -> line.startsWith("| `"))
                        .toList();
        assertThat(measured).isEqualTo(written);
    }

    private String row(KeyKind kind) throws Exception {
        String id = "kind-" + kind.text();
        DeviceRef device = server.register(id);
        KeyPair key = Crypto.generate(kind, EstCaller.RANDOM);
        X509Certificate certificate = EstCaller.certificate(
                EstCaller.enrol(server, CertificationRequest.create(id, key), server.credential(device)));
        Files.writeString(folder.resolve("device.pem"), Certificates.pem(certificate));
        Files.writeString(
                folder.resolve("device.key"),
                Pem.encode("PRIVATE KEY", key.getPrivate().getEncoded()));
        Caller caller = new Caller(key.getPrivate(), List.of(certificate));
        int fast = server.server().devicePort();
        int bound = server.server().channelBoundPort();
        return "| `" + kind.text() + "` | yes | " + curl(id, fast, "1.3") + " | " + curl(id, fast, "1.2") + " | "
                + java(id, () -> TlsCaller.plain(server, Optional.of(caller))) + " | " + mosquitto(id) + " | "
                + curl(id, bound, "1.3") + " | " + java(id, () -> TlsCaller.bound(server, Optional.of(caller)))
                + " |";
    }

    /// Whether a renewal with this certificate gets through: the handshake, our trust manager, the policy.
    private String curl(String id, int port, String version) throws IOException {
        Files.write(folder.resolve("request"), renewal(id));
        var result = RealClient.of(
                        "curl",
                        "-sS",
                        "--tlsv" + version,
                        "--tls-max",
                        version,
                        "--cacert",
                        "root.pem",
                        "--cert",
                        "device.pem",
                        "--key",
                        "device.key",
                        "--header",
                        "Content-Type: application/pkcs10",
                        "--data-binary",
                        "@request",
                        "--output",
                        "answer",
                        "--write-out",
                        "%{http_code}",
                        "https://localhost:" + port + "/.well-known/est/simplereenroll")
                .in(folder)
                .run();
        return result.text().contains("200") ? "yes" : "no";
    }

    private static byte[] renewal(String id) {
        return Base64.getEncoder().encode(CertificationRequest.create(id, EstRequests.key()));
    }

    private interface Opening {
        TlsCaller open() throws IOException;
    }

    private static String java(String id, Opening opening) {
        try (TlsCaller channel = opening.open()) {
            return channel.post("simplereenroll", CertificationRequest.create(id, EstRequests.key()), "")
                                    .status()
                            == 200
                    ? "yes"
                    : "no";
        } catch (IOException refused) {
            return "no";
        }
    }

    private String mosquitto(String id) {
        var result = RealClient.of(
                        "mosquitto_pub",
                        "-h",
                        "localhost",
                        "-p",
                        Integer.toString(server.server().mqttPort()),
                        "--cafile",
                        "root.pem",
                        "--cert",
                        "device.pem",
                        "--key",
                        "device.key",
                        "-q",
                        "1",
                        "-t",
                        "d/" + id + "/telemetry",
                        "-m",
                        "{\"kwh\":1}")
                .in(folder)
                .run();
        return result.exit() == 0 ? "yes" : "no";
    }
}
