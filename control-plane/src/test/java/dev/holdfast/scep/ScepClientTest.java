package dev.holdfast.scep;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.TestServer;
import dev.holdfast.ca.CertificateState;
import dev.holdfast.ca.IssuedCertificate;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.testkit.Recipe;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// SCEP by strongSwan's `pki`, by the recipe.
class ScepClientTest {
    private static TestServer server;

    @TempDir
    Path folder;

    @BeforeAll
    static void start() {
        server = TestServer.start(Map.of("HOLDFAST_SCEP_ENABLED", "true"));
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    @Test
    void theRecipeEnrolsAndRenews() throws Exception {
        DeviceRef device = server.register("old-1");
        String credential = server.credential(device);
        Recipe.read(Path.of(System.getProperty("holdfast.root", "..")).resolve("docs/recipes/old-device-with-scep.md"))
                .only("settings", "trust", "enrol", "renew")
                .run(
                        folder,
                        Map.of(
                                "PKI",
                                "http://localhost:" + server.server().pkiPort(),
                                "DEVICE",
                                "old-1",
                                "TOKEN",
                                credential.substring(credential.indexOf(':') + 1)),
                        Duration.ofSeconds(90));
        X509Certificate first = Certificates.parsePem(Files.readString(folder.resolve("device.pem")))
                .getFirst();
        X509Certificate second = Certificates.parsePem(Files.readString(folder.resolve("next.pem")))
                .getFirst();
        assertThat(Certificates.commonName(first)).contains("old-1");
        assertThat(second.getPublicKey()).isNotEqualTo(first.getPublicKey());
        assertThat(server.server().identity().certificates(device))
                .extracting(IssuedCertificate::state)
                .containsExactly(CertificateState.PENDING, CertificateState.PENDING);
    }
}
