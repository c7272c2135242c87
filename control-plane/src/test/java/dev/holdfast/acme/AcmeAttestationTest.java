package dev.holdfast.acme;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.dataformat.cbor.databind.CBORMapper;
import dev.holdfast.TestServer;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Json;
import dev.holdfast.identity.Manufacturers;
import dev.holdfast.profiles.CertificateProfile;
import dev.holdfast.protocol.acme.ChallengeType;
import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.protocol.x509.CertificationRequest;
import dev.holdfast.protocol.x509.Crypto;
import dev.holdfast.testkit.SoftTpm;
import java.io.ByteArrayOutputStream;
import java.math.BigInteger;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.KeyPair;
import java.security.cert.X509Certificate;
import java.security.interfaces.ECPublicKey;
import java.time.Duration;
import java.time.Instant;
import java.util.Date;
import java.util.List;
import java.util.Map;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.DERUTF8String;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x500.X500NameBuilder;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.cert.X509v3CertificateBuilder;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// device-attest-01 by a client of our own, because none that is packaged speaks it: the manufacturer's key in
/// the device vouches for the key that is to be certified.
class AcmeAttestationTest {
    private static final String PROFILE = "attested";
    private static final CBORMapper CBOR = new CBORMapper();
    private static final KeyPair MAKER = AcmeOrdersTest.key();
    private static Gateways gateways;
    private static X509Certificate maker;
    private static String anchor;

    @BeforeAll
    static void start() throws Exception {
        gateways = new Gateways();
        gateways.server
                .server()
                .ca()
                .profiles()
                .put(
                        TestServer.ENVIRONMENT,
                        Gateways.profile(PROFILE, CertificateProfile.Attestation.MANUFACTURER),
                        "for tests",
                        TestServer.TESTER);
        maker = issue("CN=Maker", MAKER, "CN=Maker", MAKER, true);
        anchor = ((Manufacturers.AnchorRegistered.Registered) gateways.server
                        .server()
                        .identity()
                        .manufacturers()
                        .registerAnchor(TestServer.ENVIRONMENT, "Maker", maker, TestServer.TESTER))
                .anchor()
                .id();
    }

    @AfterAll
    static void stop() {
        gateways.close();
    }

    private static X509Certificate issue(String issuer, KeyPair signer, String subject, KeyPair key, boolean authority)
            throws Exception {
        X509v3CertificateBuilder builder = new X509v3CertificateBuilder(
                new X500Name(issuer),
                new BigInteger(100, AcmeCaller.RANDOM).setBit(90),
                Date.from(Instant.now().minus(Duration.ofHours(1))),
                Date.from(Instant.now().plus(Duration.ofDays(1))),
                new X500Name(subject),
                SubjectPublicKeyInfo.getInstance(key.getPublic().getEncoded()));
        builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(authority));
        return Certificates.parse(builder.build(new JcaContentSignerBuilder("SHA256withECDSA")
                        .setProvider(Crypto.provider())
                        .build(signer.getPrivate()))
                .getEncoded());
    }

    /// A device with a key of its manufacturer's, and an account for it.
    private record Made(AcmeCaller caller, KeyPair factory, X509Certificate initial, DeviceRef device) {}

    private static Made made(String id) throws Exception {
        DeviceRef device = gateways.server.register(id);
        KeyPair factory = AcmeOrdersTest.key();
        X509Certificate initial = issue("CN=Maker", MAKER, "SERIALNUMBER=SN-" + id, factory, false);
        gateways.server
                .server()
                .identity()
                .manufacturers()
                .registerSerial(anchor, "SN-" + id, device, TestServer.TESTER);
        return new Made(AcmeCaller.account(gateways.server, PROFILE, device), factory, initial, device);
    }

    /// Web Authentication section 6.1, with the key as a COSE_Key.
    private static byte[] authData(KeyPair key) throws Exception {
        ECPublicKey point = (ECPublicKey) key.getPublic();
        ByteArrayOutputStream cose = new ByteArrayOutputStream();
        cose.write(new byte[] {(byte) 0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21, 0x58, 32});
        cose.write(coordinate(point.getW().getAffineX()));
        cose.write(new byte[] {0x22, 0x58, 32});
        cose.write(coordinate(point.getW().getAffineY()));
        return ByteBuffer.allocate(55 + cose.size())
                .put(32, (byte) 0x41)
                .put(55, cose.toByteArray())
                .array();
    }

    private static byte[] coordinate(BigInteger number) {
        byte[] bytes = new byte[32];
        byte[] plain = number.toByteArray();
        int from = Math.max(0, plain.length - 32);
        System.arraycopy(plain, from, bytes, 32 - (plain.length - from), plain.length - from);
        return bytes;
    }

    private static byte[] statement(KeyPair signer, X509Certificate certificate, byte[] authData, String authorization)
            throws Exception {
        byte[] digest = ChallengeType.digest(authorization);
        byte[] signed = authData.length == 0
                ? authorization.getBytes(StandardCharsets.UTF_8)
                : ByteBuffer.allocate(authData.length + digest.length)
                        .put(authData)
                        .put(digest)
                        .array();
        return CBOR.writeValueAsBytes(Map.of(
                "fmt",
                "packed",
                "authData",
                authData,
                "attStmt",
                Map.of(
                        "alg",
                        -7,
                        "sig",
                        Crypto.sign(signer.getPrivate(), "SHA256withECDSA", signed),
                        "x5c",
                        List.of(certificate.getEncoded()))));
    }

    private static JsonNode challenge(AcmeCaller caller, JsonNode order) throws Exception {
        return caller.asked(order.path("authorizations").path(0).asText())
                .path("challenges")
                .path(0);
    }

    private static String authorization(AcmeCaller caller, JsonNode challenge) {
        return challenge.path("token").asText() + "." + AcmeCaller.thumbprint(caller.key);
    }

    @Test
    void theManufacturersKeyVouchesForTheNewOneAndForNoOther() throws Exception {
        Made made = made("attest-1");
        try (AcmeCaller caller = made.caller()) {
            HttpResponse<String> created = caller.order("permanent-identifier:attest-1");
            JsonNode order = Json.tree(created.body());
            assertThat(order.path("status").asText()).isEqualTo("pending");
            JsonNode challenge = challenge(caller, order);
            assertThat(challenge.path("type").asText()).isEqualTo("device-attest-01");
            KeyPair fresh = AcmeOrdersTest.key();
            byte[] object =
                    statement(made.factory(), made.initial(), authData(fresh), authorization(caller, challenge));
            HttpResponse<String> answered =
                    caller.post(challenge.path("url").asText(), Map.of("attObj", AcmeCaller.encode(object)));
            assertThat(Json.tree(answered.body()).path("status").asText())
                    .as(answered.body())
                    .isEqualTo("valid");

            HttpResponse<String> other =
                    caller.finish(order, CertificationRequest.create("attest-1", AcmeOrdersTest.key()));
            assertThat(other.statusCode()).isEqualTo(400);
            assertThat(other.body()).contains("badCSR").contains("another key");
            JsonNode valid = Json.tree(caller.finish(order, CertificationRequest.create("attest-1", fresh))
                    .body());
            assertThat(valid.path("status").asText()).isEqualTo("valid");
        }
    }

    @Test
    void withoutAuthenticatorDataTheAttestedKeyIsTheCertificatesOwn() throws Exception {
        Made made = made("attest-2");
        try (AcmeCaller caller = made.caller()) {
            JsonNode order =
                    Json.tree(caller.order("permanent-identifier:attest-2").body());
            JsonNode challenge = challenge(caller, order);
            byte[] object = statement(made.factory(), made.initial(), new byte[0], authorization(caller, challenge));
            caller.post(challenge.path("url").asText(), Map.of("attObj", AcmeCaller.encode(object)));
            JsonNode valid = Json.tree(caller.finish(order, CertificationRequest.create("attest-2", made.factory()))
                    .body());
            assertThat(valid.path("status").asText()).as(valid.toString()).isEqualTo("valid");
        }
    }

    /// An attestation key's certificate as TPM 2.0 keys attestation has it, under our manufacturer.
    private static X509Certificate attestationKey(KeyPair key, String product) throws Exception {
        X500Name tpm = new X500NameBuilder()
                .addRDN(new ASN1ObjectIdentifier("2.23.133.2.1"), new DERUTF8String("id:49465800"))
                .addRDN(new ASN1ObjectIdentifier("2.23.133.2.2"), new DERUTF8String("SLB 9670"))
                .addRDN(new ASN1ObjectIdentifier("2.23.133.2.3"), new DERUTF8String("id:000D"))
                .build();
        X509v3CertificateBuilder builder = new X509v3CertificateBuilder(
                new X500Name("CN=Maker"),
                new BigInteger(100, AcmeCaller.RANDOM).setBit(90),
                Date.from(Instant.now().minus(Duration.ofHours(1))),
                Date.from(Instant.now().plus(Duration.ofDays(1))),
                new X500Name("SERIALNUMBER=" + product),
                SubjectPublicKeyInfo.getInstance(key.getPublic().getEncoded()));
        builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(false));
        builder.addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.digitalSignature));
        builder.addExtension(
                Extension.extendedKeyUsage,
                false,
                new ExtendedKeyUsage(KeyPurposeId.getInstance(new ASN1ObjectIdentifier("2.23.133.8.3"))));
        builder.addExtension(
                Extension.subjectAlternativeName,
                true,
                new GeneralNames(new GeneralName(GeneralName.directoryName, tpm)));
        return Certificates.parse(builder.build(new JcaContentSignerBuilder("SHA256withECDSA")
                        .setProvider(Crypto.provider())
                        .build(MAKER.getPrivate()))
                .getEncoded());
    }

    @Test
    void aTpmSaysThatTheKeyIsInItForThisChallengeAndThisDevice() throws Exception {
        Made made = made("attest-5");
        Made other = made("attest-6");
        SoftTpm.TpmKey attesting = SoftTpm.ec(SoftTpm.AK);
        SoftTpm.TpmKey fresh = SoftTpm.ec(SoftTpm.DEVICE);
        try (AcmeCaller caller = made.caller();
                AcmeCaller second = other.caller()) {
            JsonNode order =
                    Json.tree(caller.order("permanent-identifier:attest-5").body());
            JsonNode challenge = challenge(caller, order);
            byte[] object = tpm(attesting, fresh, "SN-attest-5", authorization(caller, challenge));
            HttpResponse<String> answered =
                    caller.post(challenge.path("url").asText(), Map.of("attObj", AcmeCaller.encode(object)));
            assertThat(Json.tree(answered.body()).path("status").asText())
                    .as(answered.body())
                    .isEqualTo("valid");
            JsonNode valid = Json.tree(caller.finish(order, CertificationRequest.create("attest-5", fresh.pair()))
                    .body());
            assertThat(valid.path("status").asText()).isEqualTo("valid");

            JsonNode foreign =
                    Json.tree(second.order("permanent-identifier:attest-6").body());
            assertRefused(
                    second,
                    foreign,
                    tpm(attesting, fresh, "SN-attest-5", authorization(second, challenge(second, foreign))));
            foreign = Json.tree(second.order("permanent-identifier:attest-6").body());
            assertRefused(second, foreign, tpm(attesting, fresh, "SN-attest-6", "another.challenge"));
        }
    }

    private static byte[] tpm(SoftTpm.TpmKey attesting, SoftTpm.TpmKey key, String product, String authorization)
            throws Exception {
        byte[] certInfo = SoftTpm.certify(attesting, key, ChallengeType.digest(authorization), SoftTpm.Life.FIRST);
        return CBOR.writeValueAsBytes(Map.of(
                "fmt",
                "tpm",
                "attStmt",
                Map.of(
                        "ver",
                        "2.0",
                        "alg",
                        -7,
                        "sig",
                        SoftTpm.sign(attesting, certInfo),
                        "certInfo",
                        certInfo,
                        "pubArea",
                        key.area(),
                        "x5c",
                        List.of(attestationKey(attesting.pair(), product).getEncoded()))));
    }

    private static void assertRefused(AcmeCaller caller, JsonNode order, byte[] object) throws Exception {
        JsonNode challenge = challenge(caller, order);
        HttpResponse<String> answered =
                caller.post(challenge.path("url").asText(), Map.of("attObj", AcmeCaller.encode(object)));
        JsonNode settled = Json.tree(answered.body());
        assertThat(settled.path("status").asText()).as(answered.body()).isEqualTo("invalid");
        assertThat(settled.path("error").path("type").asText()).endsWith(":badAttestationStatement");
    }

    @Test
    void refusesEvidenceOfAnotherDeviceMakerChallengeOrFormat() throws Exception {
        Made made = made("attest-3");
        Made other = made("attest-4");
        KeyPair fresh = AcmeOrdersTest.key();
        KeyPair stranger = AcmeOrdersTest.key();
        try (AcmeCaller caller = made.caller();
                AcmeCaller second = other.caller()) {
            JsonNode order =
                    Json.tree(caller.order("permanent-identifier:attest-3").body());
            assertRefused(
                    caller,
                    order,
                    statement(
                            other.factory(),
                            other.initial(),
                            authData(fresh),
                            authorization(caller, challenge(caller, order))));

            order = Json.tree(caller.order("permanent-identifier:attest-3").body());
            X509Certificate forged = issue("CN=Maker", stranger, "SERIALNUMBER=SN-attest-3", stranger, false);
            assertRefused(
                    caller,
                    order,
                    statement(stranger, forged, authData(fresh), authorization(caller, challenge(caller, order))));

            order = Json.tree(caller.order("permanent-identifier:attest-3").body());
            JsonNode earlier =
                    Json.tree(caller.order("permanent-identifier:attest-3").body());
            assertRefused(
                    caller,
                    order,
                    statement(
                            made.factory(),
                            made.initial(),
                            authData(fresh),
                            authorization(caller, challenge(caller, earlier))));

            order = Json.tree(caller.order("permanent-identifier:attest-3").body());
            byte[] unknown = CBOR.writeValueAsBytes(Map.of(
                    "fmt",
                    "android-safetynet",
                    "attStmt",
                    Map.of("sig", new byte[2], "x5c", List.of(made.initial().getEncoded()))));
            assertRefused(caller, order, unknown);

            order = Json.tree(caller.order("permanent-identifier:attest-3").body());
            assertRefused(caller, order, new byte[] {1, 2, 3});
            assertThat(second.order("permanent-identifier:attest-3").statusCode())
                    .isEqualTo(400);
        }
    }
}
