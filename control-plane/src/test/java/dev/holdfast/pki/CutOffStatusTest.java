package dev.holdfast.pki;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.TestServer;
import dev.holdfast.database.Database;
import dev.holdfast.database.TestDatabase;
import dev.holdfast.mqtt.EnrolledDevice;
import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.testkit.FaultyLink;
import dev.holdfast.testkit.RealClient;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A node that can't know of revocations vouches for nothing; asked by openssl.
class CutOffStatusTest {
    private static FaultyLink link;
    private static TestServer server;

    @TempDir
    Path folder;

    @BeforeAll
    static void start() throws IOException {
        Database.Address direct = TestDatabase.freshAddress();
        link = TestDatabase.link(direct);
        server = TestServer.start(
                Files.createTempDirectory("holdfast-test-server"),
                TestDatabase.through(link, direct),
                Map.of("HOLDFAST_LIMITS_DATABASE_SILENCE", "PT2S"),
                InstantSource.system());
    }

    @AfterAll
    static void stop() {
        link.heal();
        server.close();
        link.close();
    }

    private String status(TestServer asked, EnrolledDevice device, String... more) throws IOException {
        Path issuer = Files.writeString(
                folder.resolve("issuer.pem"), Certificates.pem(device.chain().get(1)));
        return RealClient.of(
                        "sh",
                        "-c",
                        "openssl ocsp -issuer \"$1\" -cert \"$2\" -url \"$3\" -CAfile \"$4\" $5 2>&1",
                        "sh",
                        issuer.toString(),
                        device.certificateFile().toString(),
                        "http://localhost:" + asked.server().pkiPort() + "/ocsp",
                        asked.rootPem().toString(),
                        more.length == 0 ? "" : more[0])
                .run()
                .text();
    }

    private static int list(TestServer asked) {
        return Integer.parseInt(RealClient.of(
                        "curl",
                        "-s",
                        "-o",
                        "/dev/null",
                        "-w",
                        "%{http_code}",
                        "http://localhost:" + asked.server().pkiPort() + "/crl/device-" + TestServer.ENVIRONMENT
                                + "-1.1.crl")
                .run()
                .text());
    }

    @Test
    void aNodeThatHasNotHeardTheDatabaseSaysTryLaterAndNotGood() throws Exception {
        EnrolledDevice device = EnrolledDevice.of(server, "asked-cut-off");
        assertThat(status(server, device)).contains(": good");
        assertThat(status(server, device, "-no_nonce")).contains(": good");
        link.cut();
        try {
            TestServer.await(
                    "it knows that it can't know",
                    () -> server.server().identity().blind());
            assertThat(status(server, device)).contains("trylater").doesNotContain(": good");
            assertThat(status(server, device, "-no_nonce"))
                    .as("signed before, too")
                    .contains("trylater")
                    .doesNotContain(": good");
        } finally {
            link.heal();
        }
        TestServer.await("it hears again", () -> !server.server().identity().blind());
        assertThat(status(server, device)).contains(": good");
    }

    @Test
    void untilARestoreIsSettledNothingIsVouchedForAndNoListIsGiven() throws Exception {
        try (TestServer restored = TestServer.start()) {
            EnrolledDevice device = EnrolledDevice.of(restored, "asked-frozen");
            assertThat(status(restored, device)).contains(": good");
            assertThat(list(restored)).isEqualTo(200);
            restored.server().freeze().freeze("restored from a backup", 1, TestServer.TESTER);
            assertThat(status(restored, device)).contains("trylater").doesNotContain(": good");
            assertThat(list(restored)).isEqualTo(503);
        }
    }
}
