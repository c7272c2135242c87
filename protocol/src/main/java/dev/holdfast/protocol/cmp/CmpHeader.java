package dev.holdfast.protocol.cmp;

import java.text.ParseException;
import java.time.Instant;
import java.util.HexFormat;
import java.util.Optional;
import org.bouncycastle.asn1.ASN1OctetString;
import org.bouncycastle.asn1.ASN1Sequence;
import org.bouncycastle.asn1.ASN1UTF8String;
import org.bouncycastle.asn1.cmp.CMPObjectIdentifiers;
import org.bouncycastle.asn1.cmp.InfoTypeAndValue;
import org.bouncycastle.asn1.cmp.PKIHeader;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.asn1.x509.GeneralName;
import org.jspecify.annotations.Nullable;

/// The header of a message (RFC 9810 section 5.1.1, RFC 9483 section 3.1), as far as anything depends on it.
///
/// @param version 2 (cmp2000) or 3 (cmp2021)
/// @param messageTime as the sender's clock had it
/// @param protectionAlgorithm empty when the message is unprotected
/// @param senderKid the shared secret's id, or the key identifier of the certificate that protects;
///     hexadecimal
/// @param transactionId hexadecimal, 16 to 32 octets
/// @param senderNonce hexadecimal, 16 to 64 octets
/// @param recipientNonce hexadecimal, what the sender has from us
/// @param implicitConfirm the sender would rather not send certConf (section 5.1.1.1)
/// @param profile the certificate profile that it wants (section 5.1.1.4)
public record CmpHeader(
        int version,
        GeneralName sender,
        Optional<Instant> messageTime,
        Optional<AlgorithmIdentifier> protectionAlgorithm,
        Optional<String> senderKid,
        String transactionId,
        String senderNonce,
        Optional<String> recipientNonce,
        boolean implicitConfirm,
        Optional<String> profile) {
    private static final int MOST_INFO = 16;
    private static final int LONGEST_KID = 128;

    /// @throws CmpException when a field that must be there is missing, or one has an unreasonable size
    static CmpHeader of(PKIHeader header) throws CmpException {
        int version = header.getPvno().hasValue(2) ? 2 : header.getPvno().hasValue(3) ? 3 : 0;
        if (version == 0) {
            throw new CmpException(CmpFailure.UNSUPPORTED_VERSION, "pvno is 2 (cmp2000) or 3 (cmp2021)");
        }
        String transaction = octets(header.getTransactionID(), 16, 32)
                .orElseThrow(() -> new CmpException(
                        CmpFailure.BAD_REQUEST, "the transactionID is missing or not of 16 to 32 octets"));
        String nonce = octets(header.getSenderNonce(), 16, 64)
                .orElseThrow(() -> new CmpException(
                        CmpFailure.BAD_SENDER_NONCE, "the senderNonce is missing or not of 16 to 64 octets"));
        Optional<String> recipient = octets(header.getRecipNonce(), 16, 64);
        if (header.getRecipNonce() != null && recipient.isEmpty()) {
            throw new CmpException(CmpFailure.BAD_RECIPIENT_NONCE, "the recipNonce is not of 16 to 64 octets");
        }
        Optional<String> kid = octets(header.getSenderKID(), 1, LONGEST_KID);
        if (header.getSenderKID() != null && kid.isEmpty()) {
            throw new CmpException(
                    CmpFailure.BAD_DATA_FORMAT, "the senderKID is not of 1 to " + LONGEST_KID + " octets");
        }
        InfoTypeAndValue[] info = header.getGeneralInfo() == null ? new InfoTypeAndValue[0] : header.getGeneralInfo();
        if (info.length > MOST_INFO) {
            throw new CmpException(CmpFailure.BAD_DATA_FORMAT, "more than " + MOST_INFO + " items of generalInfo");
        }
        return new CmpHeader(
                version,
                header.getSender(),
                time(header),
                Optional.ofNullable(header.getProtectionAlg()),
                kid,
                transaction,
                nonce,
                recipient,
                find(info, CMPObjectIdentifiers.it_implicitConfirm).isPresent(),
                profile(info));
    }

    private static Optional<String> octets(@Nullable ASN1OctetString value, int least, int most) {
        return value == null || value.getOctetsLength() < least || value.getOctetsLength() > most
                ? Optional.empty()
                : Optional.of(HexFormat.of().formatHex(value.getOctets()));
    }

    private static Optional<Instant> time(PKIHeader header) throws CmpException {
        if (header.getMessageTime() == null) {
            return Optional.empty();
        }
        try {
            return Optional.of(header.getMessageTime().getDate().toInstant());
        } catch (ParseException e) {
            throw new CmpException(CmpFailure.BAD_TIME, "the messageTime can't be read", e);
        }
    }

    private static Optional<InfoTypeAndValue> find(
            InfoTypeAndValue[] info, org.bouncycastle.asn1.ASN1ObjectIdentifier type) {
        for (InfoTypeAndValue item : info) {
            if (item.getInfoType().equals(type)) {
                return Optional.of(item);
            }
        }
        return Optional.empty();
    }

    /// CertProfileValue ::= SEQUENCE SIZE (1..MAX) OF UTF8String; one, because one certificate is asked for.
    private static Optional<String> profile(InfoTypeAndValue[] info) throws CmpException {
        Optional<InfoTypeAndValue> found = find(info, CMPObjectIdentifiers.id_it_certProfile);
        if (found.isEmpty()) {
            return Optional.empty();
        }
        ASN1Sequence names = ASN1Sequence.getInstance(found.get().getInfoValue());
        if (names == null || names.size() != 1) {
            throw new CmpException(CmpFailure.BAD_REQUEST, "certProfile names one profile");
        }
        return Optional.of(ASN1UTF8String.getInstance(names.getObjectAt(0)).getString());
    }
}
