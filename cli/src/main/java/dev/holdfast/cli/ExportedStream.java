package dev.holdfast.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PublicKey;
import java.security.Signature;
import java.security.spec.X509EncodedKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// One branch of what the server's journal sent off its machine: signed checkpoints, and where they were kept too, the
/// entries themselves.
///
/// @param entries `entries.ndjson`; absent when only checkpoints were kept
record ExportedStream(String name, List<Checkpoint> checkpoints, Optional<Path> entries) {
    private static final String CHECKPOINTS = "checkpoints.ndjson";

    /// That the chain had this hash at this entry; its signature has been verified.
    record Checkpoint(long number, String chainHash, String at) {}

    /// Reads a folder of branches, one branch, or a file of checkpoints.
    ///
    /// @param key the server's checkpoint key as its owner noted it; null to trust the one beside the checkpoints
    static List<ExportedStream> read(Path path, @Nullable Path key) {
        try {
            if (!Files.isDirectory(path)) {
                return List.of(one(path, Optional.empty(), key));
            }
            List<ExportedStream> all = new ArrayList<>();
            for (Path folder : branches(path)) {
                Path entries = folder.resolve("entries.ndjson");
                all.add(one(folder.resolve(CHECKPOINTS), Optional.of(entries).filter(Files::exists), key));
            }
            if (all.isEmpty()) {
                throw new ApiException(1, "no stream in " + path + ": no folder there holds " + CHECKPOINTS);
            }
            return all;
        } catch (IOException e) {
            throw new ApiException(1, path + " can't be read: " + e.getMessage());
        }
    }

    private static List<Path> branches(Path folder) throws IOException {
        if (Files.exists(folder.resolve(CHECKPOINTS))) {
            return List.of(folder);
        }
        try (Stream<Path> inside = Files.list(folder)) {
            return inside.filter(one -> Files.exists(one.resolve(CHECKPOINTS)))
                    .sorted()
                    .toList();
        }
    }

    private static ExportedStream one(Path file, Optional<Path> entries, @Nullable Path given) throws IOException {
        Path beside = file.resolveSibling("public-key");
        if (given == null && !Files.exists(beside)) {
            throw new ApiException(
                    1, "no key to verify " + file + " with: give --public-key (the server's checkpoint key)");
        }
        PublicKey key = key(given == null ? beside : given);
        TreeMap<Long, Checkpoint> checkpoints = new TreeMap<>();
        String branch = "";
        for (String line : Files.readAllLines(file)) {
            JsonNode json = ApiClient.parse(line);
            Checkpoint one = new Checkpoint(
                    json.path("number").asLong(),
                    json.path("chainHash").asText(),
                    json.path("at").asText());
            branch = json.path("branch").asText();
            if (!verifies(key, json)) {
                throw JournalChain.fault(
                        one.number(), "its checkpoint in " + file + " is not signed by the key, or was altered");
            }
            Checkpoint other = checkpoints.put(one.number(), one);
            if (other != null && !other.chainHash().equals(one.chainHash())) {
                throw JournalChain.fault(one.number(), "two signed checkpoints in " + file + " contradict each other");
            }
        }
        if (checkpoints.isEmpty()) {
            throw new ApiException(1, file + " holds no checkpoint");
        }
        return new ExportedStream(branch, List.copyOf(checkpoints.values()), entries);
    }

    private static PublicKey key(Path file) throws IOException {
        try {
            byte[] bytes = Base64.getMimeDecoder().decode(Files.readString(file).strip());
            return KeyFactory.getInstance("Ed25519").generatePublic(new X509EncodedKeySpec(bytes));
        } catch (GeneralSecurityException | IllegalArgumentException e) {
            throw new ApiException(1, file + " holds no Ed25519 public key in base64");
        }
    }

    /// Signed are five lines: a label, the branch, the number, the chain hash, the time.
    private static boolean verifies(PublicKey key, JsonNode json) {
        try {
            Signature signature = Signature.getInstance("Ed25519");
            signature.initVerify(key);
            signature.update(("holdfast-checkpoint-v1\n" + json.path("branch").asText() + "\n"
                            + json.path("number").asLong() + "\n"
                            + json.path("chainHash").asText() + "\n"
                            + json.path("at").asText() + "\n")
                    .getBytes(StandardCharsets.UTF_8));
            return signature.verify(
                    Base64.getDecoder().decode(json.path("signature").asText()));
        } catch (GeneralSecurityException | IllegalArgumentException e) {
            return false;
        }
    }

    /// Compares the server's chain with what left its machine.
    ///
    /// @return what to tell when all is well
    /// @throws ApiException naming the first entry that is not the one that left
    String compare(JournalChain chain) {
        Optional<Checkpoint> wrong = checkpoints.stream()
                .filter(c -> !chain.holds(c.number(), c.chainHash()))
                .findFirst();
        if (wrong.isEmpty()) {
            Checkpoint last = checkpoints.getLast();
            return checkpoints.size() + " signed checkpoints of stream " + name + " agree, the last at entry "
                    + last.number() + " (" + last.at() + ")";
        }
        long agreed = checkpoints.stream()
                .mapToLong(Checkpoint::number)
                .filter(number -> number < wrong.get().number())
                .max()
                .orElse(0);
        for (long number = agreed; number < wrong.get().number(); number++) {
            Optional<Long> restore = chain.putBackTo(number);
            if (restore.isPresent()) {
                return "stream " + name + " agrees up to entry " + agreed + "; entry " + restore.get()
                        + " says that the journal was then put back to entry " + number;
            }
        }
        throw fault(chain, agreed, wrong.get());
    }

    private ApiException fault(JournalChain chain, long agreed, Checkpoint wrong) {
        if (wrong.number() > chain.last() && agreed == chain.last()) {
            return JournalChain.fault(
                    chain.last() + 1,
                    "missing: the journal ends at entry " + chain.last() + ", but entry " + wrong.number()
                            + " left the machine, signed at " + wrong.at() + " (its tail was cut off)");
        }
        if (entries.isPresent()) {
            try {
                return firstOther(chain, entries.get());
            } catch (IOException e) {
                return new ApiException(1, entries.get() + " can't be read: " + e.getMessage());
            }
        }
        return wrong.number() > chain.last()
                ? JournalChain.fault(
                        agreed + 1,
                        "missing: from here on the journal, which ends at entry " + chain.last()
                                + ", is not the one whose entry " + wrong.number() + " left the machine")
                : JournalChain.fault(
                        agreed + 1,
                        "from here to entry " + wrong.number()
                                + " the journal is not the one that left the machine, signed at " + wrong.at());
    }

    /// With the entries themselves the first that differs is found, and how.
    private static ApiException firstOther(JournalChain chain, Path entries) throws IOException {
        byte[] previous = new byte[32];
        try (BufferedReader reader = Files.newBufferedReader(entries)) {
            for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                JsonNode json = ApiClient.parse(line);
                String text = json.path("content").asText();
                JsonNode content = ApiClient.parse(text);
                long number = content.path("number").asLong();
                previous = JournalChain.chained(previous, JournalChain.leaf(text));
                if (!HexFormat.of()
                        .formatHex(previous)
                        .equals(json.path("chainHash").asText())) {
                    return JournalChain.fault(number, "the stream itself is damaged here: it is not a chain");
                }
                if (number > chain.last()) {
                    return JournalChain.fault(
                            number, "missing: the journal ends at entry " + chain.last() + ", the stream does not");
                }
                if (!chain.hash(number).equals(json.path("chainHash").asText())) {
                    String next = reader.readLine();
                    return JournalChain.fault(number, how(chain, number, content, next));
                }
            }
        }
        return new ApiException(1, "the checkpoints contradict the entries in " + entries);
    }

    private static String how(JournalChain chain, long number, JsonNode left, @Nullable String nextLine) {
        JsonNode here = chain.content(number);
        JsonNode next = nextLine == null
                ? ApiClient.object()
                : ApiClient.parse(ApiClient.parse(nextLine).path("content").asText());
        String how = "altered";
        if (same(here, next)) {
            boolean swapped = number < chain.last() && same(chain.content(number + 1), left);
            how = swapped ? "in another order: it and the next have changed places" : "missing: it was taken out";
        }
        return how + "; what left the machine is " + told(left) + ", here stands " + told(here);
    }

    /// The same but for its place.
    private static boolean same(JsonNode one, JsonNode other) {
        for (String field : List.of("at", "kind", "environment", "subject", "actor", "reason", "body")) {
            if (!one.path(field).equals(other.path(field))) {
                return false;
            }
        }
        return true;
    }

    private static String told(JsonNode content) {
        return Printer.plain(content.path("kind")) + " of " + Printer.plain(content.path("subject")) + " at "
                + Printer.plain(content.path("at"));
    }
}
