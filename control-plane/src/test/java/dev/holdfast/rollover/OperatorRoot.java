package dev.holdfast.rollover;

import dev.holdfast.ca.OwnRoot;
import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.protocol.x509.Crypto;
import dev.holdfast.protocol.x509.NameLimits;
import dev.holdfast.protocol.x509.Pem;
import java.math.BigInteger;
import java.security.KeyPair;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import java.util.Optional;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.cert.X509v3CertificateBuilder;
import org.bouncycastle.cert.jcajce.JcaX509ExtensionUtils;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.pkcs.PKCS10CertificationRequest;

/// An operator's authority, as some other program keeps it: its key is in the test alone.
///
/// @param above from the nearest to the root; empty for a root
record OperatorRoot(KeyPair key, X509Certificate certificate, List<X509Certificate> above) {
    private static final SecureRandom RANDOM = new SecureRandom();
    private static final String STRONG = "SHA256withECDSA";

    /// @param hours for how long it has been in force
    static OperatorRoot of(String name, int hours) throws Exception {
        KeyPair key = Crypto.generateP256(RANDOM);
        X500Name subject = new X500Name(name);
        return new OperatorRoot(key, signed(subject, info(key), key, subject, 2, hours), List.of());
    }

    private static SubjectPublicKeyInfo info(KeyPair key) {
        return SubjectPublicKeyInfo.getInstance(key.getPublic().getEncoded());
    }

    X500Name name() {
        return X500Name.getInstance(certificate.getSubjectX500Principal().getEncoded());
    }

    /// Its certificate for another root's key.
    X509Certificate cross(OperatorRoot other) throws Exception {
        return signed(other.name(), info(other.key), key, name(), 1, 1);
    }

    /// An authority of the house between this one and issuers.
    OperatorRoot between(String name) throws Exception {
        KeyPair made = Crypto.generateP256(RANDOM);
        List<X509Certificate> higher = new ArrayList<>(List.of(certificate));
        higher.addAll(above);
        return new OperatorRoot(made, signed(new X500Name(name), info(made), key, name(), 1, 1), higher);
    }

    /// The answer to a request, with what is above it.
    List<X509Certificate> certify(OwnRoot.Request request) throws Exception {
        return certify(request, STRONG, Optional.empty());
    }

    /// @param limits what it may certify; empty for anything
    List<X509Certificate> certify(OwnRoot.Request request, String scheme, Optional<NameLimits> limits)
            throws Exception {
        PKCS10CertificationRequest parsed = new PKCS10CertificationRequest(
                Pem.decode(Pem.CERTIFICATE_REQUEST, request.pem()).getFirst());
        List<X509Certificate> chain = new ArrayList<>(List.of(
                signed(parsed.getSubject(), parsed.getSubjectPublicKeyInfo(), key, name(), 0, 1, scheme, limits),
                certificate));
        chain.addAll(above);
        return chain;
    }

    private static X509Certificate signed(
            X500Name subject, SubjectPublicKeyInfo subjectKey, KeyPair by, X500Name issuer, int below, int hours)
            throws Exception {
        return signed(subject, subjectKey, by, issuer, below, hours, STRONG, Optional.empty());
    }

    private static X509Certificate signed(
            X500Name subject,
            SubjectPublicKeyInfo subjectKey,
            KeyPair by,
            X500Name issuer,
            int below,
            int hours,
            String scheme,
            Optional<NameLimits> limits)
            throws Exception {
        X509v3CertificateBuilder builder = new X509v3CertificateBuilder(
                issuer,
                new BigInteger(120, RANDOM).setBit(119),
                Date.from(Instant.now().minus(Duration.ofHours(hours))),
                Date.from(Instant.now().plus(Duration.ofDays(900))),
                subject,
                subjectKey);
        builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(below));
        builder.addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.keyCertSign | KeyUsage.cRLSign));
        builder.addExtension(
                Extension.subjectKeyIdentifier,
                false,
                new JcaX509ExtensionUtils().createSubjectKeyIdentifier(subjectKey));
        if (limits.isPresent()) {
            builder.addExtension(Extension.nameConstraints, true, limits.get().extension());
        }
        return Certificates.parse(builder.build(new JcaContentSignerBuilder(scheme).build(by.getPrivate()))
                .getEncoded());
    }
}
