package dev.holdfast.database;

import dev.holdfast.core.Digest;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.stream.Stream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.tukaani.xz.XZInputStream;

/// The programs of the embedded PostgreSQL: pinned by their digest, unpacked once.
final class PostgresProgramsStore {
    private static final String ARCHIVE = "/postgres-linux-x86_64.txz";
    private static final String PINNED_SHA256 = "63999c2914366d62c68e51794e597588c336e75ed2958d53c558e8deca5e13fc";

    private PostgresProgramsStore() {}

    /// Unpacks the programs once; a marker written last tells a whole copy from a part.
    static Path unpack(Path binaries) throws IOException {
        Path target = binaries.resolve("postgresql-18.6.0");
        if (Files.exists(target.resolve("complete"))) {
            return target;
        }
        Files.createDirectories(binaries);
        Path fresh = Files.createTempDirectory(binaries, "unpack");
        MessageDigest digest = Digest.sha256();
        try (InputStream resource = open();
                DigestInputStream counted = new DigestInputStream(new BufferedInputStream(resource, 1 << 16), digest);
                TarArchiveInputStream tar = new TarArchiveInputStream(new XZInputStream(counted))) {
            for (TarArchiveEntry entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
                write(entry, tar, fresh);
            }
            counted.transferTo(java.io.OutputStream.nullOutputStream());
        }
        String found = HexFormat.of().formatHex(digest.digest());
        if (!found.equals(PINNED_SHA256)) {
            removeTree(fresh);
            throw new IOException("the PostgreSQL programs are not the pinned ones: SHA-256 " + found);
        }
        Files.setPosixFilePermissions(fresh, PosixFilePermissions.fromString("rwxr-xr-x"));
        Files.createFile(fresh.resolve("complete"));
        try {
            Files.move(fresh, target, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException another) {
            removeTree(fresh);
            if (!Files.exists(target.resolve("complete"))) {
                throw another;
            }
        }
        return target;
    }

    private static InputStream open() throws IOException {
        InputStream resource = PostgresProgramsStore.class.getResourceAsStream(ARCHIVE);
        if (resource == null) {
            throw new IOException("no embedded PostgreSQL for this machine; give database.url instead");
        }
        return resource;
    }

    private static void write(TarArchiveEntry entry, TarArchiveInputStream tar, Path root) throws IOException {
        Path path = root.resolve(entry.getName()).normalize();
        if (!path.startsWith(root)) {
            throw new IOException("the archive names a path outside its folder");
        }
        if (entry.isDirectory()) {
            Files.createDirectories(path);
        } else if (entry.isSymbolicLink()) {
            Files.createDirectories(path.getParent());
            Files.createSymbolicLink(path, Path.of(entry.getLinkName()));
        } else {
            Files.createDirectories(path.getParent());
            Files.copy(tar, path);
            boolean executable = (entry.getMode() & 0100) != 0;
            Files.setPosixFilePermissions(
                    path, PosixFilePermissions.fromString(executable ? "rwxr-xr-x" : "rw-r--r--"));
        }
    }

    static void removeTree(Path folder) throws IOException {
        if (!Files.exists(folder)) {
            return;
        }
        try (Stream<Path> tree = Files.walk(folder)) {
            for (Path path : tree.sorted(java.util.Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
    }
}
