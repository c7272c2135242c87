package dev.holdfast.ca;

import dev.holdfast.core.Serial;
import dev.holdfast.profiles.CertificateProfile;
import dev.holdfast.protocol.x509.CertificateLint;
import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.protocol.x509.Crypto;
import dev.holdfast.protocol.x509.NameLimits;
import dev.holdfast.protocol.x509.SignatureSchemes;
import dev.holdfast.protocol.x509.X509FormatException;
import java.io.IOException;
import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.InvalidKeyException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import java.util.Locale;
import java.util.function.UnaryOperator;
import org.bouncycastle.asn1.ASN1EncodableVector;
import org.bouncycastle.asn1.ASN1Encoding;
import org.bouncycastle.asn1.ASN1Integer;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.DERBitString;
import org.bouncycastle.asn1.DERNull;
import org.bouncycastle.asn1.DEROctetString;
import org.bouncycastle.asn1.DERSequence;
import org.bouncycastle.asn1.DERUTF8String;
import org.bouncycastle.asn1.ocsp.OCSPObjectIdentifiers;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x500.X500NameBuilder;
import org.bouncycastle.asn1.x500.style.BCStyle;
import org.bouncycastle.asn1.x509.AccessDescription;
import org.bouncycastle.asn1.x509.AuthorityInformationAccess;
import org.bouncycastle.asn1.x509.AuthorityKeyIdentifier;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.CRLDistPoint;
import org.bouncycastle.asn1.x509.DistributionPoint;
import org.bouncycastle.asn1.x509.DistributionPointName;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.ExtensionsGenerator;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.asn1.x509.SubjectKeyIdentifier;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.asn1.x509.TBSCertificate;
import org.bouncycastle.asn1.x509.Time;
import org.bouncycastle.asn1.x509.V3TBSCertificateGenerator;
import org.jspecify.annotations.Nullable;

/// Builds certificates: the profile decides the extensions, the lint looks at the whole before anything is
/// signed.
final class CertificateTemplate {
    private static final String ORGANIZATION = "Holdfast";
    static final String DEVELOPMENT = "DEVELOPMENT";

    /// id-kp-cmcCA (RFC 6402 section 2.10).
    private static final KeyPurposeId CMC_CA = KeyPurposeId.getInstance(new ASN1ObjectIdentifier("1.3.6.1.5.5.7.3.27"));
    /// id-kp-cmcRA.
    private static final KeyPurposeId REGISTRATION =
            KeyPurposeId.getInstance(new ASN1ObjectIdentifier("1.3.6.1.5.5.7.3.28"));

    private CertificateTemplate() {}

    /// Who signs: where the signature's issuer fields come from.
    ///
    /// @param keyId as its own certificate names its key
    /// @param scheme of its signatures, as Java names it
    /// @param urls the base of the URLs in certificates, such as `http://pki.example.org:8081`
    record Issuer(
            String id,
            X500Name name,
            SubjectPublicKeyInfo publicKey,
            AuthorityKeyIdentifier keyId,
            String scheme,
            @Nullable String urls) {}

    /// How a certificate names the key above it (RFC 5280 section 4.2.1.1): as the certificate above does, whoever
    /// made that; verifiers that compare the two (openssl) find no way otherwise.
    static AuthorityKeyIdentifier keyId(X509Certificate issuer) {
        boolean named = issuer.getExtensionValue(Extension.subjectKeyIdentifier.getId()) != null;
        return new AuthorityKeyIdentifier(
                named
                        ? Certificates.subjectKeyId(issuer)
                        : keyId(SubjectPublicKeyInfo.getInstance(
                                issuer.getPublicKey().getEncoded())));
    }

    /// The scheme that keys of this kind sign with here.
    static String scheme(SubjectPublicKeyInfo key) {
        try {
            return Crypto.schemeFor(Crypto.publicKey(
                    Crypto.algorithm(key.getAlgorithm()).orElseThrow(InvalidKeyException::new),
                    key.getEncoded(ASN1Encoding.DER)));
        } catch (IOException | GeneralSecurityException e) {
            throw new IllegalStateException("an authority with a key of a kind that is not used here", e);
        }
    }

    /// 127 random bits, never less than 65 (RFC 5280 section 4.1.2.2 asks for at most 20 octets, CA/Browser
    /// rules for 64 random bits). Not 128: with the highest bit set DER puts a zero before it, and there are
    /// clients that compare serials without (strongSwan's `pki --scep`).
    static Serial serial(SecureRandom random) {
        BigInteger number;
        do {
            number = new BigInteger(127, random);
        } while (number.bitLength() < 65);
        return Serial.of(number);
    }

    /// `CN=..., OU=DEVELOPMENT, O=Holdfast`, the mark only where it is one.
    static X500Name authorityName(String commonName, boolean development) {
        X500NameBuilder builder = new X500NameBuilder(BCStyle.INSTANCE);
        builder.addRDN(BCStyle.O, new DERUTF8String(ORGANIZATION));
        if (development) {
            builder.addRDN(BCStyle.OU, new DERUTF8String(DEVELOPMENT));
        }
        return builder.addRDN(BCStyle.CN, new DERUTF8String(commonName)).build();
    }

    static X500Name commonName(String name) {
        return new X500NameBuilder(BCStyle.INSTANCE)
                .addRDN(BCStyle.CN, new DERUTF8String(name))
                .build();
    }

    /// A CA certificate (RFC 5280 section 4.2): basicConstraints and keyUsage critical, a path length, key ids,
    /// and
    /// where its own status is found unless it signs itself.
    ///
    /// @param pathLength how many CAs may follow below it
    static TBSCertificate authority(
            Serial serial,
            X500Name subject,
            SubjectPublicKeyInfo key,
            Issuer issuer,
            Instant notBefore,
            Instant notAfter,
            int pathLength) {
        boolean selfSigned = subject.equals(issuer.name()) && key.equals(issuer.publicKey());
        ExtensionsGenerator extensions = new ExtensionsGenerator();
        add(extensions, Extension.basicConstraints, true, new BasicConstraints(pathLength));
        add(extensions, Extension.keyUsage, true, new KeyUsage(KeyUsage.keyCertSign | KeyUsage.cRLSign));
        addKeyIds(extensions, key, issuer, !selfSigned);
        if (!selfSigned) {
            addStatusUrls(extensions, issuer, 0);
        }
        return build(serial, subject, key, issuer, notBefore, notAfter, extensions);
    }

    static TBSCertificate leaf(Intended intended, Issuer issuer) {
        ExtensionsGenerator extensions = new ExtensionsGenerator();
        add(extensions, Extension.basicConstraints, true, new BasicConstraints(false));
        // What devices send to the registration authority is encrypted to it.
        int more = intended.usages().contains(CertificateProfile.Usage.REGISTRATION) ? KeyUsage.keyEncipherment : 0;
        add(extensions, Extension.keyUsage, true, new KeyUsage(KeyUsage.digitalSignature | more));
        boolean timeStamping = intended.usages().contains(CertificateProfile.Usage.TIME_STAMPING);
        boolean statusSigning = intended.usages().contains(CertificateProfile.Usage.OCSP_SIGNING);
        add(
                extensions,
                Extension.extendedKeyUsage,
                timeStamping, // RFC 3161 section 2.3
                new ExtendedKeyUsage(intended.usages().stream()
                        .sorted()
                        .map(usage -> switch (usage) {
                            case TLS_CLIENT -> KeyPurposeId.id_kp_clientAuth;
                            case TLS_SERVER -> KeyPurposeId.id_kp_serverAuth;
                            case OCSP_SIGNING -> KeyPurposeId.id_kp_OCSPSigning;
                            case TIME_STAMPING -> KeyPurposeId.id_kp_timeStamping;
                            case CMP_AUTHORITY -> CMC_CA;
                            case REGISTRATION -> REGISTRATION;
                        })
                        .toArray(KeyPurposeId[]::new)));
        add(
                extensions,
                Extension.subjectAlternativeName,
                false,
                new GeneralNames(intended.alternativeNames().stream()
                        .map(CertificateTemplate::name)
                        .toArray(GeneralName[]::new)));
        addKeyIds(extensions, intended.publicKey(), issuer, true);
        if (statusSigning) {
            // RFC 6960 section 4.2.2.2.1: who checks it asks nobody; it ends soon instead.
            add(extensions, OCSPObjectIdentifiers.id_pkix_ocsp_nocheck, false, DERNull.INSTANCE);
        } else {
            addStatusUrls(extensions, issuer, intended.listPart());
        }
        return build(
                intended.serial(),
                commonName(intended.name()),
                intended.publicKey(),
                issuer,
                intended.notBefore(),
                intended.notAfter(),
                extensions);
    }

    private static TBSCertificate build(
            Serial serial,
            X500Name subject,
            SubjectPublicKeyInfo publicKey,
            Issuer issuer,
            Instant notBefore,
            Instant notAfter,
            ExtensionsGenerator extensions) {
        V3TBSCertificateGenerator generator = new V3TBSCertificateGenerator();
        generator.setSerialNumber(new ASN1Integer(serial.number()));
        generator.setSignature(SignatureSchemes.identifier(issuer.scheme()));
        generator.setIssuer(issuer.name());
        generator.setStartDate(new Time(Date.from(notBefore), Locale.ROOT));
        generator.setEndDate(new Time(Date.from(notAfter), Locale.ROOT));
        generator.setSubject(subject);
        generator.setSubjectPublicKeyInfo(publicKey);
        generator.setExtensions(extensions.generate());
        return generator.generateTBSCertificate();
    }

    /// Lints, signs, and reads back what was signed.
    ///
    /// @param issuer its certificate; null for a self-signed one
    /// @throws IllegalStateException when the lint finds a fault: nothing is signed then
    static X509Certificate sign(
            TBSCertificate contents, @Nullable X509Certificate issuer, UnaryOperator<byte[]> signer) {
        List<String> faults = CertificateLint.check(contents, issuer);
        if (!faults.isEmpty()) {
            throw new IllegalStateException("refused to sign a certificate: " + String.join("; ", faults));
        }
        try {
            byte[] signature = signer.apply(contents.getEncoded(ASN1Encoding.DER));
            ASN1EncodableVector all = new ASN1EncodableVector();
            all.add(contents);
            all.add(contents.getSignature());
            all.add(new DERBitString(signature));
            return Certificates.parse(new DERSequence(all).getEncoded(ASN1Encoding.DER));
        } catch (IOException | X509FormatException e) {
            throw new IllegalStateException("signed a certificate that can't be read back", e);
        }
    }

    private static void addKeyIds(
            ExtensionsGenerator extensions, SubjectPublicKeyInfo publicKey, Issuer issuer, boolean withAuthority) {
        add(extensions, Extension.subjectKeyIdentifier, false, new SubjectKeyIdentifier(keyId(publicKey)));
        if (withAuthority) {
            add(extensions, Extension.authorityKeyIdentifier, false, issuer.keyId());
        }
    }

    /// RFC 5280 sections 4.2.1.13 and 4.2.2.1: where to ask whether the certificate still counts.
    ///
    /// @param listPart of the issuer's revocation list; 0 for the whole
    private static void addStatusUrls(ExtensionsGenerator extensions, Issuer issuer, long listPart) {
        String base = issuer.urls();
        if (base == null) {
            return;
        }
        List<AccessDescription> access = new ArrayList<>();
        access.add(new AccessDescription(AccessDescription.id_ad_ocsp, uri(base + "/ocsp")));
        access.add(new AccessDescription(AccessDescription.id_ad_caIssuers, uri(base + "/ca/" + issuer.id() + ".cer")));
        add(
                extensions,
                Extension.authorityInfoAccess,
                false,
                new AuthorityInformationAccess(access.toArray(AccessDescription[]::new)));
        DistributionPoint point = new DistributionPoint(
                new DistributionPointName(new GeneralNames(uri(new ListName(issuer.id(), listPart, false).url(base)))),
                null,
                null);
        add(extensions, Extension.cRLDistributionPoints, false, new CRLDistPoint(new DistributionPoint[] {point}));
    }

    /// The extension's value as a parsed certificate gives it: an OCTET STRING around the names.
    static byte[] alternativeNames(List<String> names) {
        try {
            return new DEROctetString(new GeneralNames(
                            names.stream().map(CertificateTemplate::name).toArray(GeneralName[]::new)))
                    .getEncoded(ASN1Encoding.DER);
        } catch (IOException e) {
            throw new IllegalStateException("names that can't be encoded", e);
        }
    }

    private static GeneralName uri(String text) {
        return new GeneralName(GeneralName.uniformResourceIdentifier, text);
    }

    /// Whether an authority with this certificate may certify these names, the first of which is the common name.
    static boolean permits(X509Certificate issuer, List<String> names) {
        String common = names.getFirst().substring(names.getFirst().indexOf(':') + 1);
        return NameLimits.permits(
                issuer,
                commonName(common),
                names.stream().map(CertificateTemplate::name).toList());
    }

    private static GeneralName name(String text) {
        int colon = text.indexOf(':');
        String value = text.substring(colon + 1);
        return switch (text.substring(0, colon)) {
            case "URI" -> uri(value);
            case "DNS" -> new GeneralName(GeneralName.dNSName, value);
            case "IP" -> new GeneralName(GeneralName.iPAddress, value);
            default -> throw new IllegalArgumentException("not an alternative name: " + text);
        };
    }

    /// RFC 7093 section 2, method 1: the leftmost 160 bits of SHA-256 over the public key.
    static byte[] keyId(SubjectPublicKeyInfo publicKey) {
        try {
            byte[] hash = MessageDigest.getInstance("SHA-256")
                    .digest(publicKey.getPublicKeyData().getOctets());
            return java.util.Arrays.copyOf(hash, 20);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("SHA-256 is missing from this Java platform", e);
        }
    }

    private static void add(
            ExtensionsGenerator extensions,
            org.bouncycastle.asn1.ASN1ObjectIdentifier type,
            boolean critical,
            org.bouncycastle.asn1.ASN1Encodable value) {
        try {
            extensions.addExtension(type, critical, value);
        } catch (IOException e) {
            throw new IllegalStateException("an extension that can't be encoded", e);
        }
    }
}
