package dev.holdfast.protocol.tpm;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Locale;
import java.util.Optional;

/// Hash algorithms (TPM_ALG_ID). SHA-1 is known only because PCR banks and event logs still have it; nothing
/// that is believed may depend on it.
public enum TpmHash {
    SHA1(0x0004, 20),
    SHA256(0x000b, 32),
    SHA384(0x000c, 48),
    SHA512(0x000d, 64);

    private final int id;
    private final int octets;

    TpmHash(int id, int octets) {
        this.id = id;
        this.octets = octets;
    }

    int id() {
        return id;
    }

    /// Length of a digest.
    public int octets() {
        return octets;
    }

    /// As tpm2-tools write it: `sha256`.
    public String text() {
        return name().toLowerCase(Locale.ROOT);
    }

    /// As Java writes it: `SHA-256`.
    public String javaName() {
        return "SHA-" + name().substring(3);
    }

    static Optional<TpmHash> find(int id) {
        for (TpmHash hash : values()) {
            if (hash.id == id) {
                return Optional.of(hash);
            }
        }
        return Optional.empty();
    }

    /// One that names and signatures may use: SHA-256 or better.
    static TpmHash strong(int id) throws TpmFormatException {
        return find(id).filter(hash -> hash != SHA1)
                .orElseThrow(() -> TpmFormatException.unsupported(
                        "hash algorithm 0x" + Integer.toHexString(id) + " is not accepted: SHA-256, 384 or 512"));
    }

    public byte[] digest(byte[]... parts) {
        try {
            MessageDigest digest = MessageDigest.getInstance(javaName());
            for (byte[] part : parts) {
                digest.update(part);
            }
            return digest.digest();
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(javaName() + " is missing from this Java platform", e);
        }
    }
}
