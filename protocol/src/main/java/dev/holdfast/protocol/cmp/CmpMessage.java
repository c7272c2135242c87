package dev.holdfast.protocol.cmp;

import dev.holdfast.protocol.der.DerFormatException;
import dev.holdfast.protocol.der.DerShape;
import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.protocol.x509.X509FormatException;
import java.io.IOException;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.bouncycastle.asn1.ASN1Encoding;
import org.bouncycastle.asn1.ASN1OctetString;
import org.bouncycastle.asn1.ASN1Primitive;
import org.bouncycastle.asn1.DEROctetString;
import org.bouncycastle.asn1.cmp.CMPCertificate;
import org.bouncycastle.asn1.cmp.PKIMessage;
import org.bouncycastle.asn1.cmp.ProtectedPart;

/// A message as it came (RFC 9810 section 5.1). Nothing in it is believed until its protection has been
/// checked; [MessageProtection] says how.
///
/// @param protectedPart header and body, DER: what the protection is over
/// @param protection empty when there is none
/// @param extraCertificates for signatures, the certificate that protects comes first (RFC 9483 section 3.3)
public record CmpMessage(
        CmpHeader header,
        CmpBody body,
        ASN1OctetString protectedPart,
        Optional<ASN1OctetString> protection,
        List<X509Certificate> extraCertificates) {
    /// A request with a chain of post-quantum certificates fits; nothing that a device has to say is longer.
    public static final int MOST_OCTETS = 64 * 1024;

    private static final int MOST_CERTIFICATES = 10;

    public CmpMessage {
        extraCertificates = List.copyOf(extraCertificates);
    }

    /// Parses, in this order, so that hostile bytes cost as little as they can: 1. the size; 2. the skeleton
    /// of DER; 3. the structure, which must encode to the very same octets; 4. header, 5. body, 6.
    /// certificates.
    ///
    /// @throws CmpException when it is not a message that a device may send, in its one DER form
    public static CmpMessage parse(byte[] der) throws CmpException {
        if (der.length == 0 || der.length > MOST_OCTETS) {
            throw new CmpException(
                    CmpFailure.BAD_DATA_FORMAT, "a message of " + der.length + " octets is not accepted");
        }
        try {
            DerShape.require(der);
        } catch (DerFormatException e) {
            throw new CmpException(CmpFailure.BAD_DATA_FORMAT, String.valueOf(e.getMessage()), e);
        }
        try {
            PKIMessage message = PKIMessage.getInstance(ASN1Primitive.fromByteArray(der));
            if (message == null || !Arrays.equals(message.getEncoded(ASN1Encoding.DER), der)) {
                throw new CmpException(CmpFailure.BAD_DATA_FORMAT, "not in DER");
            }
            CmpHeader header = CmpHeader.of(message.getHeader());
            Optional<ASN1OctetString> protection = Optional.empty();
            if (message.getProtection() != null) {
                if (message.getProtection().getPadBits() != 0) {
                    throw new CmpException(CmpFailure.BAD_DATA_FORMAT, "a protection that is not of whole octets");
                }
                protection =
                        Optional.of(new DEROctetString(message.getProtection().getOctets()));
            }
            return new CmpMessage(
                    header,
                    BodyReader.read(message.getBody()),
                    new DEROctetString(
                            new ProtectedPart(message.getHeader(), message.getBody()).getEncoded(ASN1Encoding.DER)),
                    protection,
                    certificates(message));
        } catch (IOException | RuntimeException e) {
            throw new CmpException(CmpFailure.BAD_DATA_FORMAT, "not a CMP message", e);
        }
    }

    private static List<X509Certificate> certificates(PKIMessage message) throws CmpException, IOException {
        CMPCertificate[] extra = message.getExtraCerts();
        if (extra == null) {
            return List.of();
        }
        if (extra.length > MOST_CERTIFICATES) {
            throw new CmpException(
                    CmpFailure.BAD_DATA_FORMAT, "more than " + MOST_CERTIFICATES + " certificates in extraCerts");
        }
        List<X509Certificate> all = new ArrayList<>();
        for (CMPCertificate one : extra) {
            if (!one.isX509v3PKCert()) {
                throw new CmpException(CmpFailure.BAD_DATA_FORMAT, "extraCerts holds what is no X.509 certificate");
            }
            try {
                all.add(Certificates.parse(one.getX509v3PKCert().getEncoded(ASN1Encoding.DER)));
            } catch (X509FormatException e) {
                throw new CmpException(CmpFailure.BAD_DATA_FORMAT, "a certificate in extraCerts can't be read", e);
            }
        }
        return all;
    }
}
