package dev.holdfast.protocol.acme;

import java.math.BigInteger;
import java.security.cert.X509Certificate;
import java.util.HexFormat;
import org.bouncycastle.asn1.ASN1OctetString;
import org.bouncycastle.asn1.x509.AuthorityKeyIdentifier;
import org.bouncycastle.asn1.x509.Extension;

/// How renewal information names a certificate (RFC 9773 section 4.1): the key identifier of its issuer and its
/// serial, both base64url, with a dot between.
///
/// @param issuerKey lower-case hexadecimal
public record CertificateId(String issuerKey, BigInteger serial) {
    private static final int MOST_OCTETS = 64;

    /// @throws AcmeException `malformed`
    public static CertificateId parse(String text) throws AcmeException {
        int dot = text.indexOf('.');
        if (dot < 1 || text.length() > 2 * MOST_OCTETS) {
            throw AcmeText.malformed("a certificate's id is two base64url texts with a dot between");
        }
        byte[] issuer = AcmeText.base64url(text.substring(0, dot), "the issuer's key id");
        byte[] serial = AcmeText.base64url(text.substring(dot + 1), "the serial");
        BigInteger number = serial.length == 0 ? BigInteger.ZERO : new BigInteger(serial);
        if (issuer.length > MOST_OCTETS
                || serial.length > 21
                || number.signum() <= 0
                || number.toByteArray().length != serial.length) {
            throw AcmeText.malformed("the serial is not the content of a positive DER INTEGER");
        }
        return new CertificateId(HexFormat.of().formatHex(issuer), number);
    }

    /// @throws AcmeException `malformed` for a certificate that does not name its issuer's key
    public static CertificateId of(X509Certificate certificate) throws AcmeException {
        byte[] value = certificate.getExtensionValue(Extension.authorityKeyIdentifier.getId());
        if (value == null) {
            throw AcmeText.malformed("the certificate has no authority key identifier");
        }
        try {
            byte[] key = AuthorityKeyIdentifier.getInstance(
                            ASN1OctetString.getInstance(value).getOctets())
                    .getKeyIdentifierOctets();
            if (key == null) {
                throw AcmeText.malformed("the authority key identifier has no key");
            }
            return new CertificateId(HexFormat.of().formatHex(key), certificate.getSerialNumber());
        } catch (IllegalArgumentException e) {
            throw AcmeText.malformed("the authority key identifier can't be read");
        }
    }

    public String text() {
        return AcmeText.encode(HexFormat.of().parseHex(issuerKey)) + "." + AcmeText.encode(serial.toByteArray());
    }
}
