package dev.holdfast.firmware;

import dev.holdfast.core.Digest;
import java.util.regex.Pattern;

/// A file that devices download, stored under its SHA-256.
///
/// @param fileName as devices see it; plain
/// @param size in octets
/// @param sha1 for DDI clients, which compare it after the transfer; it decides nothing here
/// @param md5 likewise
public record Artifact(Digest sha256, String fileName, long size, String sha1, String md5) {
    private static final Pattern FILE_NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._+-]{0,127}");

    public Artifact {
        requireFileName(fileName);
    }

    static String requireFileName(String name) {
        if (!FILE_NAME.matcher(name).matches()) {
            throw new IllegalArgumentException(
                    "not a plain file name: letters, digits, '.', '_', '+', '-', at most 128 characters");
        }
        return name;
    }
}
