package dev.holdfast.cli;

import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/// Files that a command is given to read. What is wrong with one is said in words: the exceptions' own text is
/// often the file's name alone.
final class InputFile {
    private InputFile() {}

    /// @throws ApiException with 3 when there is none, else 1
    static byte[] bytes(Path file) {
        try {
            return Files.readAllBytes(file);
        } catch (IOException e) {
            throw fault(file, e);
        }
    }

    /// @throws ApiException with 3 when there is none, else 1
    static String text(Path file) {
        try {
            return Files.readString(file, StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw fault(file, e);
        }
    }

    /// The text of a file that is sent to the server, or shown when it is refused: no private key.
    ///
    /// @throws ApiException also when it holds a private key, which is then neither sent nor shown
    static String toSend(Path file) {
        String text = text(file);
        if (text.contains("PRIVATE KEY-----")) {
            throw new ApiException(
                    1, "the file " + file + " holds a private key; nothing was sent. Give the other one");
        }
        return text;
    }

    static ApiException fault(Path file, IOException e) {
        if (e instanceof NoSuchFileException) {
            return new ApiException(3, "there is no file " + file);
        }
        if (e instanceof AccessDeniedException) {
            return new ApiException(1, "you may not read the file " + file);
        }
        if (e instanceof CharacterCodingException) {
            return new ApiException(1, "the file " + file + " is not text (UTF-8)");
        }
        return new ApiException(
                1,
                Files.isDirectory(file)
                        ? file + " is a folder, not a file"
                        : "the file " + file + " can't be read: " + e.getMessage());
    }
}
