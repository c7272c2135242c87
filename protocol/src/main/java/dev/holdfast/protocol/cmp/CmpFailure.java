package dev.holdfast.protocol.cmp;

import org.bouncycastle.asn1.ASN1BitString;
import org.bouncycastle.asn1.DERBitString;

/// What a request failed by (PKIFailureInfo, RFC 9810 section 5.2.3), with the numbers of its bits.
public enum CmpFailure {
    BAD_ALG(0),
    BAD_MESSAGE_CHECK(1),
    BAD_REQUEST(2),
    BAD_TIME(3),
    BAD_CERT_ID(4),
    BAD_DATA_FORMAT(5),
    WRONG_AUTHORITY(6),
    INCORRECT_DATA(7),
    MISSING_TIME_STAMP(8),
    BAD_POP(9),
    CERT_REVOKED(10),
    CERT_CONFIRMED(11),
    WRONG_INTEGRITY(12),
    BAD_RECIPIENT_NONCE(13),
    TIME_NOT_AVAILABLE(14),
    UNACCEPTED_POLICY(15),
    UNACCEPTED_EXTENSION(16),
    ADD_INFO_NOT_AVAILABLE(17),
    BAD_SENDER_NONCE(18),
    BAD_CERT_TEMPLATE(19),
    SIGNER_NOT_TRUSTED(20),
    TRANSACTION_ID_IN_USE(21),
    UNSUPPORTED_VERSION(22),
    NOT_AUTHORIZED(23),
    SYSTEM_UNAVAIL(24),
    SYSTEM_FAILURE(25),
    DUPLICATE_CERT_REQ(26);

    private final int number;

    CmpFailure(int number) {
        this.number = number;
    }

    /// The one bit, without trailing zeros, as DER has named bits.
    ASN1BitString bit() {
        byte[] octets = new byte[number / 8 + 1];
        octets[octets.length - 1] = (byte) (0x80 >> (number % 8));
        return new DERBitString(octets, 7 - number % 8);
    }

    /// Whether this bit is set there.
    public boolean in(ASN1BitString bits) {
        byte[] octets = bits.getBytes();
        return number / 8 < octets.length && (octets[number / 8] & (0x80 >> (number % 8))) != 0;
    }
}
