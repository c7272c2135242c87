package dev.holdfast.access;

import dev.holdfast.core.Digest;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Base64;
import java.util.Optional;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/// Challenges that carry their own expiry and purpose under a MAC, so that beginning a ceremony stores nothing
/// (nobody can fill a table by beginning many) and any node can finish what another began.
///
/// A challenge is 16 random octets, 8 of expiry, 32 of HMAC-SHA-256 over both and the purpose.
final class Challenges {
    static final Duration LIFETIME = Duration.ofMinutes(5);
    private static final int LENGTH = 16 + 8 + 32;

    private final byte[] key;
    private final SecureRandom random;

    Challenges(byte[] key, SecureRandom random) {
        this.key = key.clone();
        this.random = random;
    }

    /// A challenge that was made here, for this purpose, and is still good.
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record Valid(byte[] bytes, Instant expiresAt) {
        Digest hash() {
            return Digest.of(bytes);
        }
    }

    byte[] begin(String purpose, Instant now) {
        byte[] head = new byte[24];
        random.nextBytes(head);
        ByteBuffer.wrap(head).putLong(16, now.plus(LIFETIME).toEpochMilli());
        return ByteBuffer.allocate(LENGTH).put(head).put(mac(purpose, head)).array();
    }

    Optional<Valid> check(String challenge, String purpose, Instant now) {
        byte[] bytes;
        try {
            bytes = Base64.getUrlDecoder().decode(challenge);
        } catch (IllegalArgumentException notBase64) {
            return Optional.empty();
        }
        if (bytes.length != LENGTH) {
            return Optional.empty();
        }
        byte[] head = Arrays.copyOf(bytes, 24);
        if (!MessageDigest.isEqual(mac(purpose, head), Arrays.copyOfRange(bytes, 24, LENGTH))) {
            return Optional.empty();
        }
        Instant expiresAt = Instant.ofEpochMilli(ByteBuffer.wrap(head).getLong(16));
        return now.isBefore(expiresAt) ? Optional.of(new Valid(bytes, expiresAt)) : Optional.empty();
    }

    /// What a page must send along with each write of this session: another site can't read it.
    String csrf(Digest session) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(Arrays.copyOf(mac("csrf", session.bytes()), 24));
    }

    private byte[] mac(String purpose, byte[] message) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(key, "HmacSHA256"));
            mac.update(purpose.getBytes(StandardCharsets.UTF_8));
            mac.update((byte) 0);
            return mac.doFinal(message);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("HMAC-SHA-256 is missing from this Java platform", e);
        }
    }
}
