package dev.holdfast.journal;

import dev.holdfast.core.Actor;
import dev.holdfast.database.Database;
import java.io.IOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Writes the journal, as it grows, to a folder that should lie on another machine, with signed checkpoints.
///
/// A folder that is full or away never holds up a commit: the exporter says so, waits, and catches up.
public final class JournalExporter implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(JournalExporter.class);
    private static final int PAGE = 1_000;
    /// Each page costs a signature and two writes forced to disk: what comes within this time leaves together.
    private static final Duration GATHERED = Duration.ofMillis(100);

    private final Journal journal;
    private final Path folder;
    private final CheckpointKey key;
    private final InstantSource clock;
    private final Database database;
    private final Freeze freeze;
    private final Semaphore wake = new Semaphore(0);
    private final Thread thread;
    private String branch;
    private @Nullable JournalStreamStore store;
    /// The folder holds what this database does not: nothing is written over that evidence.
    private volatile boolean ahead;
    private volatile boolean compared;
    private volatile long exported;
    private volatile @Nullable String fault;
    private volatile boolean closing;

    private JournalExporter(
            Journal journal,
            Database database,
            Freeze freeze,
            Path folder,
            CheckpointKey key,
            InstantSource clock,
            String branch) {
        this.journal = journal;
        this.database = database;
        this.freeze = freeze;
        this.folder = folder;
        this.key = key;
        this.clock = clock;
        this.branch = branch;
        this.thread = Thread.ofPlatform().name("journal-export").unstarted(this::run);
    }

    /// Starts to export, from where the folder ends.
    ///
    /// When the folder is *ahead* of the database (the database was put back without `holdfast db restore`), or is
    /// another history, the installation is frozen, and nothing is exported over that evidence; when the freeze is
    /// lifted, a new branch begins.
    public static JournalExporter start(
            Journal journal,
            Database database,
            Freeze freeze,
            Path folder,
            CheckpointKey key,
            InstantSource clock,
            SecureRandom random) {
        byte[] id = new byte[8];
        random.nextBytes(id);
        String branch =
                database.transact(sql -> JournalStore.branch(sql, HexFormat.of().formatHex(id), clock.instant()));
        JournalExporter exporter = new JournalExporter(journal, database, freeze, folder, key, clock, branch);
        exporter.compareOnce();
        journal.subscribe(entry -> {
            if (entry.content().contains("\"kind\":\"freeze.lifted\"")) {
                exporter.ahead = false;
            }
            exporter.wake.release();
        });
        exporter.thread.start();
        return exporter;
    }

    /// As soon as the folder can be read, which may be long after the start.
    private void compareOnce() {
        if (compared) {
            return;
        }
        try {
            ahead = isAhead(
                    JournalStreamStore.open(folder, branch, key.publicKeyText()).last());
            compared = true;
        } catch (IOException e) {
            LOG.debug("journal export: the folder can't be compared yet: {}", e.toString());
        }
    }

    private boolean isAhead(Optional<Recorded> last) {
        if (last.isEmpty()) {
            return false;
        }
        long number = last.get().number();
        List<Recorded> here = journal.read(number - 1, 1);
        if (!here.isEmpty() && here.getFirst().equals(last.get())) {
            return false;
        }
        fault = "the exported stream holds entry " + number
                + " and this database does not: the database was put back or altered";
        LOG.error("journal export: {}; frozen", fault);
        if (!freeze.isFrozen()) {
            freeze.freeze(fault, journal.head().number(), new Actor.Holdfast("journal"));
        }
        return true;
    }

    /// The number of the last entry that has left.
    public long exported() {
        return exported;
    }

    /// Why nothing leaves at present; empty when all is well.
    public Optional<String> fault() {
        return Optional.ofNullable(fault);
    }

    /// Compares this database with the checkpoints in the folder; see [Journal#compare].
    public Optional<Journal.Fault> compare() throws IOException {
        return journal.compare(folder, key);
    }

    private void run() {
        boolean last;
        do {
            last = closing;
            try {
                compareOnce();
                if (!ahead) {
                    catchUp();
                    fault = null;
                }
            } catch (IOException | RuntimeException e) {
                store = null; // what was written half is mended when it is opened again
                fault = String.valueOf(e.getMessage());
                LOG.warn("journal export: {}; trying again", fault);
            }
            if (!last) {
                awaitNews();
            }
        } while (!last);
    }

    private void catchUp() throws IOException {
        JournalStreamStore open = store;
        if (open == null) {
            branch = database.read(sql -> JournalStore.branch(sql, branch, clock.instant()));
            open = JournalStreamStore.open(folder, branch, key.publicKeyText());
            exported = open.last().map(Recorded::number).orElse(0L);
            store = open;
        }
        for (List<Recorded> page = journal.read(exported, PAGE); !page.isEmpty(); page = journal.read(exported, PAGE)) {
            Recorded last = page.getLast();
            open.append(page, key.sign(branch, last.number(), last.chainHash(), clock.instant()));
            exported = last.number();
        }
    }

    private void awaitNews() {
        try {
            if (wake.tryAcquire(1, TimeUnit.SECONDS) && !closing) {
                Thread.sleep(GATHERED);
                wake.drainPermits();
            }
        } catch (InterruptedException e) {
            closing = true;
        }
    }

    /// Writes what is committed by now, then stops.
    @Override
    public void close() {
        closing = true;
        wake.release();
        try {
            thread.join(Duration.ofSeconds(5));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
