package dev.holdfast.acme;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.TestServer;
import dev.holdfast.ca.CertificateState;
import dev.holdfast.ca.IssuedCertificate;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.identity.SharedSecrets;
import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.testkit.RealClient;
import dev.holdfast.testkit.Recipe;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Gateways' certificates by programs that others wrote, by the recipe: uacme, certbot, lego.
class AcmeClientsTest {
    /// The recipe lets the system trust our root; here that is a system of the test's own.
    private static final String OWN_SYSTEM = """
            mount -t tmpfs none /usr/local/share/ca-certificates
            cp -a /etc/ssl/certs own-certs
            mount --bind own-certs /etc/ssl/certs
            """;

    private static Gateways gateways;

    @TempDir
    Path folder;

    @BeforeAll
    static void start() {
        gateways = new Gateways();
    }

    @AfterAll
    static void stop() {
        gateways.close();
    }

    private static Recipe recipe() {
        return Recipe.read(Path.of(System.getProperty("holdfast.root", ".."))
                .resolve("docs/recipes/gateway-certificate-with-acme.md"));
    }

    private String run(DeviceRef device, String... blocks) {
        SharedSecrets.Issued.Secret secret = AcmeCaller.secret(gateways.server, device);
        String name = device.id() + ".gw.example.test";
        gateways.names.addresses.put(name, "127.0.0.1");
        StringBuilder script = new StringBuilder("set -euo pipefail\n" + OWN_SYSTEM);
        recipe().only(blocks)
                .blocks()
                .forEach(block -> script.append("echo '--- ")
                        .append(block.name())
                        .append("'\n")
                        .append(block.commands()));
        var result = RealClient.of("unshare", "-m", "bash", "-c", script.toString())
                .in(folder)
                .with(Map.of(
                        "HOLDFAST",
                        "localhost:" + gateways.server.server().devicePort(),
                        "PKI",
                        "http://localhost:" + gateways.server.server().pkiPort(),
                        "NAME",
                        name,
                        "KEY_ID",
                        secret.id(),
                        "SECRET",
                        secret.secret(),
                        "WEBROOT",
                        gateways.webroot.toString()))
                .timeout(Duration.ofMinutes(3))
                .run()
                .succeeded();
        return result.text() + result.errors();
    }

    private X509Certificate gateway() throws Exception {
        return Certificates.parsePem(Files.readString(folder.resolve("gateway.pem")))
                .getFirst();
    }

    private static List<CertificateState> states(DeviceRef device) {
        return gateways.server.server().identity().certificates(device).stream()
                .map(IssuedCertificate::state)
                .toList();
    }

    @Test
    void uacmeBindsItsAccountGetsACertificateRevokesItAndLeaves() throws Exception {
        DeviceRef device = gateways.server.register("uacme-1");
        String said = run(device, "settings", "trust", "system", "uacme", "look", "uacme-revoke");
        assertThat(said).contains("gateway.pem: OK").contains("DNS:uacme-1.gw.example.test");
        assertThat(Certificates.commonName(gateway())).contains("uacme-1.gw.example.test");
        assertThat(states(device)).containsExactly(CertificateState.REVOKED);
    }

    @Test
    void certbotBindsItsAccountGetsACertificateRenewsAndRevokesIt() throws Exception {
        DeviceRef device = gateways.server.register("certbot-1");
        String said = run(device, "settings", "trust", "certbot", "look", "certbot-renew", "certbot-revoke");
        assertThat(said).contains("gateway.pem: OK").contains("DNS:certbot-1.gw.example.test");
        assertThat(states(device)).hasSize(2).contains(CertificateState.REVOKED);
    }

    @Test
    void legoBindsItsAccountGetsACertificateAndRenewsIt() throws Exception {
        DeviceRef device = gateways.server.register("lego-1");
        String said = run(device, "settings", "trust", "lego", "look", "lego-renew");
        assertThat(said).contains("gateway.pem: OK").contains("DNS:lego-1.gw.example.test");
        assertThat(states(device)).hasSize(2);
    }

    @Test
    void aClientWithTheWrongSecretGetsNoAccount() {
        DeviceRef device = gateways.server.register("wrong-secret-1");
        SharedSecrets.Issued.Secret secret = AcmeCaller.secret(gateways.server, device);
        var result = RealClient.of(
                        "lego",
                        "--server",
                        "https://localhost:" + gateways.server.server().devicePort() + "/acme/gateway/directory",
                        "--accept-tos",
                        "--email",
                        "nobody@example.org",
                        "--path",
                        "lego",
                        "--eab",
                        "--kid",
                        secret.id(),
                        "--hmac",
                        AcmeCaller.encode(new byte[32]),
                        "--http",
                        "--domains",
                        "wrong-secret-1.gw.example.test",
                        "run")
                .in(folder)
                .with("LEGO_CA_CERTIFICATES", gateways.server.rootPem().toString())
                .run()
                .failed();
        assertThat(result.text() + result.errors()).contains("unauthorized");
        assertThat(states(TestServer.device("wrong-secret-1"))).isEmpty();
    }
}
