package dev.holdfast.est;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.TestServer;
import dev.holdfast.ca.CertificateState;
import dev.holdfast.ca.IssuedCertificate;
import dev.holdfast.ca.RevocationReason;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Serial;
import dev.holdfast.est.EstCaller.Caller;
import dev.holdfast.est.EstCaller.Maker;
import dev.holdfast.identity.Admission;
import dev.holdfast.identity.EnrolmentTokens;
import dev.holdfast.identity.Manufacturers;
import dev.holdfast.protocol.x509.CertificationRequest;
import dev.holdfast.protocol.x509.Crypto;
import dev.holdfast.sessions.CutReason;
import dev.holdfast.tls.HandshakeFailure;
import java.io.IOException;
import java.math.BigInteger;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.cert.X509Certificate;
import java.security.spec.RSAKeyGenParameterSpec;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.ExtensionsGenerator;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.pkcs.PKCS10CertificationRequestBuilder;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// What EST refuses, and what it grants beside it, over real TLS.
class EnrolmentRefusalsTest {
    private static TestServer server;

    @BeforeAll
    static void start() {
        server = TestServer.start();
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private static KeyPair key() {
        return Crypto.generateP256(EstCaller.RANDOM);
    }

    private static byte[] request(String name, KeyPair key) {
        return CertificationRequest.create(name, key);
    }

    private static byte[] request(String name, KeyPair key, String scheme, ExtensionsGenerator extensions)
            throws Exception {
        PKCS10CertificationRequestBuilder builder = new PKCS10CertificationRequestBuilder(
                new X500Name("CN=" + name),
                SubjectPublicKeyInfo.getInstance(key.getPublic().getEncoded()));
        if (!extensions.isEmpty()) {
            builder.addAttribute(PKCSObjectIdentifiers.pkcs_9_at_extensionRequest, extensions.generate());
        }
        return builder.build(new JcaContentSignerBuilder(scheme).build(key.getPrivate()))
                .getEncoded();
    }

    private static void assertRefused(HttpResponse<String> answer, int status, String reason) {
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(status);
        assertThat(answer.body()).contains("problems/" + reason + "\"");
        assertThat(answer.headers().firstValue("content-type")).contains("application/problem+json");
    }

    private static Caller enrolled(String id) throws Exception {
        DeviceRef device = server.register(id);
        KeyPair key = key();
        X509Certificate certificate =
                EstCaller.certificate(EstCaller.enrol(server, request(id, key), server.credential(device)));
        return new Caller(key.getPrivate(), List.of(certificate));
    }

    private static Admission admit(Caller caller, Instant now) {
        return server.server().identity().admit(caller.chain().getFirst(), now);
    }

    private static Serial serial(Caller caller) {
        return Serial.of(caller.chain().getFirst().getSerialNumber());
    }

    @Test
    void refusesARequestThatItsOwnKeyDidNotSign() throws Exception {
        DeviceRef device = server.register("sig-1");
        byte[] request = request("sig-1", key());
        request[request.length - 5] ^= 1;
        assertRefused(EstCaller.enrol(server, request, server.credential(device)), 400, "request-signature-wrong");
    }

    @Test
    void refusesARequestForACa() throws Exception {
        DeviceRef device = server.register("ca-1");
        ExtensionsGenerator extensions = new ExtensionsGenerator();
        extensions.addExtension(Extension.basicConstraints, true, new BasicConstraints(true));
        byte[] request = request("ca-1", key(), "SHA256withECDSA", extensions);
        assertRefused(EstCaller.enrol(server, request, server.credential(device)), 400, "request-wants-a-ca");
    }

    @Test
    void refusesAWeakKeyAWeakSignatureAndAnotherCurve() throws Exception {
        DeviceRef device = server.register("weak-1");
        String credential = server.credential(device);
        KeyPairGenerator rsa = KeyPairGenerator.getInstance("RSA");
        rsa.initialize(1024);
        KeyPair small = rsa.generateKeyPair();
        ExtensionsGenerator none = new ExtensionsGenerator();
        assertRefused(
                EstCaller.enrol(server, request("weak-1", small, "SHA256withRSA", none), credential), 400, "key-weak");
        rsa.initialize(new RSAKeyGenParameterSpec(2048, BigInteger.valueOf(3)));
        KeyPair three = rsa.generateKeyPair();
        assertRefused(
                EstCaller.enrol(server, request("weak-1", three, "SHA256withRSA", none), credential), 400, "key-weak");
        assertRefused(
                EstCaller.enrol(server, request("weak-1", key(), "SHA1withECDSA", none), credential),
                400,
                "signature-scheme-not-accepted");
        KeyPairGenerator ec = KeyPairGenerator.getInstance("EC");
        ec.initialize(521);
        assertRefused(
                EstCaller.enrol(server, request("weak-1", ec.generateKeyPair(), "SHA512withECDSA", none), credential),
                400,
                "key-not-accepted");
    }

    @Test
    void takesExtensionsFromTheProfileNeverFromTheRequest() throws Exception {
        DeviceRef device = server.register("ext-1");
        ExtensionsGenerator extensions = new ExtensionsGenerator();
        extensions.addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.keyCertSign | KeyUsage.cRLSign));
        X509Certificate certificate = EstCaller.certificate(EstCaller.enrol(
                server, request("ext-1", key(), "SHA256withECDSA", extensions), server.credential(device)));
        assertThat(certificate.getKeyUsage()[5]).isFalse();
        assertThat(certificate.getKeyUsage()[0]).isTrue();
        assertThat(certificate.getExtendedKeyUsage()).containsExactly("1.3.6.1.5.5.7.3.2");
        assertThat(certificate.getBasicConstraints()).isEqualTo(-1);
        assertThat(certificate.getSubjectAlternativeNames().iterator().next().get(1))
                .isEqualTo("urn:holdfast:device:development:ext-1");
    }

    @Test
    void refusesAKeyThatIsBoundToAnotherDevice() throws Exception {
        DeviceRef first = server.register("bound-1");
        DeviceRef second = server.register("bound-2");
        KeyPair key = key();
        EstCaller.certificate(EstCaller.enrol(server, request("bound-1", key), server.credential(first)));
        assertRefused(
                EstCaller.enrol(server, request("bound-2", key), server.credential(second)),
                403,
                "key-already-bound-to-another-device");
    }

    @Test
    void refusesAForeignSubjectOrOtherAlternativeNamesAtRenewal() throws Exception {
        Caller caller = enrolled("foreign-1");
        server.register("foreign-2");
        assertRefused(EstCaller.renew(server, request("foreign-2", key()), caller), 403, "subject-is-not-the-device");
        ExtensionsGenerator names = new ExtensionsGenerator();
        names.addExtension(
                Extension.subjectAlternativeName,
                false,
                new GeneralNames(new GeneralName(
                        GeneralName.uniformResourceIdentifier, "urn:holdfast:device:development:foreign-2")));
        assertRefused(
                EstCaller.renew(server, request("foreign-1", key(), "SHA256withECDSA", names), caller),
                403,
                "alternative-names-differ");
        assertThat(EstCaller.renew(server, request("foreign-1", key()), caller).statusCode())
                .isEqualTo(200);
    }

    @Test
    void aTokenGivesOneCertificateAndTheSameAgainOnlyForTheSameUnusedKey() throws Exception {
        DeviceRef device = server.register("token-1");
        String credential = server.credential(device);
        KeyPair key = key();
        X509Certificate first = EstCaller.certificate(EstCaller.enrol(server, request("token-1", key), credential));
        assertRefused(EstCaller.enrol(server, request("token-1", key()), credential), 401, "token-already-used");
        // The answer was lost: the same key gets the same certificate, not a second.
        assertThat(EstCaller.certificate(EstCaller.enrol(server, request("token-1", key), credential)))
                .isEqualTo(first);
        assertThat(server.server().identity().certificates(device)).hasSize(1);
        assertThat(server.server().identity().admit(first, Instant.now())).isInstanceOf(Admission.Admitted.class);
        TestServer.await(
                "in use",
                () -> server.server().identity().certificates(device).getFirst().state() == CertificateState.CURRENT);
        assertRefused(EstCaller.enrol(server, request("token-1", key), credential), 401, "token-already-used");
    }

    @Test
    void refusesAWrongAForeignAndAnExpiredToken() throws Exception {
        DeviceRef device = server.register("token-2");
        DeviceRef other = server.register("token-3");
        String foreign = server.credential(other);
        assertRefused(EstCaller.enrol(server, request("token-2", key()), "token-2:hfe_guess"), 401, "token-wrong");
        assertRefused(
                EstCaller.enrol(
                        server, request("token-2", key()), "token-2:" + foreign.substring(foreign.indexOf(':') + 1)),
                401,
                "token-wrong");
        var issued = (EnrolmentTokens.Issued.Token)
                server.server().identity().issueEnrolmentToken(device, Duration.ofSeconds(1), TestServer.TESTER);
        TestServer.await("it has expired", () -> Instant.now().isAfter(issued.expiresAt()));
        assertRefused(
                EstCaller.enrol(server, request("token-2", key()), "token-2:" + issued.secret()), 401, "token-expired");
        assertRefused(EstCaller.enrol(server, request("nobody", key()), "nobody:hfe_guess"), 401, "token-wrong");
    }

    @Test
    void enrolsByManufacturerCertificateWithRegisteredAnchorAndSerialOnly() throws Exception {
        DeviceRef device = server.register("made-1");
        Maker maker = Maker.named("CN=Meter Works device CA,O=Meter Works");
        KeyPair factoryKey = key();
        Caller factory =
                new Caller(factoryKey.getPrivate(), List.of(maker.device("CN=M7,SERIALNUMBER=SN-0001", factoryKey)));
        KeyPair stranger = key();
        Caller unregistered =
                new Caller(stranger.getPrivate(), List.of(maker.device("CN=M7,SERIALNUMBER=SN-9999", stranger)));
        byte[] body = Base64.getEncoder().encode(request("made-1", key()));

        assertThatThrownBy(() -> EstCaller.post(server, "simpleenroll", body, "", Optional.of(factory)))
                .as("an unknown manufacturer fails the handshake")
                .isInstanceOf(IOException.class);

        Manufacturers manufacturers = server.server().identity().manufacturers();
        var anchor = (Manufacturers.AnchorRegistered.Registered) manufacturers.registerAnchor(
                TestServer.ENVIRONMENT, "Meter Works", maker.certificate(), TestServer.TESTER);
        assertRefused(
                EstCaller.post(server, "simpleenroll", body, "", Optional.of(unregistered)),
                403,
                "manufacturer-serial-not-registered");
        assertThat(manufacturers.registerSerial(anchor.anchor().id(), "SN-0001", device, TestServer.TESTER))
                .isEqualTo(Manufacturers.SerialRegistered.REGISTERED);
        X509Certificate certificate =
                EstCaller.certificate(EstCaller.post(server, "simpleenroll", body, "", Optional.of(factory)));
        assertThat(certificate.getSubjectX500Principal().getName()).isEqualTo("CN=made-1");
        assertRefused(
                EstCaller.post(server, "simplereenroll", body, "", Optional.of(factory)),
                401,
                "client-certificate-needed");
    }

    @Test
    void refusesACertificateFromAnotherAuthorityInTheHandshakeAndSaysWhy() {
        Maker stranger = Maker.named("CN=Somebody else");
        KeyPair key = key();
        Caller caller = new Caller(key.getPrivate(), List.of(stranger.device("CN=foreign-1", key)));
        assertThatThrownBy(() -> EstCaller.renew(server, request("foreign-1", key()), caller))
                .isInstanceOf(IOException.class);
        TestServer.await(
                "the failure is recorded",
                () -> server.server().plane().failures().last(50).stream()
                        .anyMatch(f -> f.cause() == HandshakeFailure.Cause.ISSUER_UNKNOWN
                                && f.subject().equals("CN=foreign-1")
                                && f.remoteAddress().startsWith("127.0.0.1:")));
    }

    @Test
    void refusesACertificateThatOnlyClaimsOurIssuersName() {
        X509Certificate ours = server.server()
                .ca()
                .authorities()
                .devices(TestServer.ENVIRONMENT)
                .orElseThrow()
                .certificate();
        KeyPair forger = key();
        KeyPair key = key();
        X509Certificate forged = Maker.issue(
                X500Name.getInstance(ours.getSubjectX500Principal().getEncoded()),
                forger,
                new X500Name("CN=forged-1"),
                key,
                false,
                Duration.ofDays(1));
        assertThatThrownBy(() -> EstCaller.renew(
                        server, request("forged-1", key()), new Caller(key.getPrivate(), List.of(forged))))
                .isInstanceOf(IOException.class);
        TestServer.await(
                "the failure is recorded",
                () -> server.server().plane().failures().last(50).stream()
                        .anyMatch(f -> f.cause() == HandshakeFailure.Cause.SIGNATURE_WRONG
                                && f.subject().equals("CN=forged-1")));
    }

    @Test
    void refusesExpiredNotYetValidRevokedAndSupersededCertificates() throws Exception {
        Caller first = enrolled("old-1");
        assertThat(admit(first, Instant.now().plus(Duration.ofDays(91))))
                .isInstanceOfSatisfying(
                        Admission.Refused.class,
                        r -> assertThat(r.reason()).isEqualTo(Admission.Refusal.CERTIFICATE_EXPIRED));
        assertThat(admit(first, Instant.now().minus(Duration.ofDays(1))))
                .isInstanceOfSatisfying(
                        Admission.Refused.class,
                        r -> assertThat(r.reason()).isEqualTo(Admission.Refusal.CERTIFICATE_NOT_YET_VALID));

        KeyPair nextKey = key();
        Caller next = new Caller(
                nextKey.getPrivate(),
                List.of(EstCaller.certificate(EstCaller.renew(server, request("old-1", nextKey), first))));
        assertThat(admit(first, Instant.now())).as("until the new one is used").isInstanceOf(Admission.Admitted.class);
        assertThat(admit(next, Instant.now())).isInstanceOf(Admission.Admitted.class);
        TestServer.await(
                "superseded",
                () -> admit(first, Instant.now()) instanceof Admission.Refused refused
                        && refused.reason() == Admission.Refusal.CERTIFICATE_SUPERSEDED);
        assertRefused(EstCaller.renew(server, request("old-1", key()), first), 403, "certificate-superseded");

        server.server().identity().revoke(serial(next), RevocationReason.KEY_COMPROMISE, "lost", TestServer.TESTER);
        TestServer.await(
                "revoked",
                () -> admit(next, Instant.now()) instanceof Admission.Refused refused
                        && refused.reason() == Admission.Refusal.CERTIFICATE_REVOKED);
        assertRefused(EstCaller.renew(server, request("old-1", key()), next), 403, "certificate-revoked");
        assertRefused(
                EstCaller.enrol(server, request("old-1", nextKey), server.credential(TestServer.device("old-1"))),
                403,
                "key-of-a-revoked-certificate");
    }

    @Test
    void suspendingCutsTheSessionRefusesAndReinstatingAdmitsAgain() throws Exception {
        Caller caller = enrolled("susp-1");
        DeviceRef device = TestServer.device("susp-1");
        assertThat(admit(caller, Instant.now())).isInstanceOf(Admission.Admitted.class);
        TestServer.await(
                "active",
                () -> server.server().inventory().find(device).orElseThrow().state()
                        == dev.holdfast.inventory.Lifecycle.ACTIVE);
        List<CutReason> cuts = new CopyOnWriteArrayList<>();
        server.server()
                .sessions()
                .register(device, serial(caller), Instant.MAX, "mqtt", "127.0.0.1:1", Instant.now(), cuts::add);

        server.server().identity().suspend(device, "in doubt", Optional.empty(), TestServer.TESTER);
        TestServer.await("cut", () -> cuts.equals(List.of(CutReason.SUSPENDED)));
        assertThat(server.server().identity().stillAdmitted(device, serial(caller)))
                .isFalse();
        assertRefused(EstCaller.renew(server, request("susp-1", key()), caller), 403, "device-suspended");

        server.server().identity().reinstate(device, "it was nothing", TestServer.TESTER);
        TestServer.await("admitted", () -> server.server().identity().stillAdmitted(device, serial(caller)));
        server.server()
                .sessions()
                .register(device, serial(caller), Instant.MAX, "mqtt", "127.0.0.1:2", Instant.now(), cuts::add);
        server.server().identity().retire(device, "scrapped", TestServer.TESTER);
        TestServer.await("cut", () -> cuts.size() >= 2);
        assertThat(server.server().identity().certificates(device))
                .extracting(IssuedCertificate::state)
                .containsOnly(CertificateState.REVOKED);
    }

    @Test
    void aQuarantinedDeviceRenewsButDoesNotEnrolAnew() throws Exception {
        Caller caller = enrolled("quar-1");
        DeviceRef device = TestServer.device("quar-1");
        server.server().identity().quarantine(device, "misbehaves", Optional.empty(), TestServer.TESTER);
        HttpResponse<String> held = EstCaller.enrol(server, request("quar-1", key()), server.credential(device));
        assertThat(held.statusCode()).isEqualTo(202);
        assertThat(held.headers().firstValue("retry-after")).isPresent();
        assertThat(EstCaller.renew(server, request("quar-1", key()), caller).statusCode())
                .isEqualTo(200);
    }

    @Test
    void refusesBodiesThatAreTooLargeMalformedOrOfAnotherKind() throws Exception {
        DeviceRef device = server.register("body-1");
        String credential = server.credential(device);
        assertThat(EstCaller.post(server, "simpleenroll", new byte[200_000], credential, Optional.empty())
                        .statusCode())
                .isEqualTo(413);
        for (String body : List.of("", "%%%", "AAAA", "MIIB", "-----BEGIN X-----")) {
            HttpResponse<String> answer = EstCaller.post(
                    server, "simpleenroll", body.getBytes(StandardCharsets.UTF_8), credential, Optional.empty());
            assertRefused(answer, 400, "malformed-request");
        }
        byte[] whole = request("body-1", key());
        for (int cut = 1; cut < whole.length; cut += 37) {
            assertThat(EstCaller.enrol(server, java.util.Arrays.copyOf(whole, cut), credential)
                            .statusCode())
                    .isEqualTo(400);
        }
        assertThat(EstCaller.enrol(server, whole, credential).statusCode())
                .as("the token is still good")
                .isEqualTo(200);
    }

    @Test
    void readsWrappedAndUnwrappedBase64AndPem() throws Exception {
        for (int form = 0; form < 3; form++) {
            String id = "form-" + form;
            DeviceRef device = server.register(id);
            byte[] der = request(id, key());
            byte[] body = switch (form) {
                case 0 -> Base64.getEncoder().encode(der);
                case 1 -> Base64.getMimeEncoder().encode(der);
                default ->
                    dev.holdfast.protocol.x509.Pem.encode("CERTIFICATE REQUEST", der)
                            .getBytes(StandardCharsets.US_ASCII);
            };
            assertThat(EstCaller.post(server, "simpleenroll", body, server.credential(device), Optional.empty())
                            .statusCode())
                    .isEqualTo(200);
        }
    }

    @Test
    void afterACrashBetweenIntentAndSignatureTheSameSerialIsFinished() throws Exception {
        DeviceRef device = server.register("crash-1");
        String credential = server.credential(device);
        KeyPair key = key();
        Serial serial = Serial.of(EstCaller.certificate(EstCaller.enrol(server, request("crash-1", key), credential))
                .getSerialNumber());
        // What a power cut between the two transactions leaves.
        try (var database = dev.holdfast.database.Database.open(server.database(), 2)) {
            database.run(sql -> sql.execute(
                    "update certificate set state = 'intended', der = null, issued_at = null where serial = ?",
                    serial.hex()));
        }
        assertThat(server.server().identity().enrolment().finishInterrupted()).isEqualTo(1);
        assertThat(server.server().identity().certificates(device)).hasSize(1);
        assertThat(Serial.of(EstCaller.certificate(EstCaller.enrol(server, request("crash-1", key), credential))
                        .getSerialNumber()))
                .isEqualTo(serial);
        assertThat(server.server().identity().enrolment().finishInterrupted()).isZero();
    }
}
