package dev.holdfast.protocol.x509;

import dev.holdfast.protocol.der.DerFormatException;
import dev.holdfast.protocol.der.DerShape;
import java.io.ByteArrayInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.cert.CertificateEncodingException;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.ASN1OctetString;
import org.bouncycastle.asn1.x500.RDN;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x500.style.BCStyle;
import org.bouncycastle.asn1.x500.style.IETFUtils;
import org.bouncycastle.asn1.x509.Extension;

/// Reading certificates.
public final class Certificates {
    private static final int MOST_OCTETS = 64 * 1024;

    private Certificates() {}

    /// @throws X509FormatException when it is not one DER certificate
    public static X509Certificate parse(byte[] der) throws X509FormatException {
        if (der.length == 0 || der.length > MOST_OCTETS) {
            throw new X509FormatException("a certificate of " + der.length + " octets is not accepted");
        }
        try {
            DerShape.require(der);
            ByteArrayInputStream in = new ByteArrayInputStream(der);
            X509Certificate certificate =
                    (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(in);
            if (in.available() > 0) {
                throw new X509FormatException("octets after the certificate");
            }
            return certificate;
        } catch (DerFormatException e) {
            throw new X509FormatException("not a certificate in DER: " + e.getMessage(), e);
        } catch (CertificateException e) {
            throw new X509FormatException("not a certificate", e);
        }
    }

    /// @throws X509FormatException when a block is not a certificate, or there is none
    public static List<X509Certificate> parsePem(String text) throws X509FormatException {
        List<X509Certificate> all = new ArrayList<>();
        for (byte[] der : Pem.decode(Pem.CERTIFICATE, text)) {
            all.add(parse(der));
        }
        if (all.isEmpty()) {
            throw new X509FormatException("no CERTIFICATE block found");
        }
        return all;
    }

    public static String pem(X509Certificate certificate) {
        return Pem.encode(Pem.CERTIFICATE, der(certificate));
    }

    public static byte[] der(X509Certificate certificate) {
        try {
            return certificate.getEncoded();
        } catch (CertificateEncodingException e) {
            throw new IllegalStateException("a parsed certificate has no encoding", e);
        }
    }

    /// SHA-256 over the DER, lower-case hexadecimal.
    public static String fingerprint(X509Certificate certificate) {
        return sha256(der(certificate));
    }

    /// The same as `openssl x509 -fingerprint -sha256` prints it, for people who compare the two.
    public static String printedFingerprint(X509Certificate certificate) {
        return HexFormat.ofDelimiter(":")
                .withUpperCase()
                .formatHex(HexFormat.of().parseHex(fingerprint(certificate)));
    }

    /// SHA-256 over the SubjectPublicKeyInfo, lower-case hexadecimal: the name of a key.
    public static String keyFingerprint(byte[] subjectPublicKeyInfo) {
        return sha256(subjectPublicKeyInfo);
    }

    /// The one common name of the subject; empty where there is none or several, or it is no text.
    public static Optional<String> commonName(X509Certificate certificate) {
        return attribute(certificate, BCStyle.CN);
    }

    /// The subject's serialNumber attribute, the product serial of an IDevID (IEEE 802.1AR section 8.6).
    public static Optional<String> productSerial(X509Certificate certificate) {
        return attribute(certificate, BCStyle.SERIALNUMBER);
    }

    private static Optional<String> attribute(X509Certificate certificate, ASN1ObjectIdentifier type) {
        return attribute(
                X500Name.getInstance(certificate.getSubjectX500Principal().getEncoded()), type);
    }

    static Optional<String> attribute(X500Name subject, ASN1ObjectIdentifier type) {
        RDN[] found = subject.getRDNs(type);
        if (found.length != 1 || found[0].isMultiValued()) {
            return Optional.empty();
        }
        try {
            return Optional.of(IETFUtils.valueToString(found[0].getFirst().getValue()));
        } catch (IllegalArgumentException noText) { // octets that are not UTF-8, for one
            return Optional.empty();
        }
    }

    /// The subject's key identifier (RFC 5280 section 4.2.1.2): what those that it signs name it by.
    ///
    /// @throws IllegalArgumentException when the certificate has none; every CA must
    public static byte[] subjectKeyId(X509Certificate certificate) {
        byte[] extension = certificate.getExtensionValue(Extension.subjectKeyIdentifier.getId());
        if (extension == null) {
            throw new IllegalArgumentException("a certificate without subjectKeyIdentifier");
        }
        return ASN1OctetString.getInstance(
                        ASN1OctetString.getInstance(extension).getOctets())
                .getOctets();
    }

    private static String sha256(byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("SHA-256 is missing from this Java platform", e);
        }
    }
}
