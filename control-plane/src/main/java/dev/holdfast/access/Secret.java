package dev.holdfast.access;

import dev.holdfast.core.Digest;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.Base64;

/// A random secret of 256 bits: shown once as text, kept as its hash. So long a secret needs no slow hash.
record Secret(String text, Digest hash) {
    static Secret fresh(SecureRandom random, String prefix) {
        byte[] bytes = new byte[32];
        random.nextBytes(bytes);
        return of(prefix + Base64.getUrlEncoder().withoutPadding().encodeToString(bytes));
    }

    static Secret of(String text) {
        return new Secret(text, Digest.of(text.getBytes(StandardCharsets.UTF_8)));
    }

    /// A short identifier that is no secret: 60 random bits in lower-case letters and digits.
    static String id(SecureRandom random) {
        String alphabet = "abcdefghijkmnpqrstuvwxyz23456789";
        StringBuilder id = new StringBuilder();
        for (int i = 0; i < 12; i++) {
            id.append(alphabet.charAt(random.nextInt(alphabet.length())));
        }
        return id.toString();
    }

    @Override
    public String toString() {
        return "secret";
    }
}
