package dev.holdfast.protocol.ocsp;

import dev.holdfast.protocol.x509.SignatureSchemes;
import java.io.IOException;
import java.time.Instant;
import java.util.Date;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.bouncycastle.asn1.ASN1EncodableVector;
import org.bouncycastle.asn1.ASN1Encoding;
import org.bouncycastle.asn1.ASN1GeneralizedTime;
import org.bouncycastle.asn1.ASN1OctetString;
import org.bouncycastle.asn1.DERBitString;
import org.bouncycastle.asn1.DERGeneralizedTime;
import org.bouncycastle.asn1.DERNull;
import org.bouncycastle.asn1.DEROctetString;
import org.bouncycastle.asn1.DERSequence;
import org.bouncycastle.asn1.ocsp.BasicOCSPResponse;
import org.bouncycastle.asn1.ocsp.CertID;
import org.bouncycastle.asn1.ocsp.CertStatus;
import org.bouncycastle.asn1.ocsp.OCSPObjectIdentifiers;
import org.bouncycastle.asn1.ocsp.OCSPResponse;
import org.bouncycastle.asn1.ocsp.OCSPResponseStatus;
import org.bouncycastle.asn1.ocsp.ResponderID;
import org.bouncycastle.asn1.ocsp.ResponseBytes;
import org.bouncycastle.asn1.ocsp.ResponseData;
import org.bouncycastle.asn1.ocsp.RevokedInfo;
import org.bouncycastle.asn1.ocsp.SingleResponse;
import org.bouncycastle.asn1.x509.CRLReason;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.Extensions;

/// Answers about certificates (RFC 6960 section 4.2).
public final class OcspResponse {
    private OcspResponse() {}

    /// What is said of one certificate.
    public sealed interface Status {
        record Good() implements Status {}

        /// @param reason CRLReason's number; 0 is left out, as RFC 5280 section 5.3.1 recommends
        record Revoked(Instant at, int reason) implements Status {}

        /// The responder knows nothing of it.
        record Unknown() implements Status {}
    }

    public record Single(CertID certificate, Status status) {}

    /// Errors that are not signed (section 2.3).
    public enum Failure {
        MALFORMED_REQUEST(OCSPResponseStatus.MALFORMED_REQUEST),
        INTERNAL_ERROR(OCSPResponseStatus.INTERNAL_ERROR),
        TRY_LATER(OCSPResponseStatus.TRY_LATER),
        UNAUTHORIZED(OCSPResponseStatus.UNAUTHORIZED);

        private final int code;

        Failure(int code) {
            this.code = code;
        }

        public byte[] response() {
            try {
                return new OCSPResponse(new OCSPResponseStatus(code), null).getEncoded(ASN1Encoding.DER);
            } catch (IOException e) {
                throw new IllegalStateException("a constant that can't be encoded", e);
            }
        }
    }

    /// A signed answer, DER.
    ///
    /// @param responderKeyHash SHA-1 over the responder's public key (section 4.2.1, byKey)
    /// @param scheme of the signature, as Java names it
    public static byte[] signed(
            List<Single> answers,
            byte[] responderKeyHash,
            Instant now,
            Instant nextUpdate,
            Optional<ASN1OctetString> nonce,
            String scheme,
            UnaryOperator<byte[]> signer) {
        ASN1GeneralizedTime from = time(now);
        ASN1GeneralizedTime to = time(nextUpdate);
        ASN1EncodableVector singles = new ASN1EncodableVector();
        for (Single answer : answers) {
            singles.add(new SingleResponse(answer.certificate(), status(answer.status()), from, to, (Extensions) null));
        }
        Extensions extensions = nonce.map(
                        value -> new Extensions(new Extension(OCSPObjectIdentifiers.id_pkix_ocsp_nonce, false, value)))
                .orElse(null);
        ResponseData data = new ResponseData(
                new ResponderID(new DEROctetString(responderKeyHash)), from, new DERSequence(singles), extensions);
        try {
            byte[] signature = signer.apply(data.getEncoded(ASN1Encoding.DER));
            BasicOCSPResponse basic =
                    new BasicOCSPResponse(data, SignatureSchemes.identifier(scheme), new DERBitString(signature), null);
            return new OCSPResponse(
                            new OCSPResponseStatus(OCSPResponseStatus.SUCCESSFUL),
                            new ResponseBytes(
                                    OCSPObjectIdentifiers.id_pkix_ocsp_basic,
                                    new DEROctetString(basic.getEncoded(ASN1Encoding.DER))))
                    .getEncoded(ASN1Encoding.DER);
        } catch (IOException e) {
            throw new IllegalStateException("an answer that can't be encoded", e);
        }
    }

    private static CertStatus status(Status status) {
        return switch (status) {
            case Status.Good _ -> new CertStatus();
            case Status.Revoked revoked ->
                new CertStatus(new RevokedInfo(
                        time(revoked.at()), revoked.reason() == 0 ? null : CRLReason.lookup(revoked.reason())));
            case Status.Unknown _ -> new CertStatus(2, DERNull.INSTANCE);
        };
    }

    private static ASN1GeneralizedTime time(Instant at) {
        return new DERGeneralizedTime(Date.from(at));
    }
}
