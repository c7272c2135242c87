package dev.holdfast.protocol.ocsp;

import dev.holdfast.protocol.der.DerReader;
import dev.holdfast.protocol.der.DerWriter;
import dev.holdfast.protocol.x509.SignatureSchemes;
import java.io.IOException;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.bouncycastle.asn1.ASN1Encoding;

/// Answers about certificates (RFC 6960 section 4.2), always the basic response type, which every client
/// must take.
public final class OcspResponse {
    private static final int SUCCESSFUL = 0;

    /// id-pkix-ocsp-basic, 1.3.6.1.5.5.7.48.1.1
    private static final byte[] BASIC = {0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x01};

    private OcspResponse() {}

    /// What is said of one certificate.
    public sealed interface Status {
        record Good() implements Status {}

        /// @param reason CRLReason's number; 0 is left out, as RFC 5280 section 5.3.1 recommends
        record Revoked(Instant at, int reason) implements Status {}

        /// The responder knows nothing of it.
        record Unknown() implements Status {}
    }

    public record Single(CertificateId certificate, Status status) {}

    /// Errors that are not signed (section 2.3).
    public enum Failure {
        MALFORMED_REQUEST(1),
        INTERNAL_ERROR(2),
        TRY_LATER(3),
        UNAUTHORIZED(6);

        private final int code;

        Failure(int code) {
            this.code = code;
        }

        public byte[] response() {
            return new DerWriter(16)
                    .element(DerReader.ENUMERATED, new byte[] {(byte) code})
                    .header(DerReader.SEQUENCE, 0)
                    .toByteArray();
        }
    }

    /// Who signs answers, for how long they hold, and how the signature is checked.
    public static final class Responder {
        private final byte[] keyHash;
        private final byte[] algorithm;
        private final byte[] certificates;

        /// @param keyHash SHA-1 over the responder's public key (section 4.2.1, byKey)
        /// @param scheme of its signatures, as Java names it
        /// @param certificate of the responder, DER, when it is not the issuer itself (section 4.2.2.2)
        public Responder(byte[] keyHash, String scheme, Optional<byte[]> certificate) {
            this.keyHash = keyHash.clone();
            try {
                this.algorithm = SignatureSchemes.identifier(scheme).getEncoded(ASN1Encoding.DER);
            } catch (IOException e) {
                throw new IllegalStateException("a constant that can't be encoded", e);
            }
            this.certificates = certificate
                    .map(der -> {
                        DerWriter out = new DerWriter(der.length + 16);
                        int end = out.mark();
                        return out.bytes(der)
                                .header(DerReader.SEQUENCE, end)
                                .header(DerReader.tagged(0), end)
                                .toByteArray();
                    })
                    .orElseGet(() -> new byte[0]);
        }
    }

    /// A signed answer, DER.
    ///
    /// @param nonce its octets, where the request had one (RFC 9654)
    public static byte[] signed(
            Responder responder,
            List<Single> answers,
            Instant now,
            Instant nextUpdate,
            Optional<byte[]> nonce,
            UnaryOperator<byte[]> signer) {
        byte[] data = data(responder, answers, now, nextUpdate, nonce);
        byte[] signature = signer.apply(data);
        DerWriter out = new DerWriter(data.length + signature.length + responder.certificates.length + 64);
        int end = out.mark();
        return out.bytes(responder.certificates)
                .bitString(signature)
                .bytes(responder.algorithm)
                .bytes(data)
                .header(DerReader.SEQUENCE, end)
                .header(DerReader.OCTET_STRING, end)
                .element(DerReader.OID, BASIC)
                .header(DerReader.SEQUENCE, end)
                .header(DerReader.tagged(0), end)
                .element(DerReader.ENUMERATED, new byte[] {SUCCESSFUL})
                .header(DerReader.SEQUENCE, end)
                .toByteArray();
    }

    /// ResponseData: what is signed.
    private static byte[] data(
            Responder responder, List<Single> answers, Instant now, Instant nextUpdate, Optional<byte[]> nonce) {
        DerWriter out = new DerWriter(160 + 128 * answers.size());
        int end = out.mark();
        nonce.ifPresent(value -> out.element(DerReader.OCTET_STRING, value)
                .header(DerReader.OCTET_STRING, end)
                .element(DerReader.OID, OcspRequest.NONCE)
                .header(DerReader.SEQUENCE, end)
                .header(DerReader.SEQUENCE, end)
                .header(DerReader.tagged(1), end));
        int list = out.mark();
        for (Single answer : answers.reversed()) {
            single(out, answer, now, nextUpdate);
        }
        out.header(DerReader.SEQUENCE, list);
        out.generalizedTime(now);
        int id = out.mark();
        out.element(DerReader.OCTET_STRING, responder.keyHash).header(DerReader.tagged(2), id);
        return out.header(DerReader.SEQUENCE, end).toByteArray();
    }

    private static void single(DerWriter out, Single answer, Instant now, Instant nextUpdate) {
        int end = out.mark();
        out.generalizedTime(nextUpdate).header(DerReader.tagged(0), end).generalizedTime(now);
        switch (answer.status()) {
            case Status.Good _ -> out.octet(0).octet(0x80);
            case Status.Unknown _ -> out.octet(0).octet(0x82);
            case Status.Revoked revoked -> {
                int info = out.mark();
                if (revoked.reason() != 0) {
                    out.element(DerReader.ENUMERATED, new byte[] {(byte) revoked.reason()})
                            .header(DerReader.tagged(0), info);
                }
                out.generalizedTime(revoked.at()).header(DerReader.tagged(1), info);
            }
        }
        out.bytes(answer.certificate().der()).header(DerReader.SEQUENCE, end);
    }
}
