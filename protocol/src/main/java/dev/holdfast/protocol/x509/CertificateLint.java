package dev.holdfast.protocol.x509;

import java.io.IOException;
import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.PublicKey;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.bouncycastle.asn1.ASN1Encoding;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.ocsp.OCSPObjectIdentifiers;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.AuthorityKeyIdentifier;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.Extensions;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.asn1.x509.SubjectKeyIdentifier;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.asn1.x509.TBSCertificate;
import org.jspecify.annotations.Nullable;

/// Looks at what is about to be signed and names every way in which it is not as RFC 5280 has it. A certificate
/// is for ever: the last moment at which a mistake is free is before its signature.
public final class CertificateLint {
    private static final Set<ASN1ObjectIdentifier> KNOWN = Set.of(
            Extension.basicConstraints,
            Extension.keyUsage,
            Extension.extendedKeyUsage,
            Extension.subjectAlternativeName,
            Extension.subjectKeyIdentifier,
            Extension.authorityKeyIdentifier,
            Extension.authorityInfoAccess,
            Extension.cRLDistributionPoints,
            OCSPObjectIdentifiers.id_pkix_ocsp_nocheck,
            Extension.nameConstraints);

    private CertificateLint() {}

    /// @param issuer the certificate that will be above it; null when it is self-signed
    /// @return the faults, in words; empty when there is none
    public static List<String> check(TBSCertificate contents, @Nullable X509Certificate issuer) {
        List<String> faults = new ArrayList<>();
        Optional<Boolean> authority = contents(contents, issuer, faults);
        if (authority.isEmpty()) {
            return faults;
        }
        if (issuer != null) {
            below(contents, issuer, authority.get(), faults);
        } else if (!contents.getIssuer().equals(contents.getSubject())) {
            faults.add("self-signed, but its issuer is not its subject (section 4.1.2.4)");
        }
        return faults;
    }

    /// As [#check], where the certificate above it is not at hand.
    public static List<String> checkAlone(TBSCertificate contents) {
        List<String> faults = new ArrayList<>();
        contents(contents, null, faults);
        return faults;
    }

    /// @return whether it is a CA; empty where there is nothing to tell it by
    private static Optional<Boolean> contents(
            TBSCertificate contents, @Nullable X509Certificate issuer, List<String> faults) {
        basics(contents, faults);
        Extensions extensions = contents.getExtensions();
        if (extensions == null) {
            faults.add("no extensions");
            return Optional.empty();
        }
        for (ASN1ObjectIdentifier type : extensions.getExtensionOIDs()) {
            if (!KNOWN.contains(type)) {
                faults.add("extension " + type + " is none of ours");
            }
        }
        boolean authority = usage(extensions, faults);
        services(extensions, faults);
        Extension limits = extensions.getExtension(Extension.nameConstraints);
        if (limits != null && (!authority || !limits.isCritical())) {
            faults.add("nameConstraints belong in a CA's certificate, critical (section 4.2.1.10)");
        }
        names(contents, extensions, authority, faults);
        keys(contents, extensions, issuer, faults);
        return Optional.of(authority);
    }

    private static void basics(TBSCertificate contents, List<String> faults) {
        if (contents.getVersionNumber() != 3) {
            faults.add("not version 3 (section 4.1.2.1)");
        }
        BigInteger serial = contents.getSerialNumber().getValue();
        if (serial.signum() <= 0 || serial.toByteArray().length > 20) {
            faults.add("the serial is not positive or longer than 20 octets (section 4.1.2.2)");
        }
        if (serial.bitLength() < 64) {
            faults.add("the serial has fewer than 64 bits");
        }
        Instant from = contents.getStartDate().getDate().toInstant();
        Instant to = contents.getEndDate().getDate().toInstant();
        if (!from.isBefore(to)) {
            faults.add("it ends before it begins");
        }
    }

    /// @return whether it is a CA
    private static boolean usage(Extensions extensions, List<String> faults) {
        Extension constraints = extensions.getExtension(Extension.basicConstraints);
        if (constraints == null || !constraints.isCritical()) {
            faults.add("basicConstraints is missing or not critical (section 4.2.1.9)");
        }
        BasicConstraints parsed = BasicConstraints.fromExtensions(extensions);
        boolean authority = parsed != null && parsed.isCA();
        if (authority && parsed.getPathLenConstraintInteger() == null) {
            faults.add("a CA without a path length");
        }
        Extension usage = extensions.getExtension(Extension.keyUsage);
        KeyUsage bits = KeyUsage.fromExtensions(extensions);
        if (usage == null || bits == null || !usage.isCritical()) {
            faults.add("keyUsage is missing or not critical (section 4.2.1.3)");
            return authority;
        }
        if (authority != bits.hasUsages(KeyUsage.keyCertSign)) {
            faults.add("keyCertSign and basicConstraints disagree (section 4.2.1.9)");
        }
        if (!authority && !bits.hasUsages(KeyUsage.digitalSignature)) {
            faults.add("an end entity that may not sign");
        }
        if (!authority && extensions.getExtension(Extension.extendedKeyUsage) == null) {
            faults.add("an end entity without extendedKeyUsage");
        }
        return authority;
    }

    /// A key that says what counts, or what time it is, does nothing else.
    private static void services(Extensions extensions, List<String> faults) {
        ExtendedKeyUsage usage = ExtendedKeyUsage.fromExtensions(extensions);
        boolean status = usage != null && usage.hasKeyPurposeId(KeyPurposeId.id_kp_OCSPSigning);
        boolean time = usage != null && usage.hasKeyPurposeId(KeyPurposeId.id_kp_timeStamping);
        if ((status || time) && usage.getUsages().length != 1) {
            faults.add("a key for OCSP or time-stamping that is for something else too");
        }
        if (time && !extensions.getExtension(Extension.extendedKeyUsage).isCritical()) {
            faults.add("extendedKeyUsage for time-stamping is not critical (RFC 3161 section 2.3)");
        }
        if (status != (extensions.getExtension(OCSPObjectIdentifiers.id_pkix_ocsp_nocheck) != null)) {
            faults.add("OCSP responders, and nobody else, have ocsp-nocheck (RFC 6960 section 4.2.2.2.1)");
        }
    }

    private static void names(TBSCertificate contents, Extensions extensions, boolean authority, List<String> faults) {
        X500Name subject = contents.getSubject();
        if (subject.getRDNs().length == 0) {
            faults.add("an empty subject (section 4.1.2.6)");
        }
        GeneralNames names = GeneralNames.fromExtensions(extensions, Extension.subjectAlternativeName);
        if (!authority && (names == null || names.getNames().length == 0)) {
            faults.add("an end entity without alternative names (section 4.2.1.6)");
        }
    }

    private static void keys(
            TBSCertificate contents, Extensions extensions, @Nullable X509Certificate issuer, List<String> faults) {
        SubjectPublicKeyInfo info = contents.getSubjectPublicKeyInfo();
        try {
            PublicKey key = Crypto.publicKey(
                    Crypto.algorithm(info.getAlgorithm()).orElse("unknown"), info.getEncoded(ASN1Encoding.DER));
            KeyKind kind = KeyKind.of(key);
            if (!kind.isIssuable()) {
                faults.add("a key of a kind not accepted: " + kind);
            }
        } catch (IOException | GeneralSecurityException e) {
            faults.add("the public key can't be read");
        }
        if (SubjectKeyIdentifier.fromExtensions(extensions) == null) {
            faults.add("no subjectKeyIdentifier (section 4.2.1.2)");
        }
        if (issuer != null) {
            keyAbove(extensions, issuer, faults);
        }
    }

    private static void keyAbove(Extensions extensions, X509Certificate issuer, List<String> faults) {
        AuthorityKeyIdentifier above = AuthorityKeyIdentifier.fromExtensions(extensions);
        if (above == null || above.getKeyIdentifierOctets() == null) {
            faults.add("no authorityKeyIdentifier (section 4.2.1.1)");
        } else if (issuer.getExtensionValue(Extension.subjectKeyIdentifier.getId()) != null
                && !Arrays.equals(above.getKeyIdentifierOctets(), Certificates.subjectKeyId(issuer))) {
            faults.add("its authorityKeyIdentifier is not what the certificate above it is called (section 4.2.1.1)");
        }
    }

    private static void below(TBSCertificate contents, X509Certificate issuer, boolean authority, List<String> faults) {
        if (!contents.getIssuer()
                .equals(X500Name.getInstance(issuer.getSubjectX500Principal().getEncoded()))) {
            faults.add("its issuer is not the subject of the certificate above it (section 4.1.2.4)");
        }
        faults.addAll(NameLimits.violations(issuer, contents));
        if (issuer.getBasicConstraints() < 0) {
            faults.add("the certificate above it is not a CA's");
        }
        if (authority && issuer.getBasicConstraints() < 1) {
            faults.add("the CA above it may have no CA below it");
        }
        if (contents.getEndDate()
                .getDate()
                .toInstant()
                .isAfter(issuer.getNotAfter().toInstant())) {
            faults.add("it ends after the certificate above it");
        }
        if (!authority
                && contents.getStartDate()
                        .getDate()
                        .toInstant()
                        .isBefore(issuer.getNotBefore().toInstant())) {
            faults.add("it begins before the certificate above it");
        }
        if (!authority && contents.getSubject().equals(contents.getIssuer())) { // self-issued: a root's rollover
            faults.add("it has its issuer's name");
        }
    }
}
