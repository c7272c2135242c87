package dev.holdfast.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// The server's journal, fetched whole and recomputed on this machine: leaf = SHA-256(0x00 || content) (RFC 6962
/// section 2.1), chain = SHA-256(0x01 || previous || leaf).
final class JournalChain {
    private static final byte[] GENESIS = new byte[32];
    private static final String PAGE = "5000";

    private final ApiClient client;
    private final List<byte[]> hashes = new ArrayList<>();
    private final Map<Long, Long> restores = new TreeMap<>();

    private JournalChain(ApiClient client) {
        this.client = client;
    }

    /// @throws ApiException naming the first entry that is not as it was written
    static JournalChain fetch(ApiClient client) {
        JournalChain chain = new JournalChain(client);
        JsonNode head =
                client.get("/journal/chain", Map.of("after", "0", "limit", "1")).path("head");
        long last = head.path("number").asLong();
        while (chain.last() < last) {
            JsonNode entries = chain.page(chain.last(), PAGE);
            if (entries.isEmpty()) {
                throw fault(chain.last() + 1, "missing");
            }
            for (JsonNode entry : entries) {
                if (chain.last() < last) {
                    chain.follow(entry);
                }
            }
        }
        if (!chain.hash(last).equals(head.path("chainHash").asText())) {
            throw fault(last, "the head's hash is not the last entry's");
        }
        return chain;
    }

    private JsonNode page(long after, String limit) {
        return client.get("/journal/chain", Map.of("after", String.valueOf(after), "limit", limit))
                .path("entries");
    }

    private void follow(JsonNode entry) {
        long expected = last() + 1;
        if (entry.path("number").asLong() != expected) {
            throw fault(
                    expected,
                    "missing; the next one found is " + entry.path("number").asLong());
        }
        String content = entry.path("content").asText();
        byte[] leaf = leaf(content);
        if (!HexFormat.of().formatHex(leaf).equals(entry.path("leafHash").asText())) {
            throw fault(expected, "its content was altered");
        }
        byte[] chained = chained(hashes.isEmpty() ? GENESIS : hashes.getLast(), leaf);
        if (!HexFormat.of().formatHex(chained).equals(entry.path("chainHash").asText())) {
            throw fault(expected, "it does not follow the entry before it");
        }
        JsonNode inner = ApiClient.parse(content);
        if (inner.path("number").asLong() != expected) {
            throw fault(expected, "it stands in another place than it was written");
        }
        hashes.add(chained);
        long backup = inner.path("body").path(restoreField(inner)).asLong(-1);
        if (backup >= 0) {
            restores.put(expected, backup);
        }
    }

    /// Entries that say: from here on this journal goes on from an earlier entry.
    private static String restoreField(JsonNode content) {
        return switch (content.path("kind").asText()) {
            case "backup.restored" -> "journalNumber";
            case "freeze.frozen" -> "backupNumber";
            default -> "";
        };
    }

    /// How many entries there are.
    long last() {
        return hashes.size();
    }

    /// The chain hash at an entry, in hexadecimal; of no entry, 64 zeros.
    String hash(long number) {
        return HexFormat.of().formatHex(number == 0 ? GENESIS : hashes.get(Math.toIntExact(number - 1)));
    }

    boolean holds(long number, String chainHash) {
        return number <= last() && hash(number).equals(chainHash);
    }

    /// The entry in which the journal itself says that it was put back to this entry, by a restore.
    Optional<Long> putBackTo(long number) {
        return Optional.ofNullable(restores.get(number + 1))
                .filter(backup -> backup == number)
                .map(_ -> number + 1);
    }

    /// The content of one entry.
    JsonNode content(long number) {
        return ApiClient.parse(page(number - 1, "1").path(0).path("content").asText());
    }

    static byte[] leaf(String content) {
        return hash((byte) 0, content.getBytes(StandardCharsets.UTF_8));
    }

    static byte[] chained(byte[] previous, byte[] leaf) {
        return hash((byte) 1, previous, leaf);
    }

    private static byte[] hash(byte prefix, byte[]... parts) {
        try {
            MessageDigest sha = MessageDigest.getInstance("SHA-256");
            sha.update(prefix);
            for (byte[] part : parts) {
                sha.update(part);
            }
            return sha.digest();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    static ApiException fault(long number, String what) {
        return new ApiException(1, "entry " + number + ": " + what);
    }
}
