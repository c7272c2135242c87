package dev.holdfast.ca;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.TestServer;
import dev.holdfast.database.TestDatabase;
import dev.holdfast.mqtt.EnrolledDevice;
import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.testkit.RealClient;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.cert.X509Certificate;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Authorities over restarts, over nodes, and under a root made by `openssl`.
class AuthoritiesTest {
    private static final Map<String, String> NAMED = Map.of("HOLDFAST_PUBLIC_HOST_NAME", "localhost");

    @Test
    void keysAreReadableByTheirOwnerAloneAndTheSameAuthoritiesServeAfterARestart(@TempDir Path folder)
            throws Exception {
        var database = TestDatabase.freshAddress();
        String before;
        try (TestServer first = TestServer.start(folder.resolve("a"), database, Map.of(), InstantSource.system())) {
            before = Certificates.fingerprint(
                    first.server().ca().authorities().root().certificate());
            assertThat(first.server()
                            .ca()
                            .authorities()
                            .root()
                            .certificate()
                            .getSubjectX500Principal()
                            .getName())
                    .contains("OU=DEVELOPMENT");
            try (Stream<Path> files = Files.list(folder.resolve("a/data/ca"))) {
                for (Path file :
                        files.filter(f -> f.toString().endsWith(".key")).toList()) {
                    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                            .isEqualTo("rw-------");
                }
            }
            first.stop();
            try (TestServer again = TestServer.start(folder.resolve("a"), database, Map.of(), InstantSource.system())) {
                assertThat(Certificates.fingerprint(
                                again.server().ca().authorities().root().certificate()))
                        .isEqualTo(before);
            }
        }
    }

    @Test
    void aNodeWithoutTheKeysSaysWhichToCopyAndOneWithThemStarts(@TempDir Path folder) {
        try (TestServer first = TestServer.start()) {
            assertThatThrownBy(() ->
                            TestServer.start(folder.resolve("b"), first.database(), Map.of(), InstantSource.system()))
                    .cause()
                    .hasMessageContaining("server-1.key")
                    .hasMessageContaining("copy");
            try (TestServer second = first.secondNode(Map.of())) {
                assertThat(second.server().ca().authorities().root())
                        .isEqualTo(first.server().ca().authorities().root());
            }
        }
    }

    @Test
    void anIssuerUnderTheOperatorsOwnRootEndsTheDevelopmentMark(@TempDir Path folder) throws Exception {
        try (TestServer server = TestServer.start(NAMED)) {
            OwnRoot ownRoot = server.server().ca().ownRoot();
            OwnRoot.Request request = ownRoot.requestDevices(TestServer.ENVIRONMENT, TestServer.TESTER);
            Files.writeString(folder.resolve("request.pem"), request.pem());
            RealClient.of("bash", "-c", """
                            set -e
                            openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-384 -nodes -keyout root.key \
                              -out root.pem -days 3650 -subj '/O=City Utility/CN=City root' \
                              -addext keyUsage=critical,keyCertSign,cRLSign
                            openssl req -in request.pem -verify -noout
                            printf 'basicConstraints=critical,CA:TRUE,pathlen:0\\nkeyUsage=critical,keyCertSign,cRLSign\\nsubjectKeyIdentifier=hash\\nauthorityKeyIdentifier=keyid\\n' > ext
                            openssl x509 -req -in request.pem -CA root.pem -CAkey root.key -days 1800 -extfile ext -out issuer.pem
                            """).in(folder).run().succeeded();
            List<X509Certificate> chain = OwnRoot.chain(
                    Files.readString(folder.resolve("issuer.pem")) + Files.readString(folder.resolve("root.pem")));
            assertThat(ownRoot.install(request.id(), chain.reversed(), TestServer.TESTER))
                    .isEqualTo(OwnRoot.Installed.KEY_DIFFERS);
            assertThat(ownRoot.install("device-development-9", chain, TestServer.TESTER))
                    .isEqualTo(OwnRoot.Installed.NOT_REQUESTED);
            assertThat(ownRoot.install(request.id(), chain, TestServer.TESTER)).isEqualTo(OwnRoot.Installed.INSTALLED);

            Authority now = server.server()
                    .ca()
                    .authorities()
                    .devices(TestServer.ENVIRONMENT)
                    .orElseThrow();
            assertThat(now.id()).isEqualTo(request.id());
            assertThat(now.development()).isFalse();
            assertThat(now.certificate().getSubjectX500Principal().getName()).doesNotContain("DEVELOPMENT");
            assertThat(now.above()).hasSize(1);
            // The operator's program has its own way to name keys, and openssl compares what certificates say of them.
            X509Certificate device =
                    EnrolledDevice.of(server, "meter-1").chain().getFirst();
            Files.writeString(folder.resolve("device.pem"), Certificates.pem(device));
            RealClient.of("openssl", "verify", "-CAfile", "root.pem", "-untrusted", "issuer.pem", "device.pem")
                    .in(folder)
                    .run()
                    .succeeded();
        }
    }

    @Test
    void withoutAHostNameNoIssuerIsInstalled() {
        try (TestServer server = TestServer.start()) {
            assertThat(server.server().ca().ownRoot().install("x", List.of(), TestServer.TESTER))
                    .isEqualTo(OwnRoot.Installed.HOST_NAME_NOT_RECORDED);
        }
    }
}
