package dev.holdfast.protocol.cmp;

import org.bouncycastle.asn1.ASN1BitString;
import org.bouncycastle.asn1.DERBitString;

/// What a request failed by (PKIFailureInfo, RFC 9810 section 5.2.3), in the order of its bits.
public enum CmpFailure {
    BAD_ALG,
    BAD_MESSAGE_CHECK,
    BAD_REQUEST,
    BAD_TIME,
    BAD_CERT_ID,
    BAD_DATA_FORMAT,
    WRONG_AUTHORITY,
    INCORRECT_DATA,
    MISSING_TIME_STAMP,
    BAD_POP,
    CERT_REVOKED,
    CERT_CONFIRMED,
    WRONG_INTEGRITY,
    BAD_RECIPIENT_NONCE,
    TIME_NOT_AVAILABLE,
    UNACCEPTED_POLICY,
    UNACCEPTED_EXTENSION,
    ADD_INFO_NOT_AVAILABLE,
    BAD_SENDER_NONCE,
    BAD_CERT_TEMPLATE,
    SIGNER_NOT_TRUSTED,
    TRANSACTION_ID_IN_USE,
    UNSUPPORTED_VERSION,
    NOT_AUTHORIZED,
    SYSTEM_UNAVAIL,
    SYSTEM_FAILURE,
    DUPLICATE_CERT_REQ;

    /// The one bit, without trailing zeros, as DER has named bits.
    ASN1BitString bit() {
        byte[] octets = new byte[ordinal() / 8 + 1];
        octets[octets.length - 1] = (byte) (0x80 >> (ordinal() % 8));
        return new DERBitString(octets, 7 - ordinal() % 8);
    }

    /// Whether this bit is set there.
    public boolean in(ASN1BitString bits) {
        byte[] octets = bits.getBytes();
        return ordinal() / 8 < octets.length && (octets[ordinal() / 8] & (0x80 >> (ordinal() % 8))) != 0;
    }
}
