package dev.holdfast.journal;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.core.Digest;
import dev.holdfast.core.Json;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.HexFormat;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// An entry as it stands in the chain.
///
/// `content` is the canonical JSON that is hashed; `leafHash` is SHA-256(0x00 || content) (RFC 6962 section
/// 2.1), so
/// that a Merkle log can be laid over the same leaves; `chainHash` is SHA-256(0x01 || previous chainHash ||
/// leafHash).
///
/// Two are the same when all that is stored is; the tree is made once, because every room that follows the journal
/// reads it.
public final class Recorded {
    /// The chain hash before the first entry: 32 zero octets.
    public static final Digest GENESIS = new Digest("0".repeat(64));

    private final long number;
    private final Instant at;
    private final String content;
    private final Digest leafHash;
    private final Digest chainHash;
    private volatile @Nullable JsonNode tree;

    Recorded(long number, Instant at, String content, Digest leafHash, Digest chainHash) {
        this.number = number;
        this.at = at;
        this.content = content;
        this.leafHash = leafHash;
        this.chainHash = chainHash;
    }

    public long number() {
        return number;
    }

    public Instant at() {
        return at;
    }

    public String content() {
        return content;
    }

    public Digest leafHash() {
        return leafHash;
    }

    public Digest chainHash() {
        return chainHash;
    }

    static Recorded next(long number, Instant at, Entry entry, Digest previous) {
        TreeMap<String, Object> fields = new TreeMap<>();
        fields.put("number", number);
        fields.put("at", at.toString());
        fields.put("kind", entry.kind());
        fields.put("environment", entry.environment().value());
        fields.put("subject", entry.subject());
        fields.put("actor", entry.actor().text());
        fields.put("reason", entry.reason());
        fields.put("body", entry.body());
        String content = Json.text(fields);
        Digest leaf = leaf(content);
        return new Recorded(number, at, content, leaf, chain(previous, leaf));
    }

    static Digest leaf(String content) {
        MessageDigest sha = Digest.sha256();
        sha.update((byte) 0);
        sha.update(content.getBytes(StandardCharsets.UTF_8));
        return new Digest(HexFormat.of().formatHex(sha.digest()));
    }

    static Digest chain(Digest previous, Digest leaf) {
        MessageDigest sha = Digest.sha256();
        sha.update((byte) 1);
        sha.update(previous.bytes());
        sha.update(leaf.bytes());
        return new Digest(HexFormat.of().formatHex(sha.digest()));
    }

    /// The content as a tree: `number`, `at`, `kind`, `environment`, `subject`, `actor`, `reason`, `body`.
    /// Shared by all who ask: not to be altered.
    public JsonNode json() {
        JsonNode known = tree;
        if (known != null) {
            return known;
        }
        try {
            JsonNode fresh = Json.tree(content);
            tree = fresh;
            return fresh;
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("journal entry " + number + " is not JSON", e);
        }
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Recorded that
                && number == that.number
                && at.equals(that.at)
                && content.equals(that.content)
                && leafHash.equals(that.leafHash)
                && chainHash.equals(that.chainHash);
    }

    @Override
    public int hashCode() {
        return chainHash.hashCode();
    }

    @Override
    public String toString() {
        return "entry " + number + " " + content;
    }
}
