package dev.holdfast.acme;

import dev.holdfast.database.Database;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.Base64;
import java.util.concurrent.atomic.AtomicReference;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/// Anti-replay nonces (RFC 8555 section 6.5) that any node makes and any other accepts, once.
///
/// A nonce says when it ends and carries a MAC, so making one costs no memory, however many strangers ask;
/// using one is a row in the database until it would have ended anyway.
final class Nonces {
    static final Duration LIFETIME = Duration.ofMinutes(10);

    private static final int RANDOM = 12;
    private static final int MAC = 16;
    private static final int LENGTH = Integer.BYTES + RANDOM + MAC;
    private static final Duration TIDY = Duration.ofMinutes(1);

    private final Database database;
    private final InstantSource clock;
    private final SecureRandom random;
    private final SecretKeySpec key;
    private final AtomicReference<Instant> tidied = new AtomicReference<>(Instant.EPOCH);

    /// @param installation the same on every node
    Nonces(Database database, InstantSource clock, SecureRandom random, byte[] installation) {
        this.database = database;
        this.clock = clock;
        this.random = random;
        this.key = new SecretKeySpec(
                mac(
                        new SecretKeySpec(installation, "HmacSHA256"),
                        "holdfast acme nonce v1".getBytes(StandardCharsets.US_ASCII)),
                "HmacSHA256");
    }

    String fresh() {
        byte[] fresh = new byte[RANDOM];
        random.nextBytes(fresh);
        byte[] head = ByteBuffer.allocate(Integer.BYTES + RANDOM)
                .putInt((int) clock.instant().plus(LIFETIME).getEpochSecond())
                .put(fresh)
                .array();
        return Base64.getUrlEncoder()
                .withoutPadding()
                .encodeToString(ByteBuffer.allocate(LENGTH)
                        .put(head)
                        .put(mac(key, head), 0, MAC)
                        .array());
    }

    /// Whether it is one of ours and in time: looks at nothing but itself, so that it can be asked first.
    boolean isOurs(String nonce) {
        return ends(nonce).isAfter(clock.instant());
    }

    /// Uses it up. Blocks.
    ///
    /// @return false when it is none of ours, has ended, or was used before, on whichever node
    boolean use(String nonce) {
        Instant now = clock.instant();
        Instant ends = ends(nonce);
        if (!ends.isAfter(now)) {
            return false;
        }
        Instant last = tidied.get();
        boolean tidy = Duration.between(last, now).compareTo(TIDY) > 0 && tidied.compareAndSet(last, now);
        return database.transact(sql -> {
            if (tidy) {
                AcmeStore.forgetNonces(sql, now);
            }
            return AcmeStore.useNonce(sql, nonce, ends);
        });
    }

    /// [Instant#EPOCH] for what is none of ours.
    private Instant ends(String nonce) {
        byte[] bytes;
        try {
            bytes = nonce.length() > 64 ? new byte[0] : Base64.getUrlDecoder().decode(nonce);
        } catch (IllegalArgumentException e) {
            return Instant.EPOCH;
        }
        // Compared as text too: another spelling of the same octets would be another nonce to the database.
        if (bytes.length != LENGTH
                || !Base64.getUrlEncoder()
                        .withoutPadding()
                        .encodeToString(bytes)
                        .equals(nonce)) {
            return Instant.EPOCH;
        }
        byte[] head = Arrays.copyOf(bytes, LENGTH - MAC);
        byte[] right = Arrays.copyOf(mac(key, head), MAC);
        return MessageDigest.isEqual(right, Arrays.copyOfRange(bytes, LENGTH - MAC, LENGTH))
                ? Instant.ofEpochSecond(
                        Integer.toUnsignedLong(ByteBuffer.wrap(head).getInt()))
                : Instant.EPOCH;
    }

    private static byte[] mac(SecretKeySpec key, byte[] message) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(key);
            return mac.doFinal(message);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("HMAC is missing from this Java platform", e);
        }
    }
}
