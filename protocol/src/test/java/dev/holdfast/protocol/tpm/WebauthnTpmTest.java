package dev.holdfast.protocol.tpm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.testkit.SoftTpm;
import dev.holdfast.testkit.SoftTpm.Life;
import dev.holdfast.testkit.SoftTpm.TpmKey;
import java.math.BigInteger;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.Date;
import java.util.List;
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
import org.junit.jupiter.api.Test;

/// The statement that a platform authenticator or an ACME client makes with a certified attestation key.
class WebauthnTpmTest {
    private static final Instant NOW = Instant.parse("2026-12-01T00:00:00Z");
    private static final byte[] CHALLENGE = SoftTpm.sha256(new byte[] {7});
    private static final KeyPair MAKER = pair();
    private static final X509Certificate ROOT = certificate(MAKER, MAKER, true, "2.23.133.8.3");
    private static final TpmKey AK = SoftTpm.ec(SoftTpm.AK);
    private static final TpmKey KEY = SoftTpm.ec(SoftTpm.DEVICE);

    private static KeyPair pair() {
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
            generator.initialize(256);
            return generator.generateKeyPair();
        } catch (java.security.GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    private static X509Certificate certificate(KeyPair key, KeyPair signer, boolean authority, String purpose) {
        try {
            X500Name tpm = new X500NameBuilder()
                    .addRDN(new ASN1ObjectIdentifier("2.23.133.2.1"), new DERUTF8String("id:49465800"))
                    .addRDN(new ASN1ObjectIdentifier("2.23.133.2.2"), new DERUTF8String("SLB 9670"))
                    .addRDN(new ASN1ObjectIdentifier("2.23.133.2.3"), new DERUTF8String("id:000D"))
                    .build();
            X509v3CertificateBuilder builder = new X509v3CertificateBuilder(
                    new X500Name("CN=Maker"),
                    BigInteger.valueOf(authority ? 1 : 2),
                    Date.from(NOW.minus(Duration.ofDays(1))),
                    Date.from(NOW.plus(Duration.ofDays(1))),
                    new X500Name(authority ? "CN=Maker" : ""),
                    SubjectPublicKeyInfo.getInstance(key.getPublic().getEncoded()));
            builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(authority));
            builder.addExtension(
                    Extension.keyUsage,
                    true,
                    new KeyUsage(authority ? KeyUsage.keyCertSign : KeyUsage.digitalSignature));
            if (!authority) {
                builder.addExtension(
                        Extension.extendedKeyUsage,
                        false,
                        new ExtendedKeyUsage(KeyPurposeId.getInstance(new ASN1ObjectIdentifier(purpose))));
                builder.addExtension(
                        Extension.subjectAlternativeName,
                        true,
                        new GeneralNames(new GeneralName(GeneralName.directoryName, tpm)));
            }
            return Certificates.parse(
                    builder.build(new JcaContentSignerBuilder("SHA256withECDSA").build(signer.getPrivate()))
                            .getEncoded());
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    private static WebauthnTpm verify(TpmKey key, byte[] certInfo, String purpose) throws WebauthnTpm.NotBelieved {
        return WebauthnTpm.verify(
                key.area(),
                certInfo,
                SoftTpm.sign(AK, certInfo),
                List.of(certificate(AK.pair(), MAKER, false, purpose)),
                CHALLENGE,
                List.of(ROOT),
                NOW);
    }

    private static WebauthnTpm.Fault fault(TpmKey key, byte[] certInfo, String purpose) {
        return catchThrowableOfType(WebauthnTpm.NotBelieved.class, () -> verify(key, certInfo, purpose))
                .fault();
    }

    @Test
    void believesACertifiedAttestationKeyThatCertifiesTheKeyOverTheChallenge() throws Exception {
        WebauthnTpm believed = verify(KEY, SoftTpm.certify(AK, KEY, CHALLENGE, Life.FIRST), "2.23.133.8.3");
        assertThat(believed.key().key().getEncoded())
                .isEqualTo(KEY.pair().getPublic().getEncoded());
        assertThat(believed.attestationKey().manufacturer()).isEqualTo("id:49465800");
        assertThat(believed.attestationKey().isSoftware()).isFalse();
    }

    @Test
    void refusesEverythingElse() {
        byte[] good = SoftTpm.certify(AK, KEY, CHALLENGE, Life.FIRST);
        assertThat(fault(KEY, good, "2.23.133.8.1")).isEqualTo(WebauthnTpm.Fault.ATTESTATION_KEY_NOT_TRUSTED);
        assertThat(fault(SoftTpm.ec(SoftTpm.DEVICE), good, "2.23.133.8.3"))
                .isEqualTo(WebauthnTpm.Fault.ANOTHER_KEY_IS_CERTIFIED);
        assertThat(fault(KEY, SoftTpm.certify(AK, KEY, new byte[32], Life.FIRST), "2.23.133.8.3"))
                .isEqualTo(WebauthnTpm.Fault.CHALLENGE_DIFFERS);
        TpmKey movable = SoftTpm.ec(SoftTpm.SIGN | SoftTpm.USER_AUTH | SoftTpm.ORIGIN);
        assertThat(fault(movable, SoftTpm.certify(AK, movable, CHALLENGE, Life.FIRST), "2.23.133.8.3"))
                .isEqualTo(WebauthnTpm.Fault.KEY_NOT_BOUND_TO_THE_TPM);
        assertThat(fault(KEY, SoftTpm.quote(AK, List.of(0), new byte[32], CHALLENGE, Life.FIRST), "2.23.133.8.3"))
                .isEqualTo(WebauthnTpm.Fault.WRONG_TYPE);
        assertThat(fault(
                        KEY,
                        SoftTpm.attest(1, SoftTpm.CERTIFY, AK.name(), CHALLENGE, Life.FIRST, SoftTpm.named(KEY)),
                        "2.23.133.8.3"))
                .isEqualTo(WebauthnTpm.Fault.WRONG_MAGIC);
        byte[] other = good.clone();
        other[60] ^= 1;
        assertThat(catchThrowableOfType(
                                WebauthnTpm.NotBelieved.class,
                                () -> WebauthnTpm.verify(
                                        KEY.area(),
                                        other,
                                        SoftTpm.sign(AK, good),
                                        List.of(certificate(AK.pair(), MAKER, false, "2.23.133.8.3")),
                                        CHALLENGE,
                                        List.of(ROOT),
                                        NOW))
                        .fault())
                .isEqualTo(WebauthnTpm.Fault.SIGNATURE_WRONG);
    }
}
