package dev.holdfast.cmp;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/// Whole revocation lists, which lie in files.
final class ListFileStore {
    private static final long LONGEST = 1024 * 1024;

    private ListFileStore() {}

    /// @return empty when it is too long to be answered in one message
    static Optional<byte[]> read(Path file) {
        try {
            return Files.size(file) > LONGEST ? Optional.empty() : Optional.of(Files.readAllBytes(file));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
