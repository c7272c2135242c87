package dev.holdfast.protocol.cmp;

import dev.holdfast.protocol.x509.SignatureSchemes;
import java.io.IOException;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Date;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.bouncycastle.asn1.ASN1Encoding;
import org.bouncycastle.asn1.DERBitString;
import org.bouncycastle.asn1.DERGeneralizedTime;
import org.bouncycastle.asn1.DERNull;
import org.bouncycastle.asn1.cmp.CMPCertificate;
import org.bouncycastle.asn1.cmp.CMPObjectIdentifiers;
import org.bouncycastle.asn1.cmp.InfoTypeAndValue;
import org.bouncycastle.asn1.cmp.PKIBody;
import org.bouncycastle.asn1.cmp.PKIHeader;
import org.bouncycastle.asn1.cmp.PKIHeaderBuilder;
import org.bouncycastle.asn1.cmp.PKIMessage;
import org.bouncycastle.asn1.cmp.ProtectedPart;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.asn1.x509.GeneralName;

/// An answer on its way (RFC 9483 section 3.1): its header, and its protection. There is no way to make an
/// unprotected one.
///
/// @param request whose answer it is; empty where the request could not even be read
/// @param sender who we are
/// @param nonce ours, 16 octets, hexadecimal
/// @param implicitlyConfirmed no certConf is expected
/// @param confirmBefore until when certConf is awaited
/// @param extraCertificates what the receiver may need, besides the chain of the certificate that signs
public record AnswerEnvelope(
        Optional<CmpHeader> request,
        X500Name sender,
        Instant now,
        String nonce,
        boolean implicitlyConfirmed,
        Optional<Instant> confirmBefore,
        List<X509Certificate> extraCertificates) {
    private static final int VERSION = 2;

    public AnswerEnvelope {
        extraCertificates = List.copyOf(extraCertificates);
    }

    /// What makes an answer ours.
    public sealed interface Protection {
        /// @param chain the certificate that signs, then those above it, without the root
        /// @param scheme as Java names it
        record Signature(List<X509Certificate> chain, String scheme, UnaryOperator<byte[]> signer)
                implements Protection {
            public Signature {
                chain = List.copyOf(chain);
            }
        }

        /// The way the request was protected, with a salt of its own.
        record Secret(MacAlgorithm algorithm, UnaryOperator<byte[]> code) implements Protection {}
    }

    /// The whole answer, DER.
    public byte[] seal(PKIBody body, Protection protection) {
        try {
            return switch (protection) {
                case Protection.Signature by -> {
                    PKIHeader header = header(
                            SignatureSchemes.identifier(by.scheme()),
                            MessageProtection.keyIdentifier(by.chain().getFirst()));
                    List<X509Certificate> extra = new ArrayList<>(by.chain());
                    extraCertificates.stream().filter(c -> !extra.contains(c)).forEach(extra::add);
                    yield seal(header, body, by.signer(), extra);
                }
                case Protection.Secret by ->
                    seal(
                            header(
                                    by.algorithm().identifier(),
                                    request.flatMap(CmpHeader::senderKid).map(HexFormat.of()::parseHex)),
                            body,
                            by.code(),
                            extraCertificates);
            };
        } catch (IOException e) {
            throw new IllegalStateException("an answer that can't be encoded", e);
        }
    }

    private static byte[] seal(
            PKIHeader header, PKIBody body, UnaryOperator<byte[]> protector, List<X509Certificate> extra)
            throws IOException {
        byte[] protection = protector.apply(new ProtectedPart(header, body).getEncoded(ASN1Encoding.DER));
        CMPCertificate[] certificates = extra.stream().map(Answers::certificate).toArray(CMPCertificate[]::new);
        return new PKIMessage(
                        header, body, new DERBitString(protection), certificates.length == 0 ? null : certificates)
                .getEncoded(ASN1Encoding.DER);
    }

    private PKIHeader header(AlgorithmIdentifier algorithm, Optional<byte[]> keyId) {
        PKIHeaderBuilder header = new PKIHeaderBuilder(
                request.map(CmpHeader::version).orElse(VERSION),
                new GeneralName(sender),
                request.map(CmpHeader::sender).orElse(PKIHeader.NULL_NAME));
        header.setMessageTime(new DERGeneralizedTime(Date.from(now)));
        header.setProtectionAlg(algorithm);
        keyId.ifPresent(header::setSenderKID);
        header.setSenderNonce(HexFormat.of().parseHex(nonce));
        request.ifPresent(asked -> {
            header.setTransactionID(HexFormat.of().parseHex(asked.transactionId()));
            header.setRecipNonce(HexFormat.of().parseHex(asked.senderNonce()));
        });
        List<InfoTypeAndValue> info = new ArrayList<>();
        if (implicitlyConfirmed) {
            info.add(new InfoTypeAndValue(CMPObjectIdentifiers.it_implicitConfirm, DERNull.INSTANCE));
        }
        confirmBefore.ifPresent(until -> info.add(new InfoTypeAndValue(
                CMPObjectIdentifiers.it_confirmWaitTime, new DERGeneralizedTime(Date.from(until)))));
        if (!info.isEmpty()) {
            header.setGeneralInfo(info.toArray(InfoTypeAndValue[]::new));
        }
        return header.build();
    }
}
