package dev.holdfast.cmp;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.TestServer;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.protocol.x509.KeyKind;
import dev.holdfast.testkit.FromDebian;
import dev.holdfast.testkit.RealClient;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.util.Base64;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What OpenSSL 3.5 can and this system's can't: each question of RFC 9483 section 4.3, and ML-DSA-65.
class NewerOpensslTest {
    private static final String EXPECT = "/CN=Holdfast CMP";
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

    /// A device with its first certificate in `device.pem`, for a key in `device.key`.
    private OpensslCmp enrolled(DeviceRef device, String... kind) {
        OpensslCmp cmp = new OpensslCmp(server, folder, FromDebian.openssl());
        cmp.openssl(Stream.concat(
                                Stream.of(kind.length == 0 ? new String[] {"genpkey", "-algorithm", "ED25519"} : kind),
                                Stream.of("-out", "device.key"))
                        .toArray(String[]::new))
                .succeeded();
        cmp.run(
                        cmp.secret(device),
                        "-cmd",
                        "ir",
                        "-newkey",
                        "device.key",
                        "-subject",
                        "/CN=" + device.id(),
                        "-certout",
                        "device.pem")
                .succeeded();
        return cmp;
    }

    private static RealClient.Result ask(OpensslCmp cmp, String what, String... more) {
        return cmp.run(
                        OpensslCmp.signedWith("device"),
                        Stream.concat(
                                        Stream.of("-cmd", "genm", "-expect_sender", EXPECT, "-infotype", what),
                                        Stream.of(more))
                                .toArray(String[]::new))
                .succeeded();
    }

    @Test
    void everyQuestionOfTheLightweightProfileIsAnswered() throws Exception {
        OpensslCmp cmp = enrolled(server.register("newer-asks"));

        ask(cmp, "caCerts", "-cacertsout", "authorities.pem");
        assertThat(Files.readString(cmp.file("authorities.pem"))).contains("BEGIN CERTIFICATE");

        ask(cmp, "rootCaCert", "-newwithnew", "newest.pem");
        assertThat(Files.readString(cmp.file("newest.pem")).replaceAll("\\s", ""))
                .contains(Base64.getEncoder()
                        .encodeToString(server.server()
                                .ca()
                                .authorities()
                                .root()
                                .certificate()
                                .getEncoded()));
        assertThat(ask(cmp, "rootCaCert", "-oldwithold", "root.pem", "-newwithnew", "none.pem")
                        .toString())
                .contains("no root CA certificate update available");

        RealClient.Result template = ask(cmp, "certReqTemplate", "-template", "template.der", "-keyspec", "keys.der");
        assertThat(template.toString()).contains("ML-DSA-65", "RSA 3072");
        assertThat(cmp.file("template.der")).isNotEmptyFile();

        ask(cmp, "crlStatusList", "-crlcert", "device.pem", "-crlout", "list.der");
        assertThat(cmp.openssl("crl", "-inform", "DER", "-in", "list.der", "-noout", "-issuer")
                        .succeeded()
                        .text())
                .contains("Holdfast devices");
        assertThat(ask(cmp, "crlStatusList", "-oldcrl", "list.der", "-crlout", "newer.der")
                        .toString())
                .contains("no CRL update available");
    }

    @Test
    void aDeviceWithAnMlDsaKeyEnrolsAndRenews() {
        OpensslCmp cmp = enrolled(server.register("newer-mldsa"), "genpkey", "-algorithm", "ML-DSA-65");
        cmp.openssl("genpkey", "-algorithm", "ML-DSA-65", "-out", "next.key").succeeded();
        cmp.run(
                        OpensslCmp.signedWith("device"),
                        "-cmd",
                        "kur",
                        "-newkey",
                        "next.key",
                        "-expect_sender",
                        EXPECT,
                        "-certout",
                        "next.pem")
                .succeeded();
        X509Certificate next = cmp.certificate("next");
        assertThat(KeyKind.of(next.getPublicKey())).isEqualTo(KeyKind.ML_DSA_65);
        assertThat(next.getPublicKey()).isNotEqualTo(cmp.certificate("device").getPublicKey());
        assertThat(cmp.openssl("x509", "-in", "next.pem", "-noout", "-text")
                        .succeeded()
                        .text())
                .contains("ML-DSA-65", "CN=newer-mldsa");
    }
}
