package dev.holdfast.protocol.inspect;

import dev.holdfast.protocol.inspect.Inspected.Fact;
import dev.holdfast.protocol.inspect.Inspected.Kind;
import dev.holdfast.protocol.x509.Certificates;
import java.io.IOException;
import java.math.BigInteger;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.bouncycastle.asn1.ASN1Encoding;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.x509.AccessDescription;
import org.bouncycastle.asn1.x509.AuthorityInformationAccess;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.CRLDistPoint;
import org.bouncycastle.asn1.x509.Certificate;
import org.bouncycastle.asn1.x509.DistributionPoint;
import org.bouncycastle.asn1.x509.DistributionPointName;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.Extensions;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.asn1.x509.TBSCertificate;
import org.jspecify.annotations.Nullable;

/// A certificate in words: who, for what, until when, which key, which faults (RFC 5280 section 4).
final class CertificateReading {
    private static final Map<KeyPurposeId, String> PURPOSES = Map.of(
            KeyPurposeId.id_kp_clientAuth, "TLS client",
            KeyPurposeId.id_kp_serverAuth, "TLS server",
            KeyPurposeId.id_kp_codeSigning, "signing code",
            KeyPurposeId.id_kp_emailProtection, "mail",
            KeyPurposeId.id_kp_timeStamping, "time stamps",
            KeyPurposeId.id_kp_OCSPSigning, "answers about revocation (OCSP)",
            KeyPurposeId.anyExtendedKeyUsage, "anything");
    private static final Set<ASN1ObjectIdentifier> UNDERSTOOD = Set.of(
            Extension.basicConstraints,
            Extension.keyUsage,
            Extension.extendedKeyUsage,
            Extension.subjectAlternativeName,
            Extension.nameConstraints,
            Extension.certificatePolicies,
            Extension.subjectKeyIdentifier,
            Extension.authorityKeyIdentifier,
            Extension.authorityInfoAccess,
            Extension.cRLDistributionPoints);

    private final Certificate certificate;
    private final TBSCertificate contents;
    private final @Nullable Extensions extensions;
    private final Instant from;
    private final Instant to;
    private final List<Fact> facts = new ArrayList<>();
    private final List<String> faults = new ArrayList<>();

    private CertificateReading(Certificate certificate) {
        this.certificate = certificate;
        this.contents = certificate.getTBSCertificate();
        this.extensions = contents.getExtensions();
        this.from = contents.getStartDate().getDate().toInstant();
        this.to = contents.getEndDate().getDate().toInstant();
    }

    static Inspected read(byte[] der, Instant now) throws IOException {
        Certificate certificate = Certificate.getInstance(der);
        CertificateReading reading = new CertificateReading(certificate);
        if (!Arrays.equals(certificate.getEncoded(ASN1Encoding.DER), der)) {
            reading.faults.add("It is not encoded in DER, or octets follow it.");
        }
        return reading.inspected(der, now);
    }

    private Inspected inspected(byte[] der, Instant now) {
        boolean authority = isAuthority();
        who();
        purpose(authority);
        validity(now);
        KeyReading.read(contents.getSubjectPublicKeyInfo(), facts, faults);
        signature();
        revocation();
        facts.add(new Fact("SHA-256", Certificates.keyFingerprint(der)));
        BigInteger serial = contents.getSerialNumber().getValue();
        return new Inspected(
                Kind.CERTIFICATE,
                headline(authority, now),
                facts,
                faults,
                serial.signum() > 0 && serial.bitLength() <= 160
                        ? Optional.of(Phrases.serial(serial))
                        : Optional.empty(),
                der);
    }

    private boolean isAuthority() {
        BasicConstraints constraints = extensions == null ? null : BasicConstraints.fromExtensions(extensions);
        return constraints != null && constraints.isCA();
    }

    private String headline(boolean authority, Instant now) {
        String what = authority
                ? contents.getIssuer().equals(contents.getSubject()) ? "The root certificate" : "The CA certificate"
                : "The certificate";
        String when = now.isBefore(from)
                ? "it begins " + Phrases.distance(from, now)
                : now.isAfter(to)
                        ? "it ended " + Phrases.distance(to, now)
                        : "it is in time and ends " + Phrases.distance(to, now);
        return what + " of " + Phrases.shortName(contents.getSubject()) + ", issued by "
                + Phrases.shortName(contents.getIssuer()) + ": " + when + ".";
    }

    private void who() {
        facts.add(new Fact("Who", Phrases.name(contents.getSubject())));
        faults.addAll(Phrases.deceptions("subject", contents.getSubject()));
        GeneralNames names =
                extensions == null ? null : GeneralNames.fromExtensions(extensions, Extension.subjectAlternativeName);
        if (names != null) {
            facts.add(new Fact("Also known as", String.join(", ", Phrases.names(names))));
        }
        facts.add(new Fact("Issued by", Phrases.name(contents.getIssuer())));
        BigInteger serial = contents.getSerialNumber().getValue();
        facts.add(new Fact("Serial", Phrases.serial(serial)));
        if (serial.signum() <= 0 || serial.toByteArray().length > 20) {
            faults.add("The serial number is not positive, or longer than 20 octets (RFC 5280 section 4.1.2.2).");
        }
        if (contents.getVersionNumber() != 3) {
            faults.add("It is of version " + contents.getVersionNumber()
                    + ": it can't say what it is for (RFC 5280 section 4.1.2.1).");
        }
    }

    private void purpose(boolean authority) {
        if (extensions == null) {
            faults.add("It has no extensions: nothing says what it may be used for.");
            return;
        }
        List<String> uses = new ArrayList<>();
        if (authority) {
            BigInteger below = BasicConstraints.fromExtensions(extensions).getPathLenConstraint();
            uses.add("certifying others"
                    + (below == null
                            ? ""
                            : below.signum() == 0 ? " (no CA below it)" : " (" + below + " CAs below it)"));
        }
        ExtendedKeyUsage extended = ExtendedKeyUsage.fromExtensions(extensions);
        if (extended != null) {
            for (KeyPurposeId purpose : extended.getUsages()) {
                uses.add(PURPOSES.getOrDefault(purpose, "another purpose (" + purpose.getId() + ")"));
            }
        } else if (!authority) {
            uses.add("any use: it has no extendedKeyUsage");
        }
        facts.add(new Fact("For", String.join(", ", uses)));
        KeyUsage bits = KeyUsage.fromExtensions(extensions);
        if (authority && (bits == null || !bits.hasUsages(KeyUsage.keyCertSign))) {
            faults.add("It is a CA's, but its keyUsage does not allow certifying (RFC 5280 section 4.2.1.3).");
        }
        if (!authority && bits != null && bits.hasUsages(KeyUsage.keyCertSign)) {
            faults.add("Its keyUsage allows certifying, but it is not a CA's (RFC 5280 section 4.2.1.9).");
        }
        for (ASN1ObjectIdentifier type : extensions.getCriticalExtensionOIDs()) {
            if (!UNDERSTOOD.contains(type)) {
                faults.add("The critical extension " + type.getId()
                        + " is not known here; whoever does not know it must refuse the certificate.");
            }
        }
    }

    private void validity(Instant now) {
        facts.add(new Fact("Valid from", Phrases.time(from) + ", " + Phrases.distance(from, now)));
        facts.add(new Fact("Valid until", Phrases.time(to) + ", " + Phrases.distance(to, now)));
        if (!from.isBefore(to)) {
            faults.add("It ends before it begins.");
        } else if (now.isAfter(to)) {
            faults.add("It has expired: " + Phrases.time(to) + ".");
        } else if (now.isBefore(from)) {
            faults.add("It is not valid yet: it begins " + Phrases.time(from)
                    + ". If that is past where the device is, a clock is wrong.");
        }
    }

    private void signature() {
        String scheme = KeyReading.scheme(certificate.getSignatureAlgorithm());
        facts.add(new Fact("Signed with", scheme));
        if (KeyReading.isBroken(certificate.getSignatureAlgorithm())) {
            faults.add("It is signed with " + scheme + ", which is broken.");
        }
        if (!certificate.getSignatureAlgorithm().equals(contents.getSignature())) {
            faults.add("It names two different signature algorithms (RFC 5280 section 4.1.1.2).");
        }
    }

    private void revocation() {
        if (extensions == null) {
            return;
        }
        AuthorityInformationAccess access = AuthorityInformationAccess.fromExtensions(extensions);
        if (access != null) {
            for (AccessDescription description : access.getAccessDescriptions()) {
                boolean ocsp = description.getAccessMethod().equals(AccessDescription.id_ad_ocsp);
                facts.add(new Fact(
                        ocsp ? "Ask whether it counts" : "Its issuer's certificate",
                        Phrases.safe(description.getAccessLocation().getName().toString())));
            }
        }
        CRLDistPoint points = CRLDistPoint.fromExtensions(extensions);
        if (points != null) {
            for (DistributionPoint point : points.getDistributionPoints()) {
                DistributionPointName name = point.getDistributionPoint();
                if (name != null && name.getType() == DistributionPointName.FULL_NAME) {
                    facts.add(new Fact(
                            "Revocation list",
                            String.join(", ", Phrases.names(GeneralNames.getInstance(name.getName())))));
                }
            }
        }
    }
}
