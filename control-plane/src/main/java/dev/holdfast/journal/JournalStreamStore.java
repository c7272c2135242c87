package dev.holdfast.journal;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.core.Digest;
import dev.holdfast.core.Json;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The journal stream that leaves the machine: a folder of its own for each branch, with `entries.ndjson` (a line
/// `{"chainHash":"...","content":"..."}` for each entry) and `checkpoints.ndjson` (a signed [Checkpoint] a line).
///
/// Files are only ever appended to and forced to disk; a line broken off by a crash is removed at the next start.
public final class JournalStreamStore {
    private final Path folder;
    private final Path entries;
    private final Path checkpoints;

    private JournalStreamStore(Path branch) {
        this.folder = branch;
        this.entries = branch.resolve("entries.ndjson");
        this.checkpoints = branch.resolve("checkpoints.ndjson");
    }

    /// Opens one branch for appending, creating it where it is missing.
    static JournalStreamStore open(Path folder, String branch, String publicKey) throws IOException {
        JournalStreamStore store = new JournalStreamStore(folder.resolve(branch));
        Files.createDirectories(store.folder);
        Files.setPosixFilePermissions(store.folder, PosixFilePermissions.fromString("rwx------"));
        Files.writeString(store.folder.resolve("public-key"), publicKey + "\n");
        mend(store.entries);
        mend(store.checkpoints);
        return store;
    }

    /// The branches in a folder that was copied or mounted from elsewhere.
    static List<JournalStreamStore> branches(Path folder) throws IOException {
        try (var list = Files.list(folder)) {
            return list.filter(path -> Files.exists(path.resolve("entries.ndjson")))
                    .sorted()
                    .map(JournalStreamStore::new)
                    .toList();
        }
    }

    String name() {
        return String.valueOf(folder.getFileName());
    }

    void append(List<Recorded> page, Checkpoint checkpoint) throws IOException {
        StringBuilder lines = new StringBuilder();
        for (Recorded entry : page) {
            lines.append(Json.text(Map.of("chainHash", entry.chainHash().hex(), "content", entry.content())))
                    .append('\n');
        }
        write(entries, lines.toString());
        write(
                checkpoints,
                Json.text(Map.of(
                                "branch", checkpoint.branch(),
                                "number", checkpoint.number(),
                                "chainHash", checkpoint.chainHash().hex(),
                                "at", checkpoint.at().toString(),
                                "signature", checkpoint.signature()))
                        + "\n");
    }

    private static void write(Path file, String lines) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.APPEND)) {
            ByteBuffer bytes = ByteBuffer.wrap(lines.getBytes(StandardCharsets.UTF_8));
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
            channel.force(true);
        }
    }

    /// What to do with each entry of a stream.
    @FunctionalInterface
    interface Visitor {
        void visit(Recorded entry) throws IOException;
    }

    /// Reads every whole entry in order, checking that each follows the one before it.
    ///
    /// @throws IOException when the stream is not a chain
    void read(Visitor visitor) throws IOException {
        if (!Files.exists(entries)) {
            return;
        }
        Digest previous = null;
        try (BufferedReader reader = Files.newBufferedReader(entries)) {
            for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                Recorded entry = parse(line);
                if (previous != null
                        && !Recorded.chain(previous, entry.leafHash()).equals(entry.chainHash())) {
                    throw new IOException(
                            entries + ": entry " + entry.number() + " does not follow the entry before it");
                }
                previous = entry.chainHash();
                visitor.visit(entry);
            }
        }
    }

    private Recorded parse(String line) throws IOException {
        try {
            JsonNode json = Json.tree(line);
            String content = json.path("content").asText();
            JsonNode inner = Json.tree(content);
            return new Recorded(
                    inner.path("number").asLong(),
                    Instant.parse(inner.path("at").asText()),
                    content,
                    Recorded.leaf(content),
                    new Digest(json.path("chainHash").asText()));
        } catch (JsonProcessingException | RuntimeException e) {
            throw new IOException(entries + " has a line that is not a journal entry", e);
        }
    }

    List<Checkpoint> checkpoints() throws IOException {
        List<Checkpoint> all = new ArrayList<>();
        if (!Files.exists(checkpoints)) {
            return all;
        }
        for (String line : Files.readAllLines(checkpoints)) {
            try {
                JsonNode json = Json.tree(line);
                all.add(new Checkpoint(
                        json.path("branch").asText(),
                        json.path("number").asLong(),
                        new Digest(json.path("chainHash").asText()),
                        Instant.parse(json.path("at").asText()),
                        json.path("signature").asText()));
            } catch (JsonProcessingException | RuntimeException e) {
                throw new IOException(checkpoints + " has a line that is not a checkpoint", e);
            }
        }
        return all;
    }

    /// The last entry that was written whole; found from the end, since a stream can be long.
    Optional<Recorded> last() throws IOException {
        if (!Files.exists(entries) || Files.size(entries) == 0) {
            return Optional.empty();
        }
        try (RandomAccessFile file = new RandomAccessFile(entries.toFile(), "r")) {
            long start = lineBefore(file, file.length() - 1);
            byte[] line = new byte[(int) (file.length() - start)];
            file.seek(start);
            file.readFully(line);
            return Optional.of(parse(new String(line, StandardCharsets.UTF_8).strip()));
        }
    }

    /// Cuts off a last line that has no end.
    private static void mend(Path path) throws IOException {
        if (!Files.exists(path) || Files.size(path) == 0) {
            return;
        }
        try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
            long start = lineBefore(file, file.length());
            file.setLength(start);
            file.getFD().sync();
        }
    }

    /// The offset after the last line end before `from`.
    private static long lineBefore(RandomAccessFile file, long from) throws IOException {
        for (long at = from - 1; at >= 0; at--) {
            file.seek(at);
            if (file.read() == '\n') {
                return at + 1;
            }
        }
        return 0;
    }
}
