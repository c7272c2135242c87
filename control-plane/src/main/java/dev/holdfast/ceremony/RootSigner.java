package dev.holdfast.ceremony;

import dev.holdfast.protocol.x509.CertificateLint;
import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.protocol.x509.NameLimits;
import dev.holdfast.protocol.x509.SignatureSchemes;
import dev.holdfast.protocol.x509.X509FormatException;
import java.io.IOException;
import java.math.BigInteger;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Arrays;
import java.util.Date;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.bouncycastle.asn1.ASN1EncodableVector;
import org.bouncycastle.asn1.ASN1Encoding;
import org.bouncycastle.asn1.ASN1Integer;
import org.bouncycastle.asn1.ASN1Object;
import org.bouncycastle.asn1.DERBitString;
import org.bouncycastle.asn1.DERSequence;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.AuthorityKeyIdentifier;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.CRLNumber;
import org.bouncycastle.asn1.x509.CRLReason;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.Extensions;
import org.bouncycastle.asn1.x509.ExtensionsGenerator;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.asn1.x509.SubjectKeyIdentifier;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.asn1.x509.TBSCertificate;
import org.bouncycastle.asn1.x509.Time;
import org.bouncycastle.asn1.x509.V2TBSCertListGenerator;
import org.bouncycastle.asn1.x509.V3TBSCertificateGenerator;

/// What a root signs in its life: itself, issuers, another root of the same house, and lists of issuers it
/// takes back. Everything is linted before it is signed.
final class RootSigner {
    private static final Duration BACKDATED = Duration.ofMinutes(5);

    private RootSigner() {}

    /// What is to be certified.
    ///
    /// @param pathLength how many authorities may follow below it
    /// @param limits empty for none
    record Subject(X500Name name, PublicKey key, int pathLength, Optional<NameLimits> limits) {}

    /// RFC 5280 section 4.2: a CA's certificate.
    ///
    /// @param root empty where it signs itself
    static X509Certificate certify(
            Subject subject,
            RootKey by,
            Optional<X509Certificate> root,
            Duration lifetime,
            Instant now,
            SecureRandom random)
            throws CeremonyException {
        Instant from = now.truncatedTo(ChronoUnit.SECONDS).minus(BACKDATED);
        Instant to = from.plus(lifetime);
        if (root.isPresent() && to.isAfter(root.get().getNotAfter().toInstant())) {
            to = root.get().getNotAfter().toInstant();
        }
        V3TBSCertificateGenerator contents = new V3TBSCertificateGenerator();
        contents.setSerialNumber(new ASN1Integer(serial(random)));
        contents.setSignature(SignatureSchemes.identifier(by.scheme()));
        contents.setIssuer(
                root.map(r -> X500Name.getInstance(r.getSubjectX500Principal().getEncoded()))
                        .orElse(subject.name()));
        contents.setStartDate(time(from));
        contents.setEndDate(time(to));
        contents.setSubject(subject.name());
        contents.setSubjectPublicKeyInfo(
                SubjectPublicKeyInfo.getInstance(subject.key().getEncoded()));
        contents.setExtensions(extensions(subject, by, root.isPresent()));
        TBSCertificate certificate = contents.generateTBSCertificate();
        List<String> faults = CertificateLint.check(certificate, root.orElse(null));
        if (!faults.isEmpty()) {
            throw new CeremonyException("not signed: " + String.join("; ", faults));
        }
        try {
            return Certificates.parse(signed(certificate, by));
        } catch (X509FormatException e) {
            throw new IllegalStateException("signed a certificate that can't be read back", e);
        }
    }

    private static Extensions extensions(Subject subject, RootKey by, boolean below) {
        try {
            ExtensionsGenerator extensions = new ExtensionsGenerator();
            extensions.addExtension(Extension.basicConstraints, true, new BasicConstraints(subject.pathLength()));
            extensions.addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.keyCertSign | KeyUsage.cRLSign));
            extensions.addExtension(
                    Extension.subjectKeyIdentifier, false, new SubjectKeyIdentifier(keyId(subject.key())));
            if (below) {
                extensions.addExtension(
                        Extension.authorityKeyIdentifier, false, new AuthorityKeyIdentifier(keyId(by.publicKey())));
            }
            if (subject.limits().isPresent()) {
                extensions.addExtension(
                        Extension.nameConstraints, true, subject.limits().get().extension());
            }
            return extensions.generate();
        } catch (IOException e) {
            throw new IllegalStateException("an extension that can't be encoded", e);
        }
    }

    /// RFC 5280 section 5: the issuers that the root takes back, for good.
    static byte[] revocationList(
            RootKey by,
            X509Certificate root,
            List<BigInteger> serials,
            CRLReason reason,
            Duration lifetime,
            Instant now) {
        V2TBSCertListGenerator list = new V2TBSCertListGenerator();
        list.setSignature(SignatureSchemes.identifier(by.scheme()));
        list.setIssuer(X500Name.getInstance(root.getSubjectX500Principal().getEncoded()));
        list.setThisUpdate(time(now));
        list.setNextUpdate(time(now.plus(lifetime)));
        for (BigInteger serial : serials) {
            list.addCRLEntry(
                    new ASN1Integer(serial), time(now), reason.getValue().intValue());
        }
        try {
            list.setExtensions(new Extensions(new Extension[] {
                Extension.create(
                        Extension.authorityKeyIdentifier, false, new AuthorityKeyIdentifier(keyId(by.publicKey()))),
                Extension.create(Extension.cRLNumber, false, new CRLNumber(BigInteger.valueOf(now.toEpochMilli())))
            }));
        } catch (IOException e) {
            throw new IllegalStateException("a list that can't be encoded", e);
        }
        return signed(list.generateTBSCertList(), by);
    }

    private static byte[] signed(ASN1Object contents, RootKey by) {
        try {
            ASN1EncodableVector all = new ASN1EncodableVector();
            all.add(contents);
            all.add(SignatureSchemes.identifier(by.scheme()));
            all.add(new DERBitString(by.sign(contents.getEncoded(ASN1Encoding.DER))));
            return new DERSequence(all).getEncoded(ASN1Encoding.DER);
        } catch (IOException e) {
            throw new IllegalStateException("what was signed can't be encoded", e);
        }
    }

    private static BigInteger serial(SecureRandom random) {
        BigInteger number;
        do {
            number = new BigInteger(128, random);
        } while (number.bitLength() < 65);
        return number;
    }

    private static Time time(Instant at) {
        return new Time(Date.from(at.truncatedTo(ChronoUnit.SECONDS)), Locale.ROOT);
    }

    /// RFC 7093 section 2, method 1.
    private static byte[] keyId(PublicKey key) {
        try {
            return Arrays.copyOf(
                    MessageDigest.getInstance("SHA-256")
                            .digest(SubjectPublicKeyInfo.getInstance(key.getEncoded())
                                    .getPublicKeyData()
                                    .getOctets()),
                    20);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("SHA-256 is missing from this Java platform", e);
        }
    }
}
