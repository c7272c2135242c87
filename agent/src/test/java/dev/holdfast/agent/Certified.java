package dev.holdfast.agent;

import java.math.BigInteger;
import java.security.KeyPair;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.Date;
import java.util.concurrent.atomic.AtomicLong;
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
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;

/// Roots of one name, their certificates for each other, and servers and devices below them, for tests.
@SuppressWarnings("TimeInStaticInitializer") // one moment for the whole run
final class Certified {
    static final Instant NOW = Instant.now();
    private static final String ROOT = "CN=Holdfast root";
    private static final AtomicLong SERIALS = new AtomicLong(NOW.toEpochMilli());

    private Certified() {}

    /// @param age how long ago it was made
    record Root(KeyPair key, X509Certificate certificate, Duration age) {
        /// This root's key, certified by another.
        X509Certificate by(Root other) {
            return authority(key, other.key(), age);
        }

        DeviceIdentity server(String host) {
            KeyPair own = DeviceIdentity.freshKey(new SecureRandom());
            return new DeviceIdentity(
                    own.getPrivate(), java.util.List.of(leaf("CN=" + host, own, KeyPurposeId.id_kp_serverAuth)));
        }

        DeviceIdentity device(String id) {
            KeyPair own = DeviceIdentity.freshKey(new SecureRandom());
            return new DeviceIdentity(
                    own.getPrivate(), java.util.List.of(leaf("CN=" + id, own, KeyPurposeId.id_kp_clientAuth)));
        }

        private X509Certificate leaf(String subject, KeyPair own, KeyPurposeId purpose) {
            return sign(subject, own, key, Duration.ofHours(1), builder -> {
                builder.addExtension(
                        Extension.subjectAlternativeName,
                        false,
                        new GeneralNames(new GeneralName(GeneralName.dNSName, subject.substring(3))));
                builder.addExtension(Extension.extendedKeyUsage, false, new ExtendedKeyUsage(purpose));
            });
        }
    }

    static Root root(Duration age) {
        KeyPair key = DeviceIdentity.freshKey(new SecureRandom());
        return new Root(key, authority(key, key, age), age);
    }

    private static X509Certificate authority(KeyPair key, KeyPair by, Duration age) {
        return sign(ROOT, key, by, age, builder -> {
            builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(1));
            builder.addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.keyCertSign | KeyUsage.cRLSign));
        });
    }

    private interface Extensions {
        void addTo(X509v3CertificateBuilder builder) throws Exception;
    }

    private static X509Certificate sign(String subject, KeyPair key, KeyPair by, Duration age, Extensions extensions) {
        try {
            X509v3CertificateBuilder builder = new X509v3CertificateBuilder(
                    new X500Name(ROOT),
                    BigInteger.valueOf(SERIALS.incrementAndGet()),
                    Date.from(NOW.minus(age)),
                    Date.from(NOW.plus(Duration.ofDays(30))),
                    new X500Name(subject),
                    SubjectPublicKeyInfo.getInstance(key.getPublic().getEncoded()));
            extensions.addTo(builder);
            return DeviceIdentity.certificate(
                    builder.build(new JcaContentSignerBuilder("SHA256withECDSA").build(by.getPrivate()))
                            .getEncoded());
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }
}
