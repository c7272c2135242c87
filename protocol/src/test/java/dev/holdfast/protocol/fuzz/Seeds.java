package dev.holdfast.protocol.fuzz;

import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.protocol.x509.Crypto;
import dev.holdfast.protocol.x509.X509FormatException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.Arrays;
import java.util.Base64;
import java.util.Date;
import java.util.HexFormat;
import java.util.List;
import org.bouncycastle.asn1.ASN1Encoding;
import org.bouncycastle.asn1.ASN1Primitive;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.cert.X509v3CertificateBuilder;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;

/// What good inputs are made of.
final class Seeds {
    static final SecureRandom RANDOM = new SecureRandom();
    static final Instant NOW = Instant.parse("2026-06-01T00:00:00Z");

    private Seeds() {}

    static byte[] text(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.ISO_8859_1);
    }

    private static String resource(String name) {
        try (InputStream in = Seeds.class.getResourceAsStream(name)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static byte[] base64(String name) {
        return Base64.getMimeDecoder().decode(resource(name));
    }

    static List<byte[]> hex(String name) {
        return resource(name)
                .lines()
                .map(String::strip)
                .filter(line -> !line.isEmpty() && !line.startsWith("#"))
                .map(HexFormat.of()::parseHex)
                .toList();
    }

    static KeyPair p256() {
        return Crypto.generateP256(RANDOM);
    }

    static KeyPair rsa() {
        return rsa(2_048);
    }

    static KeyPair rsa(int bits) {
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
            generator.initialize(bits);
            return generator.generateKeyPair();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    /// A certificate by its own key, good for what it is asked for.
    static X509Certificate certificate(KeyPair key, String name, KeyPurposeId purpose, boolean critical) {
        return certificate(key, key.getPublic(), name, purpose, critical);
    }

    static X509Certificate certificate(
            KeyPair issuer, PublicKey subject, String name, KeyPurposeId purpose, boolean critical) {
        try {
            return signed(
                    issuer,
                    builder("issuer", subject, name)
                            .addExtension(Extension.basicConstraints, true, new BasicConstraints(false))
                            .addExtension(
                                    Extension.keyUsage,
                                    true,
                                    new KeyUsage(KeyUsage.digitalSignature | KeyUsage.keyEncipherment))
                            .addExtension(Extension.extendedKeyUsage, critical, new ExtendedKeyUsage(purpose)));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Who has issued the others, when they are of its key.
    static X509Certificate root(KeyPair key) {
        try {
            return signed(
                    key,
                    builder("issuer", key.getPublic(), "issuer")
                            .addExtension(Extension.basicConstraints, true, new BasicConstraints(true))
                            .addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.keyCertSign)));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static X509v3CertificateBuilder builder(String issuer, PublicKey subject, String name) {
        return new X509v3CertificateBuilder(
                new X500Name("CN=" + issuer),
                BigInteger.valueOf(77),
                Date.from(NOW.minusSeconds(86_400)),
                Date.from(NOW.plusSeconds(86_400)),
                new X500Name("CN=" + name),
                SubjectPublicKeyInfo.getInstance(subject.getEncoded()));
    }

    private static X509Certificate signed(KeyPair issuer, X509v3CertificateBuilder contents) {
        String scheme = issuer.getPublic().getAlgorithm().equals("RSA") ? "SHA256withRSA" : "SHA256withECDSA";
        try {
            return Certificates.parse(contents.build(new JcaContentSignerBuilder(scheme).build(issuer.getPrivate()))
                    .getEncoded());
        } catch (IOException | OperatorCreationException | X509FormatException e) {
            throw new IllegalStateException(e);
        }
    }

    /// What was taken as DER is DER: it encodes to the same octets.
    static void requireDer(byte[] taken) {
        require(taken, ASN1Encoding.DER);
    }

    /// As DER, but for the order of sets, which certificates in the field don't all keep.
    static void requireDerButForSets(byte[] taken) {
        require(taken, ASN1Encoding.DL);
    }

    private static void require(byte[] taken, String encoding) {
        try {
            byte[] again = ASN1Primitive.fromByteArray(taken).getEncoded(encoding);
            if (!Arrays.equals(again, taken)) {
                throw new AssertionError(
                        "taken, though it should be " + HexFormat.of().formatHex(again));
            }
        } catch (IOException e) {
            throw new AssertionError("taken, though it is no ASN.1", e);
        }
    }

    /// What CMS lets be BER is one element and nothing after it all the same.
    static void requireOneElement(byte[] taken) {
        try {
            ASN1Primitive.fromByteArray(taken);
        } catch (IOException e) {
            throw new AssertionError("taken, though it is not one element of ASN.1", e);
        }
    }

    static void require(boolean holds, String what) {
        if (!holds) {
            throw new AssertionError("does not hold: " + what);
        }
    }
}
