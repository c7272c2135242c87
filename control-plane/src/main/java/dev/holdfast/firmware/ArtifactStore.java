package dev.holdfast.firmware;

import dev.holdfast.core.Digest;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Artifacts as files named by their SHA-256.
///
/// A file appears whole or not at all: it is written beside its place, forced to disk and renamed. What a crash
/// leaves half written is removed at the next start. Nodes that share one database share this folder too.
final class ArtifactStore {
    private static final Logger LOG = LoggerFactory.getLogger(ArtifactStore.class);
    /// Kept free for the database and the journal, which matter more than one more image.
    private static final long RESERVE = 64L << 20;

    private final Path folder;
    private final Path unfinished;
    private final long most;
    private final AtomicLong names = new AtomicLong();

    /// @param most the size of the largest artifact, in octets
    ArtifactStore(Path folder, long most) {
        this.folder = folder;
        this.unfinished = folder.resolve("unfinished");
        this.most = most;
        try {
            Files.createDirectories(unfinished);
            removeLeftovers();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Only this process's own and dead processes' files: another node may be writing here too.
    private void removeLeftovers() throws IOException {
        try (Stream<Path> files = Files.list(unfinished)) {
            for (Path file : files.toList()) {
                String name = file.getFileName().toString();
                long pid = Long.parseLong(name.substring(0, name.indexOf('-')));
                if (pid == ProcessHandle.current().pid()
                        || ProcessHandle.of(pid).isEmpty()) {
                    Files.deleteIfExists(file);
                    LOG.info("removed an unfinished upload of {}", name);
                }
            }
        }
    }

    Path path(Digest digest) {
        return shelf(digest).resolve(digest.hex());
    }

    private Path shelf(Digest digest) {
        return folder.resolve(digest.hex().substring(0, 2));
    }

    boolean has(Digest digest) {
        return Files.isRegularFile(path(digest));
    }

    InputStream open(Digest digest) {
        try {
            return Files.newInputStream(path(digest));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Reads the stream to its end. Blocks.
    ///
    /// @param expected refused when the content turns out to be another
    Stored store(InputStream content, String fileName, Optional<Digest> expected) {
        Path part = unfinished.resolve(ProcessHandle.current().pid() + "-" + names.incrementAndGet());
        try {
            return write(content, fileName, expected, part);
        } catch (IOException e) {
            return isFull(e)
                    ? new Stored.NoSpace("the data folder's disk is full: free some space, then upload again")
                    : new Stored.Broken("the upload broke off: " + e.getMessage());
        } finally {
            delete(part);
        }
    }

    private Stored write(InputStream content, String fileName, Optional<Digest> expected, Path part)
            throws IOException {
        FileStore disk = Files.getFileStore(unfinished);
        MessageDigest sha256 = Digest.sha256();
        MessageDigest sha1 = digest("SHA-1");
        MessageDigest md5 = digest("MD5");
        long size = 0;
        byte[] buffer = new byte[128 * 1024];
        try (FileChannel file = FileChannel.open(part, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            long checked = 0;
            for (int read; (read = content.read(buffer)) >= 0; ) {
                size += read;
                if (size > most) {
                    return new Stored.TooLarge(most);
                }
                if (size >= checked) {
                    if (disk.getUsableSpace() < Math.min(RESERVE, disk.getTotalSpace() / 20)) {
                        return new Stored.NoSpace("less than the reserve is left on the data folder's disk");
                    }
                    checked = size + (8L << 20);
                }
                sha256.update(buffer, 0, read);
                sha1.update(buffer, 0, read);
                md5.update(buffer, 0, read);
                ByteBuffer chunk = ByteBuffer.wrap(buffer, 0, read);
                while (chunk.hasRemaining()) {
                    file.write(chunk);
                }
            }
            if (size == 0) {
                return new Stored.Broken("the upload is empty");
            }
            file.force(true);
        }
        Digest digest = new Digest(HexFormat.of().formatHex(sha256.digest()));
        if (expected.isPresent() && !expected.get().equals(digest)) {
            return new Stored.Broken("the content's SHA-256 is " + digest + ", not " + expected.get());
        }
        Path target = path(digest);
        Path shelf = shelf(digest);
        Files.createDirectories(shelf);
        Files.move(part, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        force(shelf);
        force(folder);
        return new Stored.Done(new Artifact(
                digest,
                fileName,
                size,
                HexFormat.of().formatHex(sha1.digest()),
                HexFormat.of().formatHex(md5.digest())));
    }

    private static void force(Path directory) throws IOException {
        try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }

    private static boolean isFull(IOException e) {
        String message = String.valueOf(e.getMessage());
        return message.contains("No space left")
                || message.contains("Disk quota")
                || message.contains("File too large");
    }

    private static void delete(Path part) {
        try {
            Files.deleteIfExists(part);
        } catch (IOException e) {
            LOG.warn("an unfinished upload can't be removed: {}", e.toString());
        }
    }

    @SuppressWarnings("InsecureCryptoUsage") // what DDI clients compare; nothing here relies on it
    private static MessageDigest digest(String algorithm) {
        try {
            return MessageDigest.getInstance(algorithm);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(algorithm + " is missing from this Java platform", e);
        }
    }
}
