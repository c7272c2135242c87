package dev.holdfast.notify;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.Base64;
import javax.crypto.Cipher;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/// Keeps the secrets of webhooks unreadable in the database and its backups: AES-256-GCM under a key that lies
/// in a file of this installation, bound to the channel they belong to.
final class SecretBox {
    static final int KEY_OCTETS = 32;
    private static final String SEALED = "sealed:v1:";
    private static final int NONCE_OCTETS = 12;
    private static final int TAG_BITS = 128;

    private final SecretKeySpec key;
    private final SecureRandom random;

    /// The secret was sealed with another key.
    static final class UnreadableException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        UnreadableException(Throwable cause) {
            super(
                    "the channel's secret was sealed with another key: copy secrets/notification-key from the node that"
                            + " made the channel, or make the channel anew",
                    cause);
        }
    }

    SecretBox(byte[] key, SecureRandom random) {
        if (key.length != KEY_OCTETS) {
            throw new IllegalArgumentException("the notification key is not " + KEY_OCTETS + " octets long");
        }
        this.key = new SecretKeySpec(key, "AES");
        this.random = random;
    }

    static boolean isSealed(String stored) {
        return stored.startsWith(SEALED);
    }

    /// @param channel what it belongs to; [#open] wants the same
    String seal(String secret, String channel) {
        byte[] nonce = new byte[NONCE_OCTETS];
        random.nextBytes(nonce);
        try {
            Cipher cipher = cipher(Cipher.ENCRYPT_MODE, nonce, channel);
            byte[] closed = cipher.doFinal(secret.getBytes(StandardCharsets.UTF_8));
            byte[] whole = Arrays.copyOf(nonce, nonce.length + closed.length);
            System.arraycopy(closed, 0, whole, nonce.length, closed.length);
            return SEALED + Base64.getEncoder().encodeToString(whole);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("AES-GCM is not available", e);
        }
    }

    /// @throws UnreadableException when it was sealed with another key, or for another channel
    String open(String stored, String channel) {
        try {
            byte[] whole = Base64.getDecoder().decode(stored.substring(SEALED.length()));
            Cipher cipher = cipher(Cipher.DECRYPT_MODE, Arrays.copyOf(whole, NONCE_OCTETS), channel);
            return new String(cipher.doFinal(whole, NONCE_OCTETS, whole.length - NONCE_OCTETS), StandardCharsets.UTF_8);
        } catch (GeneralSecurityException | RuntimeException e) {
            throw new UnreadableException(e);
        }
    }

    private Cipher cipher(int mode, byte[] nonce, String channel) throws GeneralSecurityException {
        Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
        cipher.init(mode, key, new GCMParameterSpec(TAG_BITS, nonce));
        cipher.updateAAD(channel.getBytes(StandardCharsets.UTF_8));
        return cipher;
    }
}
