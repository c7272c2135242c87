package dev.holdfast.protocol.x509;

import java.math.BigInteger;
import java.security.PublicKey;
import java.security.interfaces.ECPublicKey;
import java.security.interfaces.RSAPublicKey;
import java.util.Locale;
import java.util.Optional;
import org.bouncycastle.asn1.edec.EdECObjectIdentifiers;
import org.bouncycastle.asn1.nist.NISTObjectIdentifiers;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;

/// What sort of public key it is, as far as policies care.
public enum KeyKind {
    EC_P256,
    EC_P384,
    /// RFC 8410.
    ED25519,
    /// 3072 to 4096 bits with an exponent of 65537 or more (NIST SP 800-57: 128 bits of security).
    RSA,
    /// FIPS 204, RFC 9881.
    ML_DSA_65,
    /// Too short, too long (verifying it would cost too much), with an unsafe exponent, or of a make that is
    /// known to be guessable.
    RSA_WEAK,
    /// Another algorithm or curve.
    OTHER;

    private static final BigInteger P256 =
            new BigInteger("ffffffff00000001000000000000000000000000ffffffffffffffffffffffff", 16);
    private static final BigInteger P384 = new BigInteger(
            "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000ffffffff", 16);
    private static final BigInteger F4 = BigInteger.valueOf(65_537);
    private static final int SHORTEST_RSA = 3_072;
    private static final int LONGEST_RSA = 4_096;

    public static KeyKind of(PublicKey key) {
        return switch (key) {
            case ECPublicKey ec -> curve(ec);
            case RSAPublicKey rsa -> rsa(rsa);
            default -> other(key);
        };
    }

    /// Whether certificates may be issued for such keys at all; a profile narrows it further.
    public boolean isIssuable() {
        return switch (this) {
            case EC_P256, EC_P384, ED25519, RSA, ML_DSA_65 -> true;
            case RSA_WEAK, OTHER -> false;
        };
    }

    /// As profiles and the API write it: `ec-p256`.
    public String text() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /// @return empty when it is none that certificates are issued for
    public static Optional<KeyKind> parse(String text) {
        for (KeyKind kind : values()) {
            if (kind.isIssuable() && kind.text().equals(text)) {
                return Optional.of(kind);
            }
        }
        return Optional.empty();
    }

    private static KeyKind rsa(RSAPublicKey rsa) {
        BigInteger modulus = rsa.getModulus();
        int bits = modulus.bitLength();
        boolean good = bits >= SHORTEST_RSA
                && bits <= LONGEST_RSA
                && modulus.testBit(0)
                && rsa.getPublicExponent().testBit(0)
                && rsa.getPublicExponent().compareTo(F4) >= 0
                && rsa.getPublicExponent().bitLength() <= 256
                && !KnownWeakKeys.hasSmallFactor(modulus)
                && !KnownWeakKeys.looksLikeRoca(modulus)
                && !KnownWeakKeys.hasCloseFactors(modulus);
        return good ? RSA : RSA_WEAK;
    }

    private static KeyKind other(PublicKey key) {
        byte[] encoded = key.getEncoded();
        if (encoded == null) {
            return OTHER;
        }
        SubjectPublicKeyInfo info = SubjectPublicKeyInfo.getInstance(encoded);
        if (info.getAlgorithm().getAlgorithm().equals(EdECObjectIdentifiers.id_Ed25519)) {
            return ED25519;
        }
        return info.getAlgorithm().getAlgorithm().equals(NISTObjectIdentifiers.id_ml_dsa_65) ? ML_DSA_65 : OTHER;
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
