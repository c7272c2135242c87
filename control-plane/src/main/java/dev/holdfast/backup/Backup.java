package dev.holdfast.backup;

import dev.holdfast.config.Configuration;
import dev.holdfast.config.ConfigurationException;
import dev.holdfast.core.Actor;
import dev.holdfast.core.Environment;
import dev.holdfast.core.Json;
import dev.holdfast.database.Database;
import dev.holdfast.journal.Entry;
import dev.holdfast.journal.Freeze;
import dev.holdfast.journal.Journal;
import java.io.IOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.sql.SQLException;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Collections;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/// All state of an installation into one file, and back: the database as it was at one moment, and the data folder's
/// secrets and artifacts.
///
/// The file holds the keys of the certification authorities: it has mode 0600 and belongs where such keys belong. It
/// is verified whole before anything is restored from it, and restored in one transaction, only into an empty data
/// folder and an empty database. A restored installation is frozen: see [Freeze].
public final class Backup {
    private static final String TABLES = "tables/";
    private static final String FILES = "files/";

    private final Configuration configuration;
    private final Path data;
    private final InstantSource clock;
    private final SecureRandom random;
    private final Consumer<String> progress;

    /// @param progress hears a line for each step
    public Backup(
            Configuration configuration,
            Path data,
            InstantSource clock,
            SecureRandom random,
            Consumer<String> progress) {
        this.configuration = configuration;
        this.data = data;
        this.clock = clock;
        this.random = random;
        this.progress = progress;
    }

    /// @param journalNumber the last journal entry it holds
    public record Summary(Path file, Instant createdAt, String schemaVersion, long journalNumber, int tables) {}

    /// Writes a backup; the server may run meanwhile.
    public Summary create(Path file) throws ConfigurationException, IOException {
        try (InstallationStore installation = InstallationStore.attach(configuration, data, random);
                SnapshotStore snapshot = SnapshotStore.toRead(installation.address());
                ArchiveStore.Writer archive = new ArchiveStore.Writer(file)) {
            Manifest manifest = snapshot.manifest(clock.instant(), String.valueOf(configuration.publicHostName()));
            archive.add(ArchiveStore.MANIFEST, out -> out.write(Json.bytes(manifest)));
            for (Manifest.Table table : manifest.tables()) {
                progress.accept("table " + table.name());
                archive.add(TABLES + table.name(), out -> snapshot.copyOut(table, out));
            }
            // After the snapshot: artifacts are never changed, so all that the snapshot names are there.
            for (String name : installation.files()) {
                progress.accept("file " + name);
                archive.add(FILES + name, out -> installation.copy(name, out));
            }
            archive.finish();
            return new Summary(
                    file,
                    manifest.createdAt(),
                    manifest.schemaVersion(),
                    manifest.journalNumber(),
                    manifest.tables().size());
        } catch (SQLException e) {
            throw new IOException("the backup failed: " + e.getMessage(), e);
        }
    }

    /// Reads a backup whole and compares it with its checksums.
    public Summary verify(Path file) throws IOException {
        try (ZipFile zip = ArchiveStore.openVerified(file)) {
            Manifest manifest = Manifest.read(ArchiveStore.text(zip, ArchiveStore.MANIFEST));
            return summary(file, manifest);
        }
    }

    private static Summary summary(Path file, Manifest manifest) {
        return new Summary(
                file,
                manifest.createdAt(),
                manifest.schemaVersion(),
                manifest.journalNumber(),
                manifest.tables().size());
    }

    /// Restores into an empty data folder and database, frozen.
    ///
    /// @param stream the journal stream that left the machine, where there is one
    public Summary restore(Path file, Optional<Path> stream) throws ConfigurationException, IOException {
        progress.accept("reading " + file);
        try (ZipFile zip = ArchiveStore.openVerified(file)) {
            Manifest manifest = Manifest.read(ArchiveStore.text(zip, ArchiveStore.MANIFEST));
            InstallationStore.requireEmpty(data);
            try {
                restore(zip, manifest, stream);
            } catch (SQLException | IOException | ConfigurationException | RuntimeException e) {
                InstallationStore.empty(data);
                throw e;
            }
            return summary(file, manifest);
        } catch (SQLException e) {
            throw new IOException("the restore failed: " + e.getMessage(), e);
        }
    }

    private void restore(ZipFile zip, Manifest manifest, Optional<Path> stream)
            throws ConfigurationException, IOException, SQLException {
        try (InstallationStore installation = InstallationStore.create(configuration, data, random)) {
            fill(installation.address(), zip, manifest);
            for (ZipEntry entry : Collections.list(zip.entries())) {
                if (entry.getName().startsWith(FILES)) {
                    String name = entry.getName().substring(FILES.length());
                    progress.accept("file " + name);
                    ArchiveStore.extract(zip, entry, installation.root(), name);
                }
            }
            conclude(installation.address(), manifest, stream);
        }
    }

    private void fill(Database.Address address, ZipFile zip, Manifest manifest)
            throws SQLException, IOException, ConfigurationException {
        try (SnapshotStore empty = SnapshotStore.toFill(address)) {
            if (!empty.isEmpty()) {
                throw new ConfigurationException(
                        "the database " + address + " is not empty; a restore needs one that is");
            }
        }
        String ours = Database.latestMigration(address);
        if (Database.compareMigrations(manifest.schemaVersion(), ours) > 0) {
            throw new ConfigurationException("the backup is of a newer Holdfast (schema " + manifest.schemaVersion()
                    + ", this one knows " + ours + "); restore it with that version or a newer one");
        }
        Database.migrateTo(address, manifest.schemaVersion());
        byte[] branch = new byte[8];
        random.nextBytes(branch);
        try (SnapshotStore target = SnapshotStore.toFill(address)) {
            target.clear(manifest.tables());
            for (Manifest.Table table : manifest.tables()) {
                progress.accept("table " + table.name());
                ZipEntry entry = zip.getEntry(TABLES + table.name());
                try (var in = zip.getInputStream(entry)) {
                    target.copyIn(table, in);
                }
            }
            target.setSequences(manifest.sequences());
            Freeze.restored(
                    Database.on(target.connection()),
                    clock.instant(),
                    "restored from the backup of " + manifest.createdAt(),
                    manifest.journalNumber(),
                    HexFormat.of().formatHex(branch));
            target.commit();
        }
    }

    private void conclude(Database.Address address, Manifest manifest, Optional<Path> stream) throws IOException {
        try (Database database = Database.open(address, 4);
                Journal journal = Journal.open(database, clock)) {
            Optional<Journal.Fault> fault = journal.verify();
            if (fault.isPresent()) {
                throw new IOException("the restored journal does not verify: entry "
                        + fault.get().number() + " " + fault.get().what());
            }
            journal.run(tx -> tx.record(new Entry(
                    "backup.restored",
                    new Environment("all"),
                    "installation:backup",
                    new Actor.Holdfast("backup"),
                    "restored from the backup of " + manifest.createdAt() + "; frozen",
                    Map.of("journalNumber", manifest.journalNumber()))));
            if (stream.isPresent()) {
                long newer = Freeze.open(database, journal).readStream(stream.get());
                progress.accept(newer + " entries newer than the backup will be applied at the next start");
            } else {
                progress.accept("frozen: no device is let in, no certificate issued and no update offered until the"
                        + " journal stream that left the machine is merged, or two people accept the loss");
            }
        }
    }

    /// On a stopped, frozen installation: reads the journal stream that left the machine, for the next start.
    ///
    /// @return how many entries it holds that the backup does not
    public long merge(Path stream) throws ConfigurationException, IOException {
        try (InstallationStore installation = InstallationStore.attach(configuration, data, random);
                Database database = Database.open(installation.address(), 4);
                Journal journal = Journal.open(database, clock)) {
            return Freeze.open(database, journal).readStream(stream);
        }
    }
}
