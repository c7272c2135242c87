package dev.holdfast.config;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// The folder that holds all state of one server. One server at a time: the folder is locked while it runs.
///
/// `secrets/` is readable by its owner alone; everything else may be listed (the embedded database runs as
/// another
/// user and must be able to reach its own folder).
public final class DataFolderStore implements AutoCloseable {
    private static final String WRONG =
            "the passphrase of the keys is not the one that this data folder is encrypted with";
    private static final Set<String> FOR_PEOPLE = Set.of("first-token");

    private final Path root;
    private final FileChannel lockFile;
    private final FileLock lock;
    private @Nullable SecretSealing sealing;

    private DataFolderStore(Path root, FileChannel lockFile, FileLock lock) {
        this.root = root;
        this.lockFile = lockFile;
        this.lock = lock;
    }

    /// Creates the folder where it is missing and locks it.
    ///
    /// @throws ConfigurationException when another server holds the folder, or it can't be written
    public static DataFolderStore open(Path folder) throws ConfigurationException {
        try {
            Path root = folder.toAbsolutePath().normalize();
            Files.createDirectories(root);
            Files.setPosixFilePermissions(root, PosixFilePermissions.fromString("rwx--x--x"));
            Path secrets = root.resolve("secrets");
            Files.createDirectories(secrets);
            Files.setPosixFilePermissions(secrets, PosixFilePermissions.fromString("rwx------"));
            FileChannel channel =
                    FileChannel.open(root.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            FileLock lock = tryLock(channel);
            if (lock == null) {
                channel.close();
                throw new ConfigurationException(
                        "the data folder " + root
                                + " is in use by another Holdfast server; stop that one, or give this one another --data folder");
            }
            return new DataFolderStore(root, channel, lock);
        } catch (IOException e) {
            throw new ConfigurationException("the data folder " + folder + " can't be used: " + e.getMessage(), e);
        }
    }

    private static @Nullable FileLock tryLock(FileChannel channel) throws IOException {
        try {
            return channel.tryLock();
        } catch (OverlappingFileLockException heldByThisProcess) {
            return null;
        }
    }

    public Path root() {
        return root;
    }

    /// A path under the folder; nothing is created.
    public Path resolve(String name) {
        return root.resolve(name);
    }

    /// A folder under the root, created where it is missing, readable by its owner alone.
    public Path privateFolder(String name) throws IOException {
        Path folder = root.resolve(name);
        Files.createDirectories(folder);
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx------"));
        return folder;
    }

    /// From now on secrets lie under this passphrase; those that lie in clear are sealed at once, one by one,
    /// each by a rename, so that a crash leaves every secret whole, in clear or sealed. Only `first-token`
    /// stays as it is, because a person reads it there.
    ///
    /// @param passphrase null where none is configured, which is an error where something is sealed
    /// @param previous opens what was sealed under an earlier passphrase, which is then sealed anew
    /// @throws ConfigurationException when the passphrase does not open what is sealed
    public void seal(@Nullable SecretSealing passphrase, @Nullable SecretSealing previous)
            throws ConfigurationException, IOException {
        sealing = passphrase;
        Map<String, byte[]> again = new LinkedHashMap<>();
        for (String name : secrets()) {
            byte[] stored = Files.readAllBytes(root.resolve("secrets").resolve(name));
            boolean sealed = isSealed(stored);
            if (sealed && passphrase == null) {
                throw new ConfigurationException("the secrets in " + root + " are encrypted and no passphrase is"
                        + " configured: set keys.passphraseFile, keys.passphraseCommand or keys.askPassphrase");
            }
            if (passphrase != null
                    && !FOR_PEOPLE.contains(name)
                    && !(sealed && passphrase.open(stored).isPresent())) {
                again.put(name, sealed ? open(name, stored, previous) : stored);
            }
        }
        for (Map.Entry<String, byte[]> secret : again.entrySet()) { // only when all that is sealed could be opened
            writeSecret(secret.getKey(), secret.getValue());
        }
    }

    /// Also removes what a killed server was about to write, which may be in clear.
    private List<String> secrets() throws IOException {
        try (Stream<Path> files = Files.list(root.resolve("secrets"))) {
            List<String> names = new ArrayList<>();
            for (Path file : files.sorted().toList()) {
                String name = String.valueOf(file.getFileName());
                if (name.endsWith(".new")) {
                    Files.delete(file);
                } else {
                    names.add(name);
                }
            }
            return names;
        }
    }

    private static boolean isSealed(byte[] stored) {
        return new String(stored, StandardCharsets.ISO_8859_1).startsWith(SecretSealing.BEGINNING);
    }

    private static byte[] open(String name, byte[] stored, @Nullable SecretSealing passphrase)
            throws ConfigurationException {
        Optional<byte[]> secret = passphrase == null ? Optional.empty() : passphrase.open(stored);
        return secret.orElseThrow(() -> new ConfigurationException(WRONG + ": secrets/" + name));
    }

    /// A secret of a folder that a running server may hold.
    ///
    /// @return null when there is none
    public static byte @Nullable [] readSecret(Path root, String name, @Nullable SecretSealing passphrase)
            throws ConfigurationException, IOException {
        Path file = root.resolve("secrets").resolve(name);
        if (!Files.exists(file)) {
            return null;
        }
        byte[] stored = Files.readAllBytes(file);
        return isSealed(stored) ? open(name, stored, passphrase) : stored;
    }

    /// Writes a secret so that a crash leaves the old one or the new one, never a part: a file of mode 0600 is
    /// written beside it, forced to disk and renamed over it.
    public void writeSecret(String name, byte[] content) throws IOException {
        Path target = root.resolve("secrets").resolve(name);
        Path fresh = target.resolveSibling(name + ".new");
        byte[] stored = sealing == null || FOR_PEOPLE.contains(name) ? content : sealing.seal(content);
        Files.deleteIfExists(fresh);
        Files.createFile(fresh, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        try (FileChannel channel = FileChannel.open(fresh, StandardOpenOption.WRITE)) {
            channel.write(java.nio.ByteBuffer.wrap(stored));
            channel.force(true);
        }
        Files.move(fresh, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        try (FileChannel directory = FileChannel.open(target.getParent(), StandardOpenOption.READ)) {
            directory.force(true);
        }
    }

    /// The secret, or null when there is none.
    public byte @Nullable [] readSecret(String name) throws IOException {
        try {
            return readSecret(root, name, sealing);
        } catch (ConfigurationException e) {
            throw new IOException(e.getMessage(), e);
        }
    }

    /// The secret of that name; made and kept at the first call.
    public byte[] secret(String name, Supplier<byte[]> make) throws IOException {
        byte @Nullable [] known = readSecret(name);
        if (known != null) {
            return known;
        }
        byte[] fresh = make.get();
        writeSecret(name, fresh);
        return fresh;
    }

    /// As [#secret], a random password of 192 bits.
    public String passwordFor(String name, SecureRandom random) throws IOException {
        byte[] secret = secret(name, () -> {
            byte[] fresh = new byte[24];
            random.nextBytes(fresh);
            return Base64.getUrlEncoder().withoutPadding().encode(fresh);
        });
        return new String(secret, StandardCharsets.US_ASCII);
    }

    @Override
    public void close() throws IOException {
        lock.release();
        lockFile.close();
    }
}
