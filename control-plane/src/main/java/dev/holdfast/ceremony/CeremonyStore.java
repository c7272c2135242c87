package dev.holdfast.ceremony;

import dev.holdfast.core.Digest;
import dev.holdfast.core.Json;
import dev.holdfast.protocol.ceremony.KeyShare;
import dev.holdfast.protocol.ceremony.ShareFormatException;
import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.protocol.x509.X509FormatException;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Reads what is brought to the table and writes what leaves it: files of mode 0600 in a folder that must not
/// exist yet.
final class CeremonyStore {
    private static final int MOST_OCTETS = 100_000;

    private CeremonyStore() {}

    static X509Certificate certificate(Path file) throws CeremonyException {
        try {
            return Certificates.parsePem(text(file)).getFirst();
        } catch (X509FormatException | java.util.NoSuchElementException e) {
            throw new CeremonyException(file + " holds no certificate in PEM", e);
        }
    }

    static String text(Path file) throws CeremonyException {
        try {
            if (Files.size(file) > MOST_OCTETS) {
                throw new CeremonyException(file + " is too large");
            }
            return Files.readString(file);
        } catch (IOException e) {
            throw new CeremonyException(file + " can't be read", e);
        }
    }

    static List<KeyShare> shares(List<Path> files) throws CeremonyException {
        List<KeyShare> shares = new ArrayList<>();
        for (Path file : files) {
            try {
                shares.add(KeyShare.parse(text(file)));
            } catch (ShareFormatException e) {
                throw new CeremonyException(file + ": " + e.getMessage(), e);
            }
        }
        return shares;
    }

    /// Shares as people type them, each ended by an empty line.
    static List<KeyShare> typed(BufferedReader lines) throws CeremonyException {
        List<KeyShare> shares = new ArrayList<>();
        StringBuilder one = new StringBuilder();
        try {
            for (String line = lines.readLine(); ; line = lines.readLine()) {
                if (line == null || line.isBlank()) {
                    if (!one.isEmpty()) {
                        shares.add(KeyShare.parse(one.toString()));
                        one.setLength(0);
                    }
                    if (line == null) {
                        return shares;
                    }
                } else if (one.length() < MOST_OCTETS) {
                    one.append(line).append('\n');
                }
            }
        } catch (ShareFormatException e) {
            throw new CeremonyException("share " + (shares.size() + 1) + " as typed: " + e.getMessage(), e);
        } catch (IOException e) {
            throw new CeremonyException("the terminal can't be read", e);
        }
    }

    /// Writes the outcome with the protocol in both forms and the record, and nothing where the folder exists.
    ///
    /// @param files names and contents
    /// @param record what the server is told; the protocol's digest is added
    static void write(Path folder, Map<String, String> files, ProtocolDocument protocol, Map<String, Object> record)
            throws CeremonyException {
        Map<String, String> all = new LinkedHashMap<>(files);
        all.put("protocol.txt", protocol.text());
        all.put("protocol.html", protocol.html());
        Map<String, Object> told = new LinkedHashMap<>(record);
        told.put(
                "protocolSha256",
                Digest.of(protocol.text().getBytes(StandardCharsets.UTF_8)).hex());
        all.put("record.json", Json.text(told) + "\n");
        try {
            Files.createDirectory(
                    folder, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
            for (Map.Entry<String, String> file : all.entrySet()) {
                Path path = folder.resolve(file.getKey());
                Files.createFile(
                        path, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
                Files.writeString(path, file.getValue());
            }
        } catch (FileAlreadyExistsException e) {
            throw new CeremonyException(folder + " exists: a ceremony overwrites nothing", e);
        } catch (IOException e) {
            throw new CeremonyException(folder + " can't be written: " + e.getMessage(), e);
        }
    }
}
