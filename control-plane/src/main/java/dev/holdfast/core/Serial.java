package dev.holdfast.core;

import java.math.BigInteger;
import java.util.HexFormat;
import java.util.Locale;

/// A certificate's serial number as lower-case hexadecimal without leading zeros (RFC 5280 section 4.1.2.2).
public record Serial(String hex) {
    public Serial {
        if (!Spelling.isNumber(hex, 40)) {
            throw new IllegalArgumentException("not a serial number in lower-case hexadecimal, at most 20 octets");
        }
    }

    public static Serial of(BigInteger number) {
        if (number.signum() < 0) {
            throw new IllegalArgumentException("a serial number is not negative");
        }
        return new Serial(number.toString(16));
    }

    /// Accepts the forms people paste: upper case, colons, leading zeros.
    public static Serial parse(String text) {
        String plain = text.replace(":", "").trim().toLowerCase(Locale.ROOT);
        return of(new BigInteger(1, HexFormat.of().parseHex(plain.length() % 2 == 0 ? plain : "0" + plain)));
    }

    public BigInteger number() {
        return new BigInteger(hex, 16);
    }

    @Override
    public String toString() {
        return hex;
    }
}
