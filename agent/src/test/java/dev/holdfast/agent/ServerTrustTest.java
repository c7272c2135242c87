package dev.holdfast.agent;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.math.BigInteger;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PublicKey;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Date;
import java.util.List;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.cert.X509v3CertificateBuilder;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509ExtensionUtils;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.junit.jupiter.api.Test;

/// Whom an agent trusts while its server's root is replaced: the listener sends the old root's certificate for
/// the new one, and devices know the old root, the new one, or both.
@SuppressWarnings("TimeInStaticInitializer") // one moment for the whole class
class ServerTrustTest {
    private static final Instant NOW = Instant.now();
    private static final String ROOT = "CN=Holdfast root";
    private final KeyPair oldKey = pair();
    private final KeyPair newKey = pair();
    private final KeyPair issuerKey = pair();
    private final X509Certificate oldRoot = authority(ROOT, oldKey.getPublic(), ROOT, oldKey, 1);
    private final X509Certificate newRoot = authority(ROOT, newKey.getPublic(), ROOT, newKey, 1);
    private final X509Certificate newWithOld = authority(ROOT, newKey.getPublic(), ROOT, oldKey, 1);
    private final X509Certificate issuer = authority("CN=Servers", issuerKey.getPublic(), ROOT, newKey, 0);
    private final X509Certificate[] chain = {leaf(), issuer, newWithOld};

    private static KeyPair pair() {
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
            generator.initialize(new ECGenParameterSpec("secp256r1"));
            return generator.generateKeyPair();
        } catch (java.security.GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    private static X509v3CertificateBuilder builder(String subject, PublicKey key, String issuer, KeyPair by)
            throws Exception {
        X509v3CertificateBuilder builder = new X509v3CertificateBuilder(
                new X500Name(issuer),
                BigInteger.valueOf(System.nanoTime()),
                Date.from(NOW.minus(Duration.ofHours(1))),
                Date.from(NOW.plus(Duration.ofDays(30))),
                new X500Name(subject),
                SubjectPublicKeyInfo.getInstance(key.getEncoded()));
        builder.addExtension(
                Extension.authorityKeyIdentifier,
                false,
                new JcaX509ExtensionUtils().createAuthorityKeyIdentifier(by.getPublic()));
        builder.addExtension(
                Extension.subjectKeyIdentifier, false, new JcaX509ExtensionUtils().createSubjectKeyIdentifier(key));
        return builder;
    }

    private static X509Certificate signed(X509v3CertificateBuilder builder, KeyPair by) throws Exception {
        return new JcaX509CertificateConverter()
                .getCertificate(builder.build(new JcaContentSignerBuilder("SHA256withECDSA").build(by.getPrivate())));
    }

    private static X509Certificate authority(String subject, PublicKey key, String issuer, KeyPair by, int below) {
        try {
            X509v3CertificateBuilder builder = builder(subject, key, issuer, by);
            builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(below));
            builder.addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.keyCertSign | KeyUsage.cRLSign));
            return signed(builder, by);
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    private X509Certificate leaf() {
        try {
            X509v3CertificateBuilder builder = builder("CN=localhost", pair().getPublic(), "CN=Servers", issuerKey);
            builder.addExtension(
                    Extension.subjectAlternativeName,
                    false,
                    new GeneralNames(new GeneralName(GeneralName.dNSName, "localhost")));
            builder.addExtension(
                    Extension.extendedKeyUsage, false, new ExtendedKeyUsage(KeyPurposeId.id_kp_serverAuth));
            return signed(builder, issuerKey);
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    private void check(List<X509Certificate> anchors) throws Exception {
        SSLEngine engine = SSLContext.getDefault().createSSLEngine("localhost", 443);
        new ServerTrust(anchors, InstantSource.fixed(NOW)).checkServerTrusted(chain, "ECDHE_ECDSA", engine);
    }

    @Test
    void whoeverKnowsTheOldRootTheNewOneOrBothFindsItsWay() {
        assertThatCode(() -> check(List.of(oldRoot))).doesNotThrowAnyException();
        assertThatCode(() -> check(List.of(newRoot))).doesNotThrowAnyException();
        assertThatCode(() -> check(List.of(oldRoot, newRoot))).doesNotThrowAnyException();
    }

    @Test
    void aRootOfTheSameNameThatSignedNothingIsNotEnough() {
        KeyPair other = pair();
        X509Certificate stranger = authority(ROOT, other.getPublic(), ROOT, other, 1);
        assertThatThrownBy(() -> check(List.of(stranger))).isInstanceOf(CertificateException.class);
        assertThatThrownBy(() -> check(List.of())).isInstanceOf(CertificateException.class);
    }
}
