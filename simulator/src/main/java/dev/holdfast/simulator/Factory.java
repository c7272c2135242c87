package dev.holdfast.simulator;

import dev.holdfast.agent.DeviceIdentity;
import dev.holdfast.protocol.manifest.Manifest;
import dev.holdfast.protocol.manifest.SignedManifest;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.StringWriter;
import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.MessageDigest;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.Date;
import java.util.HexFormat;
import java.util.List;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x500.X500NameBuilder;
import org.bouncycastle.asn1.x500.style.BCStyle;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.cert.X509v3CertificateBuilder;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.util.io.pem.PemObject;
import org.bouncycastle.util.io.pem.PemWriter;

/// The maker of the meters: gives each a certificate of its own when it is made (IEEE 802.1AR IDevID), and signs
/// firmware.
final class Factory {
    private static final Duration BEFORE = Duration.ofDays(30);
    private static final Duration LIFE = Duration.ofDays(3650);

    private final SecureRandom random;
    private final Instant now;
    private final X500Name name = new X500Name("CN=Kelp Instruments Device CA,O=Kelp Instruments");
    private final KeyPair authority;
    private final X509Certificate anchor;
    private final KeyPair release;

    Factory(SecureRandom random, Instant now) {
        this.random = random;
        this.now = now;
        this.authority = DeviceIdentity.freshKey(random);
        this.anchor = certificate(name, authority.getPublic(), true);
        this.release = DeviceIdentity.freshKey(random);
    }

    String anchorPem() {
        try {
            return pem("CERTIFICATE", anchor.getEncoded());
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    String releaseKeyPem() {
        return pem("PUBLIC KEY", release.getPublic().getEncoded());
    }

    PublicKey releaseKey() {
        return release.getPublic();
    }

    /// The key and certificate that a device leaves the factory with.
    DeviceIdentity make(String serialNumber) {
        KeyPair pair = DeviceIdentity.freshKey(random);
        X500Name subject = new X500NameBuilder(BCStyle.INSTANCE)
                .addRDN(BCStyle.O, "Kelp Instruments")
                .addRDN(BCStyle.CN, "Kelp device")
                .addRDN(BCStyle.SERIALNUMBER, serialNumber)
                .build();
        return new DeviceIdentity(pair.getPrivate(), List.of(certificate(subject, pair.getPublic(), false)));
    }

    /// A signed manifest for the image.
    byte[] sign(String version, byte[] image) {
        Manifest manifest = new Manifest(
                CityPlan.MODEL,
                List.of(CityPlan.HARDWARE),
                version,
                1,
                new Manifest.Image("kelp-meter-" + version + ".img", image.length, sha256(image)));
        return SignedManifest.sign(manifest, release.getPrivate(), release.getPublic());
    }

    static String sha256(byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    static String pem(String type, byte[] der) {
        StringWriter text = new StringWriter();
        try (PemWriter pem = new PemWriter(text)) {
            pem.writeObject(new PemObject(type, der));
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
        return text.toString();
    }

    private X509Certificate certificate(X500Name subject, PublicKey key, boolean ca) {
        try {
            X509v3CertificateBuilder builder = new X509v3CertificateBuilder(
                    name,
                    new BigInteger(127, random).setBit(126),
                    Date.from(now.minus(BEFORE)),
                    Date.from(now.plus(LIFE)),
                    subject,
                    SubjectPublicKeyInfo.getInstance(key.getEncoded()));
            builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(ca));
            builder.addExtension(
                    Extension.keyUsage,
                    true,
                    new KeyUsage(ca ? KeyUsage.keyCertSign | KeyUsage.cRLSign : KeyUsage.digitalSignature));
            byte[] der = builder.build(new JcaContentSignerBuilder("SHA256withECDSA").build(authority.getPrivate()))
                    .getEncoded();
            return (X509Certificate)
                    CertificateFactory.getInstance("X.509").generateCertificate(new ByteArrayInputStream(der));
        } catch (IOException | OperatorCreationException | GeneralSecurityException e) {
            throw new IllegalStateException("a certificate that can't be made", e);
        }
    }
}
