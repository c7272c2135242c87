package dev.holdfast.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// The journal: read, and verified on this machine without trusting the server's own word.
@Command(
        name = "audit",
        mixinStandardHelpOptions = true,
        description = "Reads and verifies the journal.",
        synopsisSubcommandLabel = "COMMAND")
final class AuditCommand {
    private static final Table ENTRIES = Table.of(
            "number",
            "No entries.",
            "NUMBER=number",
            "AT=at",
            "KIND=kind",
            "SUBJECT=subject",
            "BY=actor",
            "REASON=reason");
    private static final String GENESIS = "0".repeat(64);

    @Command(name = "log", mixinStandardHelpOptions = true, description = "Shows entries, newest first.")
    void log(
            @Mixin ServerOptions server,
            @Option(names = "--subject", defaultValue = "", description = "Such as device:m-1") String subject,
            @Option(names = "--kind", defaultValue = "", description = "Such as device.quarantined") String kind,
            @Option(names = "--most", defaultValue = "50") int most) {
        server.list("/journal", ApiClient.query("subject", subject, "kind", kind), "entries", most, ENTRIES);
    }

    @Command(
            name = "verify",
            mixinStandardHelpOptions = true,
            description = "Fetches every entry and recomputes the chain here; exit code 1 names the first fault.")
    void verify(@Mixin ServerOptions server) {
        ApiClient client = server.client();
        long expected = 1;
        String previous = GENESIS;
        JsonNode head =
                client.get("/journal/chain", Map.of("after", "0", "limit", "1")).path("head");
        long last = head.path("number").asLong();
        while (expected <= last) {
            JsonNode entries = client.get(
                            "/journal/chain", Map.of("after", String.valueOf(expected - 1), "limit", "5000"))
                    .path("entries");
            if (entries.isEmpty()) {
                throw fault(expected, "missing");
            }
            for (JsonNode entry : entries) {
                if (expected > last) {
                    break;
                }
                previous = follow(entry, expected, previous);
                expected++;
            }
        }
        if (!previous.equals(head.path("chainHash").asText())) {
            throw fault(last, "the head's hash is not the last entry's");
        }
        System.out.println("Intact: " + last + " entries, chain hash " + previous);
    }

    /// Leaf: SHA-256(0x00 || content) (RFC 6962 section 2.1); chain: SHA-256(0x01 || previous || leaf).
    private static String follow(JsonNode entry, long expected, String previous) {
        if (entry.path("number").asLong() != expected) {
            throw fault(
                    expected,
                    "missing; the next one found is " + entry.path("number").asLong());
        }
        String content = entry.path("content").asText();
        String leaf = hash((byte) 0, content.getBytes(StandardCharsets.UTF_8));
        if (!leaf.equals(entry.path("leafHash").asText())) {
            throw fault(expected, "its content was altered");
        }
        String chain =
                hash((byte) 1, HexFormat.of().parseHex(previous), HexFormat.of().parseHex(leaf));
        if (!chain.equals(entry.path("chainHash").asText())) {
            throw fault(expected, "it does not follow the entry before it");
        }
        return chain;
    }

    private static String hash(byte prefix, byte[]... parts) {
        try {
            MessageDigest sha = MessageDigest.getInstance("SHA-256");
            sha.update(prefix);
            for (byte[] part : parts) {
                sha.update(part);
            }
            return HexFormat.of().formatHex(sha.digest());
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    private static ApiException fault(long number, String what) {
        return new ApiException(1, "entry " + number + ": " + what);
    }
}
