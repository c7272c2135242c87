package dev.holdfast.est;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.TestServer;
import dev.holdfast.ca.CertificateState;
import dev.holdfast.ca.IssuedCertificate;
import dev.holdfast.ca.RevocationReason;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Serial;
import dev.holdfast.identity.Admission;
import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.testkit.RealClient;
import dev.holdfast.testkit.Recipe;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Enrolment, renewal and status by programs that others wrote: curl and openssl by the recipe, strongSwan's
/// `pki`.
class EnrolmentClientsTest {
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

    private static Recipe recipe() {
        return Recipe.read(Path.of(System.getProperty("holdfast.root", ".."))
                .resolve("docs/recipes/enrol-with-openssl-and-curl.md"));
    }

    private Map<String, String> settings(DeviceRef device) {
        String credential = server.credential(device);
        return Map.of(
                "HOLDFAST",
                "localhost:" + server.server().devicePort(),
                "PKI",
                "http://localhost:" + server.server().pkiPort(),
                "DEVICE",
                device.id().value(),
                "TOKEN",
                credential.substring(credential.indexOf(':') + 1));
    }

    private X509Certificate certificate(String file) throws Exception {
        return Certificates.parsePem(Files.readString(folder.resolve(file))).getFirst();
    }

    @Test
    void theRecipeEnrolsRenewsAndAsksForTheStatus() throws Exception {
        DeviceRef device = server.register("recipe-1");
        var result = recipe().only("settings", "root", "enrol", "renew", "status")
                .run(folder, settings(device), Duration.ofSeconds(60));
        assertThat(result.text()).contains("device.pem: good").contains("device.pem: OK");
        assertThat(result.text()).contains("OU = DEVELOPMENT");
        assertThat(result.errors()).contains("Response verify OK");

        X509Certificate first = certificate("device.pem");
        X509Certificate second = certificate("next.pem");
        assertThat(Certificates.commonName(first)).contains("recipe-1");
        assertThat(first.getSerialNumber().bitLength()).isGreaterThan(64);
        assertThat(second.getPublicKey()).isNotEqualTo(first.getPublicKey());
        assertThat(server.server().identity().certificates(device))
                .extracting(IssuedCertificate::state)
                .containsExactly(CertificateState.PENDING, CertificateState.PENDING);
    }

    @Test
    void theRecipeEnrolsByAProfileWaitsForAPersonAndGetsAKeyMadeByTheServer() throws Exception {
        EstRequests.profile(server, "meter", "{\"keys\":{\"kinds\":[\"ec-p256\"]}}");
        EstRequests.profile(server, "reviewed", "{\"admittance\":{\"approval\":true}}");
        EstRequests.profile(server, "keyless", "{\"keys\":{\"serverGenerated\":true}}");
        var labelled = recipe().only("settings", "root", "label")
                .run(folder, settings(server.register("recipe-3")), Duration.ofSeconds(60));
        assertThat(labelled.text()).contains("1.2.840.113549.1.9.16.2.61").contains("prime256v1");
        assertThat(Certificates.commonName(certificate("labelled.pem"))).contains("recipe-3");

        DeviceRef waiting = server.register("recipe-4");
        Map<String, String> settings = new java.util.TreeMap<>(settings(waiting));
        settings.put("WAIT", "0.2");
        Thread person = Thread.startVirtualThread(() -> {
            TestServer.await("the request is before the person", () -> held().isPresent());
            server.server()
                    .identity()
                    .held()
                    .decide(TestServer.ENVIRONMENT, held().orElseThrow(), true, "it is ours", TestServer.TESTER);
        });
        recipe().only("settings", "wait").run(folder, settings, Duration.ofSeconds(60));
        person.join();
        assertThat(Certificates.commonName(certificate("waited.pem"))).contains("recipe-4");

        var made = recipe().only("settings", "serverkeygen")
                .run(folder, settings(server.register("recipe-5")), Duration.ofSeconds(60));
        assertThat(made.text()).contains("key and certificate fit");
        assertThat(Certificates.commonName(certificate("made.pem"))).contains("recipe-5");
    }

    private static java.util.Optional<String> held() {
        return server
                .server()
                .identity()
                .held()
                .list(
                        TestServer.ENVIRONMENT,
                        java.util.Optional.of(dev.holdfast.identity.HeldRequests.State.WAITING),
                        10)
                .stream()
                .map(dev.holdfast.identity.HeldRequests.Held::id)
                .findFirst();
    }

    @Test
    void revokedAndSuspendedAreSeenByOpensslOcspAndVerify() throws Exception {
        DeviceRef device = server.register("recipe-2");
        Map<String, String> settings = settings(device);
        recipe().only("settings", "root", "enrol", "status").run(folder, settings, Duration.ofSeconds(60));
        Serial serial = Serial.of(certificate("device.pem").getSerialNumber());

        server.server().identity().suspend(device, "in doubt", java.util.Optional.empty(), TestServer.TESTER);
        TestServer.await(
                "the hold is in memory",
                () -> server.server()
                        .ca()
                        .standings()
                        .find(serial)
                        .orElseThrow()
                        .held());
        assertThat(status(settings)).contains("device.pem: revoked").contains("certificateHold");

        server.server().identity().reinstate(device, "it was nothing", TestServer.TESTER);
        TestServer.await(
                "the hold is over",
                () -> !server.server()
                        .ca()
                        .standings()
                        .find(serial)
                        .orElseThrow()
                        .held());
        assertThat(status(settings)).contains("device.pem: good").contains("device.pem: OK");

        server.server().identity().revoke(serial, RevocationReason.KEY_COMPROMISE, "stolen", TestServer.TESTER);
        TestServer.await(
                "revoked in memory",
                () -> server.server()
                                .ca()
                                .standings()
                                .find(serial)
                                .orElseThrow()
                                .state()
                        == CertificateState.REVOKED);
        assertThat(status(settings))
                .contains("device.pem: revoked")
                .contains("keyCompromise")
                .contains("certificate revoked");
    }

    /// The recipe's status block, whose last command fails for a revoked certificate, as it should.
    private String status(Map<String, String> settings) {
        String commands = recipe().only("settings", "status").blocks().stream()
                .map(Recipe.Block::commands)
                .reduce("", String::concat);
        var result =
                RealClient.of("bash", "-c", commands).in(folder).with(settings).run();
        return result.text() + result.errors();
    }

    @Test
    void strongSwanFetchesTheAuthoritiesEnrolsByTokenAndRenewsWithANewKey() throws Exception {
        DeviceRef device = server.register("swan-1");
        String url = "https://localhost:" + server.server().devicePort();
        Files.copy(server.rootPem(), folder.resolve("root.pem"));
        RealClient.of("pki", "--estca", "--url", url, "--cacert", "root.pem", "--caout", "ca.pem", "--outform", "pem")
                .in(folder)
                .run()
                .succeeded();
        assertThat(Files.readString(folder.resolve("ca.pem"))).contains("BEGIN CERTIFICATE");

        pkiKeyAndRequest("1", "swan-1");
        var enrolled = RealClient.of(
                        "pki",
                        "--est",
                        "--url",
                        url,
                        "--in",
                        "req1.der",
                        "--cacert",
                        "root.pem",
                        "--userpass",
                        server.credential(device),
                        "--outform",
                        "pem")
                .in(folder)
                .run()
                .succeeded();
        Files.write(folder.resolve("cert1.pem"), enrolled.bytes());
        assertThat(Certificates.commonName(certificate("cert1.pem"))).contains("swan-1");

        pkiKeyAndRequest("2", "swan-1");
        var renewed = RealClient.of(
                        "pki",
                        "--est",
                        "--url",
                        url,
                        "--in",
                        "req2.der",
                        "--cacert",
                        "root.pem",
                        "--cacert",
                        "ca.pem",
                        "--cert",
                        "cert1.pem",
                        "--key",
                        "key1.pem",
                        "--outform",
                        "pem")
                .in(folder)
                .run()
                .succeeded();
        Files.write(folder.resolve("cert2.pem"), renewed.bytes());
        X509Certificate second = certificate("cert2.pem");
        assertThat(second.getSerialNumber())
                .isNotEqualTo(certificate("cert1.pem").getSerialNumber());

        // The first use of the second supersedes the first.
        assertThat(server.server().identity().admit(second, Instant.now())).isInstanceOf(Admission.Admitted.class);
        TestServer.await(
                "the first is superseded",
                () -> server.server().identity().admit(first(), Instant.now()) instanceof Admission.Refused refused
                        && refused.reason() == Admission.Refusal.CERTIFICATE_SUPERSEDED);
        assertThat(server.server()
                        .inventory()
                        .find(device)
                        .orElseThrow()
                        .state()
                        .text())
                .isEqualTo("active");
    }

    private X509Certificate first() {
        try {
            return certificate("cert1.pem");
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    private void pkiKeyAndRequest(String number, String name) throws Exception {
        var key = RealClient.of("pki", "--gen", "--type", "ecdsa", "--size", "256", "--outform", "pem")
                .in(folder)
                .run()
                .succeeded();
        Files.write(folder.resolve("key" + number + ".pem"), key.bytes());
        var request = RealClient.of(
                        "pki", "--req", "--in", "key" + number + ".pem", "--type", "ecdsa", "--dn", "CN=" + name)
                .in(folder)
                .run()
                .succeeded();
        Files.write(folder.resolve("req" + number + ".der"), request.bytes());
    }

    @Test
    void theJournalHasEveryStepAndVerifies() {
        assertThat(server.server().journal().verify()).isEmpty();
        assertThat(server.server().journal().read(0, 10_000).stream()
                        .map(entry -> entry.json().path("kind").asText())
                        .toList())
                .containsAll(List.of("authority.created", "certificate.issued"));
    }
}
