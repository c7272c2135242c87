package dev.holdfast.cmp;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.TestServer;
import dev.holdfast.ca.CertificateState;
import dev.holdfast.ca.IssuedCertificate;
import dev.holdfast.ca.RevocationReason;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Serial;
import dev.holdfast.identity.Manufacturers;
import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.testkit.RealClient;
import dev.holdfast.testkit.Recipe;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Every message that Debian's `openssl cmp` 3.0 can send, as a device would send it.
class CmpClientsTest {
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

    private static IssuedCertificate record(X509Certificate certificate) {
        return record(server, certificate);
    }

    private static IssuedCertificate record(TestServer server, X509Certificate certificate) {
        return server.server()
                .identity()
                .certificate(Serial.of(certificate.getSerialNumber()))
                .orElseThrow();
    }

    @Test
    void theRecipeEnrolsRenewsAsksAndRevokes() throws Exception {
        DeviceRef device = server.register("cmp-recipe");
        var secret = CmpCaller.secret(server, device);
        var result = Recipe.read(
                        Path.of(System.getProperty("holdfast.root", "..")).resolve("docs/recipes/enrol-with-cmp.md"))
                .run(
                        folder,
                        Map.of(
                                "HOLDFAST",
                                "localhost:" + server.server().devicePort(),
                                "PKI",
                                "http://localhost:" + server.server().pkiPort(),
                                "DEVICE",
                                "cmp-recipe",
                                "REFERENCE",
                                secret.id(),
                                "SECRET",
                                secret.secret()),
                        Duration.ofSeconds(90));
        assertThat(result.text()).contains("device.pem: OK").contains("id-it-caCerts");
        assertThat(server.server().identity().certificates(device))
                .filteredOn(c -> c.state() == CertificateState.REVOKED)
                .extracting(IssuedCertificate::reason)
                .containsExactly(Optional.of(RevocationReason.SUPERSEDED));
    }

    /// A device with its first certificate in `device.pem`.
    private OpensslCmp enrolled(DeviceRef device) {
        return enrolled(server, device);
    }

    private OpensslCmp enrolled(TestServer server, DeviceRef device) {
        OpensslCmp cmp = new OpensslCmp(server, folder).key("device");
        cmp.run(
                        cmp.secret(device),
                        "-cmd",
                        "ir",
                        "-newkey",
                        "device.key",
                        "-subject",
                        "/CN=" + device.id(),
                        "-certout",
                        "device.pem",
                        "-cacertsout",
                        "capubs.pem",
                        "-extracertsout",
                        "extra.pem")
                .succeeded();
        return cmp;
    }

    @Test
    void irWithASharedSecretGivesACertificateThatIsConfirmedAndTheRootWithIt() throws Exception {
        DeviceRef device = server.register("cmp-1");
        OpensslCmp cmp = enrolled(device);
        X509Certificate certificate = cmp.certificate("device");
        assertThat(Certificates.commonName(certificate)).contains("cmp-1");
        assertThat(record(certificate).state()).isEqualTo(CertificateState.PENDING);
        assertThat(record(certificate).grantedBy()).isEqualTo("shared-secret");
        assertThat(Certificates.parsePem(Files.readString(cmp.file("capubs.pem"))))
                .containsExactly(server.server().ca().authorities().root().certificate());
        cmp.openssl("verify", "-CAfile", "root.pem", "-untrusted", "extra.pem", "device.pem")
                .succeeded();
    }

    private RealClient.Result renew(OpensslCmp cmp, String... more) {
        cmp.key("next");
        String[] arguments = java.util.stream.Stream.concat(
                        java.util.stream.Stream.of(
                                "-cmd",
                                "kur",
                                "-newkey",
                                "next.key",
                                "-expect_sender",
                                "/CN=Holdfast CMP",
                                "-certout",
                                "next.pem"),
                        java.util.stream.Stream.of(more))
                .toArray(String[]::new);
        return cmp.run(OpensslCmp.signedWith("device"), arguments);
    }

    @Test
    void kurRenewsWithANewKeyAndImplicitConfirmation() {
        OpensslCmp cmp = enrolled(server.register("cmp-2"));
        renew(cmp, "-implicit_confirm").succeeded();
        X509Certificate next = cmp.certificate("next");
        assertThat(next.getPublicKey()).isNotEqualTo(cmp.certificate("device").getPublicKey());
        assertThat(Certificates.commonName(next)).contains("cmp-2");
        assertThat(record(next).grantedBy()).isEqualTo("renewal");
    }

    @Test
    void crAsksForAFurtherCertificateWithTheOneItHas() {
        OpensslCmp cmp = enrolled(server.register("cmp-3")).key("next");
        cmp.run(
                        OpensslCmp.signedWith("device"),
                        "-cmd",
                        "cr",
                        "-newkey",
                        "next.key",
                        "-subject",
                        "/CN=cmp-3",
                        "-certout",
                        "next.pem")
                .succeeded();
        assertThat(Certificates.commonName(cmp.certificate("next"))).contains("cmp-3");
    }

    @Test
    void p10crTakesAPkcs10Request() {
        DeviceRef device = server.register("cmp-4");
        OpensslCmp cmp = new OpensslCmp(server, folder).key("device");
        cmp.openssl("req", "-new", "-key", "device.key", "-subj", "/CN=cmp-4", "-out", "request.pem")
                .succeeded();
        cmp.run(cmp.secret(device), "-cmd", "p10cr", "-csr", "request.pem", "-certout", "device.pem")
                .succeeded();
        assertThat(Certificates.commonName(cmp.certificate("device"))).contains("cmp-4");
    }

    @Test
    void irByTheManufacturersCertificateOfARegisteredProduct() throws Exception {
        DeviceRef device = server.register("cmp-5");
        OpensslCmp cmp =
                new OpensslCmp(server, folder).key("works").key("idevid").key("device");
        cmp.openssl(
                        "req",
                        "-x509",
                        "-new",
                        "-key",
                        "works.key",
                        "-subj",
                        "/CN=Works",
                        "-days",
                        "30",
                        "-out",
                        "works.pem",
                        "-addext",
                        "keyUsage=critical,keyCertSign")
                .succeeded();
        cmp.openssl(
                        "req",
                        "-new",
                        "-key",
                        "idevid.key",
                        "-subj",
                        "/O=Works/serialNumber=product-5",
                        "-out",
                        "idevid.csr")
                .succeeded();
        Files.writeString(
                cmp.file("idevid.cnf"),
                "subjectKeyIdentifier=hash\nkeyUsage=critical,digitalSignature\nbasicConstraints=critical,CA:FALSE\n");
        cmp.openssl(
                        "x509",
                        "-req",
                        "-in",
                        "idevid.csr",
                        "-CA",
                        "works.pem",
                        "-CAkey",
                        "works.key",
                        "-CAcreateserial",
                        "-days",
                        "30",
                        "-extfile",
                        "idevid.cnf",
                        "-out",
                        "idevid.pem")
                .succeeded();
        var anchor = ((Manufacturers.AnchorRegistered.Registered) server.server()
                        .identity()
                        .manufacturers()
                        .registerAnchor(TestServer.ENVIRONMENT, "Works", cmp.certificate("works"), TestServer.TESTER))
                .anchor();
        String[] ir = {"-cmd", "ir", "-newkey", "device.key", "-subject", "/CN=cmp-5", "-certout", "device.pem"};
        assertThat(cmp.run(OpensslCmp.signedWith("idevid"), ir).failed().text()).contains("this product serial is not");

        server.server().identity().manufacturers().registerSerial(anchor.id(), "product-5", device, TestServer.TESTER);
        cmp.run(OpensslCmp.signedWith("idevid"), ir).succeeded();
        assertThat(record(cmp.certificate("device")).grantedBy()).isEqualTo("manufacturer");
    }

    @Test
    void whileARestoreIsNotSettledADeviceMayStillSayThatItsKeyIsStolenAndGetsNothing() {
        try (TestServer restored = TestServer.start()) {
            OpensslCmp cmp = enrolled(restored, restored.register("cmp-frozen"));
            restored.server().freeze().freeze("restored from a backup", 1, TestServer.TESTER);
            renew(cmp, "-total_timeout", "3").failed(); // it is told to wait
            cmp.run(OpensslCmp.signedWith("device"), "-cmd", "rr", "-oldcert", "device.pem", "-revreason", "1")
                    .succeeded();
            assertThat(record(restored, cmp.certificate("device")).state()).isEqualTo(CertificateState.REVOKED);
        }
    }

    @Test
    void rrRevokesACertificateOfTheDeviceItselfWithItsReason() {
        OpensslCmp cmp = enrolled(server.register("cmp-6"));
        renew(cmp).succeeded();
        cmp.run(OpensslCmp.signedWith("next"), "-cmd", "rr", "-oldcert", "device.pem", "-revreason", "1")
                .succeeded();
        IssuedCertificate revoked = record(cmp.certificate("device"));
        assertThat(revoked.state()).isEqualTo(CertificateState.REVOKED);
        assertThat(revoked.reason()).contains(RevocationReason.KEY_COMPROMISE);
        assertThat(cmp.run(OpensslCmp.signedWith("next"), "-cmd", "rr", "-oldcert", "device.pem")
                        .failed()
                        .text())
                .contains("revoked already");
    }

    @Test
    void rrForAnotherDevicesCertificateIsRefused() throws Exception {
        OpensslCmp other = enrolled(server.register("cmp-7"));
        Files.move(other.file("device.pem"), other.file("other.pem"));
        Files.delete(other.file("root.pem"));
        OpensslCmp cmp = enrolled(server.register("cmp-8"));
        assertThat(cmp.run(OpensslCmp.signedWith("device"), "-cmd", "rr", "-oldcert", "other.pem", "-revreason", "1")
                        .failed()
                        .text())
                .contains("no such certificate");
        assertThat(record(cmp.certificate("other")).state()).isEqualTo(CertificateState.PENDING);
    }

    @Test
    void genmTellsTheAuthorities() {
        DeviceRef device = server.register("cmp-9");
        OpensslCmp cmp = new OpensslCmp(server, folder);
        assertThat(cmp.run(cmp.secret(device), "-cmd", "genm", "-infotype", "caCerts")
                        .succeeded()
                        .text())
                .contains("id-it-caCerts");
        assertThat(cmp.run(cmp.secret(device), "-cmd", "genm", "-infotype", "signKeyPairTypes")
                        .failed()
                        .text())
                .contains("nothing is known here");
    }

    @Test
    void aRequestThatWaitsForAPersonIsPolledForUntilItIsDecided() throws Exception {
        DeviceRef device = server.register("cmp-10");
        server.server()
                .ca()
                .profiles()
                .put(
                        TestServer.ENVIRONMENT,
                        dev.holdfast.profiles.ProfileText.read(
                                "approved",
                                dev.holdfast.core.Json.mapper()
                                        .readTree("{\"admittance\":{\"credentials\":[\"shared-secret\"],"
                                                + "\"approval\":true}}")),
                        "for the test",
                        TestServer.TESTER);
        OpensslCmp cmp = new OpensslCmp(server, folder).key("device").at("/.well-known/cmp/p/approved");
        List<String> secret = cmp.secret(device);
        Thread person = Thread.ofVirtual().start(() -> {
            var held = server.server().identity().held();
            TestServer.await(
                    "the request waits",
                    () -> !held.list(TestServer.ENVIRONMENT, Optional.empty(), 10)
                            .isEmpty());
            held.decide(
                    TestServer.ENVIRONMENT,
                    held.list(TestServer.ENVIRONMENT, Optional.empty(), 10)
                            .getFirst()
                            .id(),
                    true,
                    "known to me",
                    TestServer.TESTER);
        });
        var result = cmp.run(
                        secret,
                        "-cmd",
                        "ir",
                        "-newkey",
                        "device.key",
                        "-subject",
                        "/CN=cmp-10",
                        "-certout",
                        "device.pem")
                .succeeded();
        person.join();
        assertThat(result.text()).contains("received 'waiting' PKIStatus");
        assertThat(record(cmp.certificate("device")).profile()).isEqualTo("approved");
    }
}
