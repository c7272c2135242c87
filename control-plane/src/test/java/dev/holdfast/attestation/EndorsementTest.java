package dev.holdfast.attestation;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.TestServer;
import dev.holdfast.core.Json;
import dev.holdfast.database.TestDatabase;
import dev.holdfast.profiles.ProfileText;
import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.testkit.FakeClock;
import dev.holdfast.testkit.SoftTpm;
import java.math.BigInteger;
import java.nio.file.Files;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PublicKey;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.Date;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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

/// Makers of TPMs, the time of a challenge, and more than one node.
@SuppressWarnings("TimeInStaticInitializer") // one moment for the whole class
class EndorsementTest {
    private static final FakeClock CLOCK = new FakeClock(Instant.now());
    private static final Maker HARDWARE = new Maker("Hardware");
    private static final Maker OURS = new Maker("Ours");
    private static final Maker STRANGER = new Maker("Stranger");
    private static TestServer server;
    private static Attestation attestation;

    @BeforeAll
    static void start() throws Exception {
        server = TestServer.start(
                Files.createTempDirectory("holdfast-endorsement"), TestDatabase.freshAddress(), Map.of(), CLOCK);
        EnrolledTpm.policy(server, TestServer.MODEL.value(), true, Optional.empty());
        attestation = server.server().attestation();
        server.server()
                .ca()
                .profiles()
                .put(
                        TestServer.ENVIRONMENT,
                        ProfileText.read(
                                "field",
                                Json.tree("{\"admittance\":{\"credentials\":[\"tpm\"],\"attestation\":\"tpm\"}}")),
                        "for the test",
                        TestServer.TESTER);
        trust(HARDWARE, false);
        trust(OURS, true);
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private static void trust(Maker maker, boolean firstUse) {
        assertThat(attestation
                        .endorsements()
                        .registerAnchor(
                                new Endorsements.Anchor(
                                        TestServer.ENVIRONMENT,
                                        Certificates.fingerprint(maker.certificate),
                                        "maker",
                                        maker.certificate,
                                        false,
                                        firstUse),
                                TestServer.TESTER))
                .isTrue();
    }

    /// A maker of TPMs.
    private static final class Maker {
        private final KeyPair pair;
        private final X500Name name;
        final X509Certificate certificate;

        Maker(String name) {
            try {
                KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
                generator.initialize(256);
                this.pair = generator.generateKeyPair();
                this.name = new X500Name("CN=" + name);
                this.certificate = issue(pair.getPublic(), true, "");
            } catch (java.security.GeneralSecurityException e) {
                throw new IllegalStateException(e);
            }
        }

        X509Certificate endorses(TpmDevice device, String model) {
            return issue(device.endorsement.pair().getPublic(), false, model);
        }

        private X509Certificate issue(PublicKey key, boolean authority, String model) {
            try {
                X509v3CertificateBuilder builder = new X509v3CertificateBuilder(
                        name,
                        BigInteger.valueOf(authority ? 1 : 2),
                        Date.from(CLOCK.instant().minus(Duration.ofDays(1))),
                        Date.from(CLOCK.instant().plus(Duration.ofDays(9))),
                        authority ? name : new X500Name("CN=endorsement"),
                        SubjectPublicKeyInfo.getInstance(key.getEncoded()));
                builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(authority));
                builder.addExtension(
                        Extension.keyUsage,
                        true,
                        new KeyUsage(authority ? KeyUsage.keyCertSign : KeyUsage.keyAgreement));
                if (!authority) {
                    X500Name tpm = new X500NameBuilder()
                            .addRDN(new ASN1ObjectIdentifier("2.23.133.2.1"), new DERUTF8String("id:49465800"))
                            .addRDN(new ASN1ObjectIdentifier("2.23.133.2.2"), new DERUTF8String(model))
                            .addRDN(new ASN1ObjectIdentifier("2.23.133.2.3"), new DERUTF8String("id:000D"))
                            .build();
                    builder.addExtension(
                            Extension.extendedKeyUsage,
                            false,
                            new ExtendedKeyUsage(KeyPurposeId.getInstance(new ASN1ObjectIdentifier("2.23.133.8.1"))));
                    builder.addExtension(
                            Extension.subjectAlternativeName,
                            true,
                            new GeneralNames(new GeneralName(GeneralName.directoryName, tpm)));
                }
                return Certificates.parse(
                        builder.build(new JcaContentSignerBuilder("SHA256withECDSA").build(pair.getPrivate()))
                                .getEncoded());
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        }
    }

    private static TpmDevice device(String id) {
        TpmDevice device = new TpmDevice(server.register(id));
        device.profile = "field";
        return device;
    }

    private static Map<String, Object> challenge(TpmDevice device, X509Certificate certificate) {
        Map<String, Object> challenge = device.challenge();
        challenge.put("ekCertificates", List.of(TpmDevice.base64(Certificates.der(certificate))));
        return challenge;
    }

    private static AttestCaller.Answer enrol(TpmDevice device, X509Certificate certificate) throws Exception {
        JsonNode asked = AttestCaller.post(server, "challenge", challenge(device, certificate), Optional.empty())
                .json();
        return AttestCaller.post(server, "activate", device.answer(asked), Optional.empty());
    }

    private static void register(TpmDevice device) {
        attestation
                .endorsements()
                .register(new Endorsements.Key(device.fingerprint(), device.ref, true, false), TestServer.TESTER);
    }

    @Test
    void aMakersWordThatItIsARealTpmIsEnoughForOne() throws Exception {
        TpmDevice device = device("maker-1");
        register(device);
        AttestCaller.Answer answer = enrol(device, HARDWARE.endorses(device, "SLB 9670"));
        assertThat(answer.status()).as(answer.text()).isEqualTo(200);
        assertThat(attestation.verdicts(device.ref, 1).getFirst().software()).isFalse();
    }

    @Test
    void aCertificateThatSaysSwtpmIsAProgramUnderWhateverMaker() throws Exception {
        TpmDevice device = device("maker-2");
        register(device);
        assertThat(enrol(device, HARDWARE.endorses(device, "swtpm")).text()).contains("software-tpm-not-allowed");
    }

    @Test
    void refusesATpmUnderATrustedMakerThatNobodyRegistered() throws Exception {
        TpmDevice device = device("maker-3");
        assertThat(enrol(device, HARDWARE.endorses(device, "SLB 9670")).text())
                .contains("endorsement-key-not-registered");
    }

    @Test
    void refusesACertificateOfAStrangersOrOfAnotherKey() throws Exception {
        TpmDevice device = device("maker-4");
        assertThat(enrol(device, STRANGER.endorses(device, "SLB 9670")).text())
                .contains("endorsement-certificate-not-trusted");
        assertThat(enrol(device, HARDWARE.endorses(device("maker-5"), "SLB 9670"))
                        .text())
                .contains("endorsement-certificate-not-trusted");
    }

    @Test
    void firstUseBindsADeviceThatHasNothingAndNoOther() throws Exception {
        TpmDevice device = device("maker-6");
        AttestCaller.Answer answer = enrol(device, OURS.endorses(device, "SLB 9670"));
        assertThat(answer.status()).as(answer.text()).isEqualTo(200);
        assertThat(attestation.endorsements().of(device.ref))
                .containsExactly(new Endorsements.Key(device.fingerprint(), device.ref, false, true));

        // Another TPM of ours can't claim it any more, nor this one another device.
        TpmDevice thief = new TpmDevice(device.ref);
        thief.profile = "field";
        assertThat(enrol(thief, OURS.endorses(thief, "SLB 9670")).text())
                .contains("endorsement-key-is-not-the-devices");
        TpmDevice other = device("maker-7");
        other.endorsement = device.endorsement;
        assertThat(enrol(other, OURS.endorses(other, "SLB 9670")).text())
                .contains("endorsement-key-bound-to-another-device");
    }

    @Test
    void firstUseDoesNotClaimADeviceThatHasACertificateAlready() throws Exception {
        TpmDevice device = device("maker-8");
        dev.holdfast.est.EstCaller.enrolled(
                server, device.ref, SoftTpm.ec(SoftTpm.DEVICE).pair(), server.credential(device.ref));
        assertThat(enrol(device, OURS.endorses(device, "SLB 9670")).text()).contains("endorsement-key-not-registered");
    }

    @Test
    void aMakerThatIsNotTrustedAnyMoreCountsNoMore() throws Exception {
        Maker late = new Maker("Late");
        trust(late, true);
        assertThat(attestation
                        .endorsements()
                        .withdrawAnchor(
                                TestServer.ENVIRONMENT,
                                Certificates.fingerprint(late.certificate),
                                "its key leaked",
                                TestServer.TESTER))
                .isTrue();
        TpmDevice device = device("maker-9");
        assertThat(enrol(device, late.endorses(device, "SLB 9670")).text())
                .contains("endorsement-certificate-not-trusted");
    }

    @Test
    void refusesAChallengeWhoseTimeIsOver() throws Exception {
        TpmDevice device = device("time-1");
        register(device);
        JsonNode asked = AttestCaller.post(
                        server, "challenge", challenge(device, HARDWARE.endorses(device, "SLB 9670")), Optional.empty())
                .json();
        CLOCK.advance(Duration.ofMinutes(5).plusSeconds(2));
        assertThat(AttestCaller.post(server, "activate", device.answer(asked), Optional.empty())
                        .text())
                .contains("nonce-stale");
    }

    @Test
    void aChallengeOfOneNodeIsAnsweredAtAnotherAndCountsOnce() throws Exception {
        TpmDevice device = device("node-1");
        register(device);
        try (TestServer second = server.secondNode(Map.of())) {
            JsonNode asked = AttestCaller.post(
                            server,
                            "challenge",
                            challenge(device, HARDWARE.endorses(device, "SLB 9670")),
                            Optional.empty())
                    .json();
            Map<String, Object> answer = device.answer(asked);
            AttestCaller.Answer there = AttestCaller.post(second, "activate", answer, Optional.empty());
            assertThat(there.status()).as(there.text()).isEqualTo(200);
            assertThat(AttestCaller.post(server, "activate", answer, Optional.empty())
                            .text())
                    .contains("nonce-stale");
        }
    }
}
