package dev.holdfast.backup;

import com.fasterxml.jackson.core.type.TypeReference;
import dev.holdfast.core.Digest;
import dev.holdfast.core.Json;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.DigestInputStream;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.sql.SQLException;
import java.util.Collections;
import java.util.HexFormat;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;
import org.jspecify.annotations.Nullable;

/// The backup's file: a ZIP of streams, each with its SHA-256 in `checksums.json`, which is written last.
///
/// It is written beside its name with mode 0600, forced to disk and renamed, so a file of that name is whole.
final class ArchiveStore {
    static final String MANIFEST = "manifest.json";
    static final String CHECKSUMS = "checksums.json";
    private static final int MOST_TEXT = 16 << 20;

    private ArchiveStore() {}

    /// What writes one stream.
    @FunctionalInterface
    interface Content {
        void writeTo(OutputStream out) throws IOException, SQLException;
    }

    /// An archive being written.
    static final class Writer implements AutoCloseable {
        private final Path target;
        private final Path part;
        private final FileChannel channel;
        private final ZipOutputStream zip;
        private final Map<String, String> checksums = new TreeMap<>();
        private boolean whole;

        Writer(Path target) throws IOException {
            this.target = target.toAbsolutePath().normalize();
            if (Files.exists(this.target)) {
                throw new IOException(this.target + " exists; a backup never overwrites a file");
            }
            this.part = this.target.resolveSibling(this.target.getFileName() + ".part");
            Files.deleteIfExists(part);
            Files.createFile(part, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
            this.channel = FileChannel.open(part, StandardOpenOption.WRITE);
            this.zip = new ZipOutputStream(new BufferedOutputStream(Channels.newOutputStream(channel), 1 << 16));
            this.zip.setLevel(3);
        }

        void add(String name, Content content) throws IOException, SQLException {
            MessageDigest digest = Digest.sha256();
            zip.putNextEntry(new ZipEntry(name));
            OutputStream counted = new DigestOutputStream(new KeepOpen(zip), digest);
            content.writeTo(counted);
            zip.closeEntry();
            checksums.put(name, HexFormat.of().formatHex(digest.digest()));
        }

        void finish() throws IOException, SQLException {
            zip.putNextEntry(new ZipEntry(CHECKSUMS));
            zip.write(Json.bytes(checksums));
            zip.closeEntry();
            zip.finish();
            zip.flush();
            channel.force(true);
            whole = true;
        }

        @Override
        public void close() throws IOException {
            channel.close();
            if (whole) {
                Files.move(part, target, StandardCopyOption.ATOMIC_MOVE);
            } else {
                Files.deleteIfExists(part);
            }
        }
    }

    /// COPY closes what it writes to; the archive goes on.
    private static final class KeepOpen extends java.io.FilterOutputStream {
        KeepOpen(OutputStream out) {
            super(out);
        }

        @Override
        public void write(byte[] bytes, int offset, int length) throws IOException {
            out.write(bytes, offset, length);
        }

        @Override
        public void close() throws IOException {
            flush();
        }
    }

    /// Opens an archive after reading it once, whole, against its checksums.
    ///
    /// @throws IOException when it is cut off, damaged, or holds more or less than its checksums say
    static ZipFile openVerified(Path file) throws IOException {
        ZipFile zip;
        try {
            zip = new ZipFile(file.toFile());
        } catch (ZipException e) {
            throw new IOException(file + " is not a whole backup: " + e.getMessage(), e);
        }
        try {
            Map<String, String> expected = new TreeMap<>(
                    Json.mapper().readValue(text(zip, CHECKSUMS), new TypeReference<Map<String, String>>() {}));
            for (ZipEntry entry : Collections.list(zip.entries())) {
                if (entry.getName().equals(CHECKSUMS)) {
                    continue;
                }
                String found = digest(zip, entry);
                if (!found.equals(expected.remove(entry.getName()))) {
                    throw new IOException(file + " is damaged: " + entry.getName() + " is not as it was written");
                }
            }
            if (!expected.isEmpty()) {
                throw new IOException(file + " is damaged: " + expected.keySet() + " are missing");
            }
            return zip;
        } catch (ZipException e) {
            zip.close();
            throw new IOException(file + " is damaged: " + e.getMessage(), e);
        } catch (IOException | RuntimeException e) {
            zip.close();
            throw e;
        }
    }

    private static String digest(ZipFile zip, ZipEntry entry) throws IOException {
        MessageDigest digest = Digest.sha256();
        try (InputStream in = new DigestInputStream(zip.getInputStream(entry), digest)) {
            in.transferTo(OutputStream.nullOutputStream());
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    static String text(ZipFile zip, String name) throws IOException {
        @Nullable ZipEntry entry = zip.getEntry(name);
        if (entry == null) {
            throw new IOException(zip.getName() + " is not a backup: it has no " + name);
        }
        try (InputStream in = zip.getInputStream(entry)) {
            return new String(in.readNBytes(MOST_TEXT), StandardCharsets.UTF_8);
        }
    }

    /// Writes one file under the root, for its owner alone.
    static void extract(ZipFile zip, ZipEntry entry, Path root, String name) throws IOException {
        Path target = root.resolve(name).normalize();
        if (!target.startsWith(root)) {
            throw new IOException("the backup names a file outside the data folder");
        }
        Path parent = target.getParent();
        if (parent != null && !Files.exists(parent)) {
            Files.createDirectories(
                    parent, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        }
        Files.deleteIfExists(target);
        Files.createFile(target, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        try (InputStream in = zip.getInputStream(entry);
                FileChannel channel = FileChannel.open(target, StandardOpenOption.WRITE)) {
            in.transferTo(Channels.newOutputStream(channel));
            channel.force(true);
        }
    }
}
