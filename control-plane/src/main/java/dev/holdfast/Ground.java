package dev.holdfast;

import dev.holdfast.config.Configuration;
import dev.holdfast.config.ConfigurationException;
import dev.holdfast.config.DataFolderStore;
import dev.holdfast.database.Database;
import dev.holdfast.database.EmbeddedPostgresStore;
import dev.holdfast.journal.CheckpointKey;
import dev.holdfast.journal.Freeze;
import dev.holdfast.journal.Journal;
import dev.holdfast.journal.JournalExporter;
import dev.holdfast.journal.Replayer;
import dev.holdfast.keys.KeyPassphrase;
import dev.holdfast.keys.PassphraseStore;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// What every room stands on: the data folder, the database, the journal, and whether the installation is
/// frozen.
final class Ground {
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    final Configuration configuration;
    final InstantSource clock;
    final SecureRandom random;
    final DataFolderStore folder;
    final KeyPassphrase passphrase;
    final Database database;
    final Journal journal;
    final Freeze freeze;

    /// @param tell hears, in a line each, what takes time
    Ground(
            Configuration configuration,
            Path data,
            InstantSource clock,
            SecureRandom random,
            Parts parts,
            Consumer<String> tell)
            throws ConfigurationException, IOException {
        this.configuration = configuration;
        this.clock = clock;
        this.random = random;
        folder = parts.opened("data folder", DataFolderStore.open(data));
        passphrase = PassphraseStore.read(configuration.keys(), random);
        folder.seal(passphrase.secrets(), passphrase.previousSecrets());
        database = parts.opened(
                "database",
                Database.open(
                        address(parts, tell),
                        configuration.database().connections(),
                        pending -> tell.accept("bringing the database to this version: " + pending + " "
                                + (pending == 1 ? "migration" : "migrations"))));
        journal = parts.opened("journal", Journal.open(database, clock));
        freeze = Freeze.open(database, journal);
    }

    private Database.Address address(Parts parts, Consumer<String> tell) throws IOException {
        Configuration.DatabaseSettings settings = configuration.database();
        if (settings.url() != null) {
            String password = settings.passwordFile() == null
                    ? ""
                    : Files.readString(Path.of(settings.passwordFile())).strip();
            tell.accept("connecting to the database at " + settings.url().replaceFirst("[?].*", ""));
            return new Database.Address(
                    settings.url(), settings.user() == null ? "holdfast" : settings.user(), password);
        }
        Path binaries =
                settings.binaries() == null ? folder.resolve("postgres-programs") : Path.of(settings.binaries());
        tell.accept(
                Files.exists(folder.resolve("postgres"))
                        ? "starting PostgreSQL"
                        : "making a PostgreSQL database; this is the first start here, it takes some seconds longer");
        return parts.opened(
                        "embedded PostgreSQL",
                        EmbeddedPostgresStore.start(
                                folder.resolve("postgres"), binaries, folder.passwordFor("postgres-password", random)))
                .address();
    }

    /// This node's name among those that share the database: kept with its data folder.
    String nodeName() throws IOException {
        byte @Nullable [] known = folder.readSecret("node-name");
        if (known != null) {
            return new String(known, StandardCharsets.US_ASCII);
        }
        byte[] fresh = new byte[9];
        random.nextBytes(fresh);
        String name = Base64.getUrlEncoder().withoutPadding().encodeToString(fresh);
        folder.writeSecret("node-name", name.getBytes(StandardCharsets.US_ASCII));
        return name;
    }

    /// What shared secrets are derived from; every node of an installation needs the same.
    byte[] installationSecret() throws IOException {
        return folder.secret("installation-secret", () -> {
            byte[] fresh = new byte[32];
            random.nextBytes(fresh);
            return fresh;
        });
    }

    /// The key under which the secrets of notification channels are stored; every node of an installation needs
    /// the same.
    byte[] notificationKey() throws IOException {
        return folder.secret("notification-key", () -> {
            byte[] fresh = new byte[32];
            random.nextBytes(fresh);
            return fresh;
        });
    }

    /// After a restore: what the stream that left the machine says was taken away after the backup is taken
    /// away again, in the database and in the memory of the rooms. To be called when the journal's tail runs
    /// and before anything listens.
    void mergeStream(List<Replayer> rooms) throws IOException {
        if (freeze.merge(rooms) == 0) {
            return;
        }
        long number = journal.head().number();
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (journal.delivered() < number) {
            if (System.nanoTime() - deadline > 0) {
                throw new IOException("the journal's entries are not delivered; is the database overloaded? Try again");
            }
            try {
                TimeUnit.MILLISECONDS.sleep(5);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IOException("interrupted while starting", e);
            }
        }
    }

    /// Begins to write the journal to where it should leave the machine.
    JournalExporter export(Parts parts) throws IOException {
        Path export = configuration.journalExport() == null
                ? folder.resolve("journal-export")
                : Path.of(configuration.journalExport());
        CheckpointKey checkpoints = CheckpointKey.decode(folder.secret(
                "journal-checkpoint-key", () -> CheckpointKey.generate(random).encoded()));
        return parts.opened(
                "journal export", JournalExporter.start(journal, database, freeze, export, checkpoints, clock, random));
    }
}
