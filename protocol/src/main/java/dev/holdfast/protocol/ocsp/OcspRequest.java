package dev.holdfast.protocol.ocsp;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.bouncycastle.asn1.ASN1OctetString;
import org.bouncycastle.asn1.ASN1Primitive;
import org.bouncycastle.asn1.ASN1Sequence;
import org.bouncycastle.asn1.ocsp.CertID;
import org.bouncycastle.asn1.ocsp.OCSPObjectIdentifiers;
import org.bouncycastle.asn1.ocsp.Request;
import org.bouncycastle.asn1.ocsp.TBSRequest;
import org.bouncycastle.asn1.x509.Extension;

/// A question about certificates (RFC 6960 section 4.1). A requestor's signature is neither needed nor looked at.
///
/// @param nonce as it stood in the request, at most 128 octets (RFC 9654 section 2.1)
public record OcspRequest(List<CertID> certificates, Optional<ASN1OctetString> nonce) {
    private static final int MOST_OCTETS = 16 * 1024;
    private static final int MOST_CERTIFICATES = 16;
    private static final int LONGEST_NONCE = 128;

    public OcspRequest {
        certificates = List.copyOf(certificates);
    }

    /// @throws OcspFormatException when it is not a request, or asks for more than 16 certificates
    public static OcspRequest parse(byte[] der) throws OcspFormatException {
        if (der.length == 0 || der.length > MOST_OCTETS) {
            throw new OcspFormatException("a request of " + der.length + " octets is not accepted");
        }
        try {
            org.bouncycastle.asn1.ocsp.OCSPRequest parsed =
                    org.bouncycastle.asn1.ocsp.OCSPRequest.getInstance(ASN1Primitive.fromByteArray(der));
            if (parsed == null) {
                throw new OcspFormatException("no request");
            }
            TBSRequest contents = parsed.getTbsRequest();
            ASN1Sequence list = contents.getRequestList();
            if (list.size() == 0 || list.size() > MOST_CERTIFICATES) {
                throw new OcspFormatException("ask for 1 to " + MOST_CERTIFICATES + " certificates at once");
            }
            List<CertID> certificates = new ArrayList<>();
            for (var element : list) {
                CertID id = Request.getInstance(element).getReqCert();
                if (id.getSerialNumber().getValue().bitLength() > 160
                        || id.getIssuerNameHash().getOctetsLength() > 64
                        || id.getIssuerKeyHash().getOctetsLength() > 64) {
                    throw new OcspFormatException("a certificate id of unreasonable size");
                }
                certificates.add(id);
            }
            return new OcspRequest(certificates, nonce(contents));
        } catch (IOException | RuntimeException e) {
            throw new OcspFormatException("not an OCSP request", e);
        }
    }

    private static Optional<ASN1OctetString> nonce(TBSRequest contents) throws OcspFormatException {
        if (contents.getRequestExtensions() == null) {
            return Optional.empty();
        }
        Extension nonce = contents.getRequestExtensions().getExtension(OCSPObjectIdentifiers.id_pkix_ocsp_nonce);
        if (nonce == null) {
            return Optional.empty();
        }
        int length = nonce.getExtnValue().getOctetsLength();
        if (length == 0 || length > LONGEST_NONCE + 3) {
            throw new OcspFormatException("a nonce has 1 to " + LONGEST_NONCE + " octets");
        }
        return Optional.of(nonce.getExtnValue());
    }
}
