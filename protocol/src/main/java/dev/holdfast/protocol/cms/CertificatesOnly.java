package dev.holdfast.protocol.cms;

import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.protocol.x509.X509FormatException;
import java.io.IOException;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import org.bouncycastle.asn1.ASN1EncodableVector;
import org.bouncycastle.asn1.ASN1Encoding;
import org.bouncycastle.asn1.ASN1Integer;
import org.bouncycastle.asn1.ASN1Primitive;
import org.bouncycastle.asn1.ASN1Set;
import org.bouncycastle.asn1.DERSet;
import org.bouncycastle.asn1.DLSequence;
import org.bouncycastle.asn1.DLSet;
import org.bouncycastle.asn1.DLTaggedObject;
import org.bouncycastle.asn1.cms.CMSObjectIdentifiers;
import org.bouncycastle.asn1.cms.ContentInfo;
import org.bouncycastle.asn1.cms.SignedData;

/// The degenerate SignedData without signers that carries certificates (RFC 5652 section 5.1, RFC 5272 section 4.1:
/// "certs-only").
public final class CertificatesOnly {
    private static final int MOST_OCTETS = 256 * 1024;
    private static final int MOST_CERTIFICATES = 64;

    private CertificatesOnly() {}

    /// The message, DER, with the certificates in the order given (so not sorted as a SET would be in strict DER;
    /// clients read the first as theirs, and RFC 5652 asks for DER only of what is signed).
    public static byte[] encode(List<X509Certificate> certificates) {
        try {
            ASN1EncodableVector all = new ASN1EncodableVector();
            for (X509Certificate certificate : certificates) {
                // Its own octets: a certificate built anew may leave out a default that its signature is over.
                all.add(ASN1Primitive.fromByteArray(Certificates.der(certificate)));
            }
            // RFC 5652 section 5.1. Not by the library's SignedData, which sorts the certificates when it writes.
            ASN1EncodableVector data = new ASN1EncodableVector();
            data.add(new ASN1Integer(1));
            data.add(new DERSet());
            data.add(new ContentInfo(CMSObjectIdentifiers.data, null));
            data.add(new DLTaggedObject(false, 0, new DLSet(all)));
            data.add(new DERSet());
            return new ContentInfo(CMSObjectIdentifiers.signedData, new DLSequence(data)).getEncoded(ASN1Encoding.DL);
        } catch (IOException e) {
            throw new IllegalStateException("certificates that can't be encoded again", e);
        }
    }

    /// @throws X509FormatException when it is not such a message
    public static List<X509Certificate> decode(byte[] message) throws X509FormatException {
        if (message.length == 0 || message.length > MOST_OCTETS) {
            throw new X509FormatException("a message of " + message.length + " octets is not accepted");
        }
        try {
            ContentInfo info = ContentInfo.getInstance(ASN1Primitive.fromByteArray(message));
            if (info == null || !CMSObjectIdentifiers.signedData.equals(info.getContentType())) {
                throw new X509FormatException("not a SignedData");
            }
            ASN1Set certificates = SignedData.getInstance(info.getContent()).getCertificates();
            List<X509Certificate> all = new ArrayList<>();
            if (certificates != null) {
                if (certificates.size() > MOST_CERTIFICATES) {
                    throw new X509FormatException("more than " + MOST_CERTIFICATES + " certificates");
                }
                for (var certificate : certificates) {
                    all.add(Certificates.parse(certificate.toASN1Primitive().getEncoded()));
                }
            }
            return all;
        } catch (IOException | RuntimeException e) {
            throw new X509FormatException("not a certificates-only message", e);
        }
    }
}
