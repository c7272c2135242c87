package dev.holdfast.backup;

import dev.holdfast.config.Configuration;
import dev.holdfast.config.ConfigurationException;
import dev.holdfast.config.DataFolderStore;
import dev.holdfast.database.Database;
import dev.holdfast.database.EmbeddedPostgresStore;
import dev.holdfast.keys.KeyPassphrase;
import dev.holdfast.keys.PassphraseStore;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// A data folder and the database that belongs to it, whether or not a server runs on them.
final class InstallationStore implements AutoCloseable {
    private static final String PASSWORD = "postgres-password";
    private static final List<String> LEFT_OUT =
            List.of("postgres", "postgres-programs", "journal-export", "lock", "secrets/" + PASSWORD);

    private final Path root;
    private final Database.Address address;
    private final @Nullable DataFolderStore locked;
    private final @Nullable EmbeddedPostgresStore started;

    private InstallationStore(
            Path root,
            Database.Address address,
            @Nullable DataFolderStore locked,
            @Nullable EmbeddedPostgresStore started) {
        this.root = root;
        this.address = address;
        this.locked = locked;
        this.started = started;
    }

    /// Uses the database that the running server uses; starts the embedded one where no server runs.
    static InstallationStore attach(Configuration configuration, Path data, SecureRandom random)
            throws ConfigurationException, IOException {
        Path root = data.toAbsolutePath().normalize();
        if (!Files.isDirectory(root.resolve("secrets"))) {
            throw new ConfigurationException("there is no Holdfast data in " + root);
        }
        if (configuration.database().url() != null) {
            return new InstallationStore(root, external(configuration), null, null);
        }
        KeyPassphrase passphrase = PassphraseStore.read(configuration.keys(), random);
        byte[] secret = DataFolderStore.readSecret(root, PASSWORD, passphrase.secrets());
        if (secret != null) {
            Optional<Database.Address> running = EmbeddedPostgresStore.running(
                    root.resolve("postgres"),
                    binaries(configuration, root),
                    new String(secret, StandardCharsets.US_ASCII));
            if (running.isPresent()) {
                return new InstallationStore(root, running.get(), null, null);
            }
        }
        return create(configuration, root, random);
    }

    /// Locks the folder and starts its embedded database, made where it is missing.
    static InstallationStore create(Configuration configuration, Path data, SecureRandom random)
            throws ConfigurationException, IOException {
        DataFolderStore folder = DataFolderStore.open(data);
        try {
            KeyPassphrase passphrase = PassphraseStore.read(configuration.keys(), random);
            folder.seal(passphrase.secrets(), passphrase.previousSecrets());
            if (configuration.database().url() != null) {
                return new InstallationStore(folder.root(), external(configuration), folder, null);
            }
            EmbeddedPostgresStore postgres = EmbeddedPostgresStore.start(
                    folder.resolve("postgres"),
                    binaries(configuration, folder.root()),
                    folder.passwordFor(PASSWORD, random));
            return new InstallationStore(folder.root(), postgres.address(), folder, postgres);
        } catch (ConfigurationException | IOException | RuntimeException e) {
            folder.close();
            throw e;
        }
    }

    /// @throws ConfigurationException when the folder holds anything
    static void requireEmpty(Path data) throws ConfigurationException, IOException {
        if (!Files.exists(data)) {
            return;
        }
        try (Stream<Path> list = Files.list(data)) {
            if (list.findAny().isPresent()) {
                throw new ConfigurationException(
                        "a restore needs an empty data folder; " + data.toAbsolutePath() + " is not empty");
            }
        }
    }

    /// Removes what a failed restore made in a folder that was empty.
    static void empty(Path data) throws IOException {
        if (!Files.exists(data)) {
            return;
        }
        try (Stream<Path> tree = Files.walk(data)) {
            for (Path path : tree.sorted(Comparator.reverseOrder()).toList()) {
                if (!path.equals(data)) {
                    Files.delete(path);
                }
            }
        }
    }

    private static Database.Address external(Configuration configuration) throws IOException {
        Configuration.DatabaseSettings settings = configuration.database();
        String password = settings.passwordFile() == null
                ? ""
                : Files.readString(Path.of(settings.passwordFile())).strip();
        return new Database.Address(
                String.valueOf(settings.url()), settings.user() == null ? "holdfast" : settings.user(), password);
    }

    private static Path binaries(Configuration configuration, Path root) {
        String given = configuration.database().binaries();
        return given == null ? root.resolve("postgres-programs") : Path.of(given);
    }

    Database.Address address() {
        return address;
    }

    Path root() {
        return root;
    }

    /// Every file that belongs into a backup, by its path under the root.
    List<String> files() throws IOException {
        try (Stream<Path> tree = Files.walk(root)) {
            return tree.filter(Files::isRegularFile)
                    .map(file -> root.relativize(file).toString())
                    .filter(name -> LEFT_OUT.stream().noneMatch(out -> name.equals(out) || name.startsWith(out + "/")))
                    .filter(name -> !name.endsWith(".new") && !name.endsWith(".part"))
                    .sorted()
                    .toList();
        } catch (java.io.UncheckedIOException e) {
            throw new IOException("the data folder can't be read: " + e.getMessage(), e);
        }
    }

    void copy(String name, OutputStream to) throws IOException {
        Files.copy(root.resolve(name), to);
    }

    @Override
    public void close() throws IOException {
        if (started != null) {
            started.close();
        }
        if (locked != null) {
            locked.close();
        }
    }
}
