package dev.holdfast.protocol.cmp;

import java.math.BigInteger;
import java.util.List;
import java.util.Optional;
import org.bouncycastle.asn1.ASN1OctetString;
import org.bouncycastle.asn1.cmp.InfoTypeAndValue;
import org.bouncycastle.asn1.crmf.CertReqMsg;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;

/// What a message asks for (RFC 9810 section 5.1.2): the kinds that a device may send.
public sealed interface CmpBody {
    /// Which request a certificate answers; each has an answer of its own kind.
    enum Kind {
        INITIALIZATION,
        CERTIFICATION,
        KEY_UPDATE,
        PKCS10
    }

    /// ir, cr or kur (RFC 9483 sections 4.1.1 to 4.1.3): one request in CRMF.
    ///
    /// @param certReqId as the answer must repeat it
    /// @param replaces the certificate that this one is to replace, where the request names it
    record CertificateRequest(Kind kind, BigInteger certReqId, CertReqMsg request, Optional<CertificateId> replaces)
            implements CmpBody {}

    /// p10cr (RFC 9483 section 4.1.4).
    ///
    /// @param der PKCS #10
    record Pkcs10Request(ASN1OctetString der) implements CmpBody {}

    /// rr (RFC 9483 section 4.2).
    ///
    /// @param reason CRLReason's number
    record RevocationRequest(CertificateId certificate, Optional<Integer> reason) implements CmpBody {}

    /// genm (RFC 9483 section 4.3).
    record GeneralMessage(List<InfoTypeAndValue> questions) implements CmpBody {
        public GeneralMessage {
            questions = List.copyOf(questions);
        }
    }

    /// certConf (RFC 9483 section 4.1.1): what the device thinks of what it got; without any status it
    /// rejects all.
    record Confirmation(Optional<Status> status) implements CmpBody {
        /// @param hashAlgorithm where it is not the one of the certificate's signature
        /// @param accepted false when the device does not want the certificate
        /// @param text why not, as the device says it
        public record Status(
                ASN1OctetString certHash,
                BigInteger certReqId,
                Optional<AlgorithmIdentifier> hashAlgorithm,
                boolean accepted,
                String text) {}
    }

    /// pollReq (RFC 9483 section 4.4).
    record Poll(BigInteger certReqId) implements CmpBody {}

    /// error: the device gives the transaction up.
    ///
    /// @param text why, as the device says it
    record ClientError(String text) implements CmpBody {}

    /// A certificate by its issuer and number.
    record CertificateId(X500Name issuer, BigInteger serial) {}

    /// What the message is called, for people.
    default String name() {
        return switch (this) {
            case CertificateRequest request ->
                switch (request.kind()) {
                    case INITIALIZATION -> "ir";
                    case CERTIFICATION -> "cr";
                    case KEY_UPDATE -> "kur";
                    case PKCS10 -> "p10cr";
                };
            case Pkcs10Request _ -> "p10cr";
            case RevocationRequest _ -> "rr";
            case GeneralMessage _ -> "genm";
            case Confirmation _ -> "certConf";
            case Poll _ -> "pollReq";
            case ClientError _ -> "error";
        };
    }

    /// Whether it begins a transaction, rather than going on with one.
    default boolean opens() {
        return switch (this) {
            case CertificateRequest _, Pkcs10Request _, RevocationRequest _, GeneralMessage _ -> true;
            case Confirmation _, Poll _, ClientError _ -> false;
        };
    }
}
