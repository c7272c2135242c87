package dev.holdfast.ca;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.protocol.x509.Crypto;
import java.security.KeyPair;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.cert.X509v3CertificateBuilder;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.junit.jupiter.api.Test;

@SuppressWarnings("JavaUtilDate") // what the builder takes
class IssuedFingerprintsTest {
    private static final SecureRandom RANDOM = new SecureRandom();

    private static X509Certificate certificate(int serial, KeyPair key) throws Exception {
        X500Name name = new X500Name("CN=x");
        return Certificates.parse(new X509v3CertificateBuilder(
                        name,
                        java.math.BigInteger.valueOf(serial),
                        new java.util.Date(0),
                        new java.util.Date(1_000_000),
                        name,
                        SubjectPublicKeyInfo.getInstance(key.getPublic().getEncoded()))
                .build(new JcaContentSignerBuilder("SHA256withECDSA").build(key.getPrivate()))
                .getEncoded());
    }

    @Test
    void knowsTheVeryCertificatesAndNoOthersWithTheirSerials() throws Exception {
        IssuedFingerprints known = new IssuedFingerprints(RANDOM);
        KeyPair key = Crypto.generateP256(RANDOM);
        List<X509Certificate> issued = new ArrayList<>();
        for (int i = 1; i <= 3_000; i++) {
            byte[] noise = new byte[32];
            RANDOM.nextBytes(noise);
            known.add(noise);
            if (i % 100 == 0) {
                X509Certificate one = certificate(i, key);
                known.add(MessageDigest.getInstance("SHA-256").digest(Certificates.der(one)));
                issued.add(one);
            }
        }
        for (X509Certificate one : issued) {
            assertThat(known.contains(one)).isTrue();
            assertThat(known.contains(certificate(one.getSerialNumber().intValue(), Crypto.generateP256(RANDOM))))
                    .isFalse();
        }
    }
}
