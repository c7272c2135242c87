package dev.holdfast.acme;

import java.security.SecureRandom;
import java.util.HexFormat;

/// Names that nobody guesses: of accounts, orders and the like, and the tokens of challenges (RFC 8555 section
/// 8: at least 128 bits).
record Ids(SecureRandom random) {
    String fresh() {
        byte[] bytes = new byte[18];
        random.nextBytes(bytes);
        return HexFormat.of().formatHex(bytes); // never a dash first, which a command line takes for an option
    }
}
