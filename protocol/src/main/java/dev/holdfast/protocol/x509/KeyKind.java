package dev.holdfast.protocol.x509;

import java.math.BigInteger;
import java.security.PublicKey;
import java.security.interfaces.ECPublicKey;
import java.security.interfaces.RSAPublicKey;

/// What sort of public key it is, as far as policies care.
public enum KeyKind {
    EC_P256,
    EC_P384,
    /// 2048 to 4096 bits with an exponent of 65537 or more.
    RSA,
    /// Too short, too long (verifying it would cost too much) or with an unsafe exponent.
    RSA_WEAK,
    /// Another algorithm or curve.
    OTHER;

    private static final BigInteger P256 =
            new BigInteger("ffffffff00000001000000000000000000000000ffffffffffffffffffffffff", 16);
    private static final BigInteger P384 = new BigInteger(
            "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000ffffffff", 16);
    private static final BigInteger F4 = BigInteger.valueOf(65_537);

    public static KeyKind of(PublicKey key) {
        return switch (key) {
            case ECPublicKey ec -> curve(ec);
            case RSAPublicKey rsa -> {
                int bits = rsa.getModulus().bitLength();
                boolean good = bits >= 2048
                        && bits <= 4096
                        && rsa.getModulus().testBit(0)
                        && rsa.getPublicExponent().testBit(0)
                        && rsa.getPublicExponent().compareTo(F4) >= 0
                        && rsa.getPublicExponent().bitLength() <= 256;
                yield good ? RSA : RSA_WEAK;
            }
            default -> OTHER;
        };
    }

    private static KeyKind curve(ECPublicKey key) {
        if (!(key.getParams().getCurve().getField() instanceof java.security.spec.ECFieldFp field)) {
            return OTHER;
        }
        if (field.getP().equals(P256)) {
            return EC_P256;
        }
        return field.getP().equals(P384) ? EC_P384 : OTHER;
    }
}
