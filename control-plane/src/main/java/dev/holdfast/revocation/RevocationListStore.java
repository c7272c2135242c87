package dev.holdfast.revocation;

import dev.holdfast.protocol.crl.RevocationListFrame;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;

/// Whole lists, in files: with a million entries one has fifty megabytes, of which no more than one copy is
/// ever in memory, and that one only while it is signed.
final class RevocationListStore {
    private final Path folder;

    RevocationListStore(Path folder) {
        this.folder = folder;
    }

    /// The list of this name that somebody put here: of a root whose key was taken away after its ceremony.
    Optional<Path> find(String file) {
        Path path = folder.resolve(file);
        return Files.isRegularFile(path) ? Optional.of(path) : Optional.empty();
    }

    long size(Path list) {
        try {
            return Files.size(list);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// 1. The entries go to a file beside. 2. What is signed is put together in memory. 3. The list takes
    /// the place of the one before, at once or not at all.
    Path write(String file, RevocationListFrame frame, Consumer<OutputStream> source, UnaryOperator<byte[]> signer) {
        Path entries = folder.resolve(file + ".entries");
        Path fresh = folder.resolve(file + ".new");
        Path target = folder.resolve(file);
        try {
            try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(entries), 1 << 16)) {
                source.accept(out);
            }
            byte[] contents = contents(frame, entries);
            byte[] signature = signer.apply(contents);
            try (OutputStream out = Files.newOutputStream(fresh)) {
                out.write(frame.opening(contents.length, signature));
                out.write(contents);
                out.write(frame.closing(signature));
            }
            Files.move(fresh, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            Files.delete(entries);
            return target;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static byte[] contents(RevocationListFrame frame, Path entries) throws IOException {
        int length = Math.toIntExact(Files.size(entries));
        byte[] before = frame.before(length);
        byte[] after = frame.after();
        byte[] contents = new byte[Math.addExact(before.length + after.length, length)];
        System.arraycopy(before, 0, contents, 0, before.length);
        try (InputStream in = Files.newInputStream(entries)) {
            if (in.readNBytes(contents, before.length, length) != length) {
                throw new IOException("the entries of a list were cut off");
            }
        }
        System.arraycopy(after, 0, contents, before.length + length, after.length);
        return contents;
    }
}
