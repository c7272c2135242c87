package dev.holdfast.protocol.x509;

import java.math.BigInteger;
import java.security.KeyPair;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.Date;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.UnaryOperator;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.cert.X509v3CertificateBuilder;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;

/// A CA's certificate, good unless it is told otherwise.
final class Made {
    private static final AtomicLong SERIALS = new AtomicLong(1);

    private final String subject;
    private final KeyPair key;
    private final String issuer;
    private final KeyPair by;
    private Instant from = Instant.parse("2030-01-01T00:00:00Z");
    private Instant to = Instant.parse("2040-01-01T00:00:00Z");
    private BasicConstraints constraints = new BasicConstraints(1);
    private int usage = KeyUsage.keyCertSign | KeyUsage.cRLSign;
    private String scheme = "SHA256withECDSA";
    private UnaryOperator<X509v3CertificateBuilder> more = UnaryOperator.identity();

    Made(String subject, KeyPair key, String issuer, KeyPair by) {
        this.subject = subject;
        this.key = key;
        this.issuer = issuer;
        this.by = by;
    }

    Made years(int first, int last) {
        from = Instant.parse(first + "-01-01T00:00:00Z");
        to = Instant.parse(last + "-01-01T00:00:00Z");
        return this;
    }

    Made constraints(BasicConstraints other) {
        constraints = other;
        return this;
    }

    Made usage(int other) {
        usage = other;
        return this;
    }

    Made scheme(String other) {
        scheme = other;
        return this;
    }

    Made with(org.bouncycastle.asn1.ASN1ObjectIdentifier type, boolean critical, byte[] value) {
        more = builder -> {
            try {
                return builder.addExtension(type, critical, value);
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        };
        return this;
    }

    X509Certificate sign() {
        try {
            X509v3CertificateBuilder builder = new X509v3CertificateBuilder(
                    new X500Name(issuer),
                    BigInteger.valueOf(SERIALS.incrementAndGet()),
                    Date.from(from),
                    Date.from(to),
                    new X500Name(subject),
                    SubjectPublicKeyInfo.getInstance(key.getPublic().getEncoded()));
            builder.addExtension(Extension.basicConstraints, true, constraints);
            builder.addExtension(Extension.keyUsage, true, new KeyUsage(usage));
            return Certificates.parse(more.apply(builder)
                    .build(new JcaContentSignerBuilder(scheme).build(by.getPrivate()))
                    .getEncoded());
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }
}
