package dev.holdfast.agent;

import com.amazon.corretto.crypto.provider.AmazonCorrettoCryptoProvider;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.StringReader;
import java.io.StringWriter;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.Provider;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.X509EncodedKeySpec;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.bouncycastle.asn1.ASN1Encoding;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x500.X500NameBuilder;
import org.bouncycastle.asn1.x500.style.BCStyle;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.pkcs.PKCS10CertificationRequestBuilder;
import org.bouncycastle.util.io.pem.PemObject;
import org.bouncycastle.util.io.pem.PemReader;
import org.bouncycastle.util.io.pem.PemWriter;
import org.jspecify.annotations.Nullable;

/// A private key and the certificates that speak for it, the device's own first.
public record DeviceIdentity(PrivateKey key, List<X509Certificate> chain) {
    public DeviceIdentity {
        chain = List.copyOf(chain);
        if (chain.isEmpty()) {
            throw new IllegalArgumentException("an identity without a certificate");
        }
    }

    public X509Certificate certificate() {
        return chain.getFirst();
    }

    /// When to ask for the next certificate, where the server has said nothing: between half and five sixths of
    /// this one's life, by its serial, so that devices that were enrolled together don't ask together.
    public Instant renewAt() {
        Instant from = certificate().getNotBefore().toInstant();
        Duration life = Duration.between(from, certificate().getNotAfter().toInstant());
        double place = certificate()
                        .getSerialNumber()
                        .mod(BigInteger.valueOf(1_000_003))
                        .doubleValue()
                / 1_000_003;
        return from.plusMillis(Math.round(life.toMillis() * (1 / 2.0 + place / 3)));
    }

    /// The last moment to ask for the next certificate: a tenth of this one's life is left for trying again.
    public Instant latestRenewal() {
        Instant from = certificate().getNotBefore().toInstant();
        Duration life = Duration.between(from, certificate().getNotAfter().toInstant());
        return from.plus(life.multipliedBy(9).dividedBy(10));
    }

    /// Key and chain as PEM: one record, so that they change together.
    public byte[] toPem() {
        StringWriter text = new StringWriter();
        try (PemWriter pem = new PemWriter(text)) {
            pem.writeObject(new PemObject("PRIVATE KEY", key.getEncoded()));
            for (X509Certificate certificate : chain) {
                pem.writeObject(new PemObject("CERTIFICATE", certificate.getEncoded()));
            }
        } catch (IOException | GeneralSecurityException e) {
            throw new IllegalStateException("a key or certificate that can't be encoded", e);
        }
        return text.toString().getBytes(StandardCharsets.US_ASCII);
    }

    /// @throws IOException when it does not hold a PKCS #8 EC key and certificates
    public static DeviceIdentity fromPem(byte[] pem) throws IOException {
        PrivateKey key = null;
        List<X509Certificate> chain = new ArrayList<>();
        try (PemReader reader = new PemReader(new StringReader(new String(pem, StandardCharsets.US_ASCII)))) {
            for (PemObject object = reader.readPemObject(); object != null; object = reader.readPemObject()) {
                switch (object.getType()) {
                    case "PRIVATE KEY" -> key = privateKey(object.getContent());
                    case "CERTIFICATE" -> chain.add(certificate(object.getContent()));
                    default -> throw new IOException("unexpected PEM object " + object.getType());
                }
            }
        }
        if (key == null || chain.isEmpty()) {
            throw new IOException("a PKCS #8 private key and its certificate are needed");
        }
        return new DeviceIdentity(key, chain);
    }

    /// @throws IOException when a certificate can't be read
    public static List<X509Certificate> certificatesFromPem(byte[] pem) throws IOException {
        List<X509Certificate> found = new ArrayList<>();
        try (PemReader reader = new PemReader(new StringReader(new String(pem, StandardCharsets.US_ASCII)))) {
            for (PemObject object = reader.readPemObject(); object != null; object = reader.readPemObject()) {
                if (object.getType().equals("CERTIFICATE")) {
                    found.add(certificate(object.getContent()));
                }
            }
        }
        return found;
    }

    /// Public keys, bare or in certificates.
    public static List<PublicKey> publicKeysFromPem(byte[] pem) throws IOException {
        List<PublicKey> found = new ArrayList<>();
        try (PemReader reader = new PemReader(new StringReader(new String(pem, StandardCharsets.US_ASCII)))) {
            for (PemObject object = reader.readPemObject(); object != null; object = reader.readPemObject()) {
                if (object.getType().equals("CERTIFICATE")) {
                    found.add(certificate(object.getContent()).getPublicKey());
                } else if (object.getType().equals("PUBLIC KEY")) {
                    found.add(KeyFactory.getInstance("EC").generatePublic(new X509EncodedKeySpec(object.getContent())));
                }
            }
        } catch (GeneralSecurityException e) {
            throw new IOException("not an EC public key", e);
        }
        return found;
    }

    static PrivateKey privateKey(byte[] pkcs8) throws IOException {
        try {
            return KeyFactory.getInstance("EC").generatePrivate(new PKCS8EncodedKeySpec(pkcs8));
        } catch (GeneralSecurityException e) {
            throw new IOException("not a PKCS #8 EC private key", e);
        }
    }

    static X509Certificate certificate(byte[] der) throws IOException {
        try {
            return (X509Certificate)
                    CertificateFactory.getInstance("X.509").generateCertificate(new ByteArrayInputStream(der));
        } catch (GeneralSecurityException e) {
            throw new IOException("not an X.509 certificate", e);
        }
    }

    public static KeyPair freshKey(SecureRandom random) {
        try {
            KeyPairGenerator generator = fast() == null
                    ? KeyPairGenerator.getInstance("EC")
                    : KeyPairGenerator.getInstance("EC", AmazonCorrettoCryptoProvider.INSTANCE);
            generator.initialize(new ECGenParameterSpec("secp256r1"), random);
            return generator.generateKeyPair();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("P-256 is missing from this Java platform", e);
        }
    }

    /// A PKCS #10 request for this name, DER. Possession of the key is proven by its signature.
    static byte[] request(X500Name subject, KeyPair pair) {
        try {
            JcaContentSignerBuilder signer = new JcaContentSignerBuilder("SHA256withECDSA");
            Provider fast = fast();
            if (fast != null) {
                signer.setProvider(fast);
            }
            return new PKCS10CertificationRequestBuilder(
                            subject,
                            SubjectPublicKeyInfo.getInstance(pair.getPublic().getEncoded()))
                    .build(signer.build(pair.getPrivate()))
                    .toASN1Structure()
                    .getEncoded(ASN1Encoding.DER);
        } catch (OperatorCreationException | IOException e) {
            throw new IllegalStateException("a request that can't be signed", e);
        }
    }

    static X500Name named(String commonName) {
        return new X500NameBuilder(BCStyle.INSTANCE)
                .addRDN(BCStyle.CN, commonName)
                .build();
    }

    X500Name subject() {
        return X500Name.getInstance(certificate().getSubjectX500Principal().getEncoded());
    }

    private static @Nullable Provider fast() {
        return AmazonCorrettoCryptoProvider.INSTANCE.getLoadingError() == null
                ? AmazonCorrettoCryptoProvider.INSTANCE
                : null;
    }
}
