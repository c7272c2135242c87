package dev.holdfast.journal;

import dev.holdfast.core.Actor;
import dev.holdfast.core.Environment;
import dev.holdfast.database.Database;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jooq.DSLContext;
import org.jspecify.annotations.Nullable;

/// Whether this installation is frozen: no device is let in, no certificate issued and no update offered, on any
/// node.
///
/// A restore from a backup freezes, because the backup does not know what was revoked, suspended or stopped
/// after it was taken. Two things lift it: applying the journal stream that left the machine, or two different
/// people accepting the loss, each with a written statement.
public final class Freeze {
    private static final Environment EVERYWHERE = new Environment("all");
    private static final String SUBJECT = "installation:freeze";
    private static final int PAGE = 500;
    private static final int SHORTEST_STATEMENT = 20;

    private final Database database;
    private final Journal journal;
    private volatile @Nullable State state;

    /// @param backupNumber the last journal entry that the backup holds
    /// @param mergeReady whether the stream that left the machine was read and will be applied at the next
    ///     start
    public record State(Instant since, String reason, long backupNumber, boolean mergeReady) {}

    /// What became of an acceptance.
    public sealed interface Acceptance {
        /// A second, different person must accept too.
        record Noted(String by) implements Acceptance {}

        /// The freeze is lifted.
        record Lifted(List<String> by) implements Acceptance {}

        record SamePersonTwice() implements Acceptance {}

        /// The statement says too little to be one: at least 20 characters.
        record StatementTooShort() implements Acceptance {}

        record NotFrozen() implements Acceptance {}
    }

    private Freeze(Database database, Journal journal) {
        this.database = database;
        this.journal = journal;
    }

    public static Freeze open(Database database, Journal journal) {
        Freeze freeze = new Freeze(database, journal);
        journal.obey(entry -> {
            if (entry.content().contains("\"kind\":\"freeze.")) {
                freeze.read();
            }
        });
        freeze.read();
        return freeze;
    }

    /// One reading after another, so that an older one does not replace a newer one.
    private synchronized void read() {
        state = database.read(FreezeStore::state).orElse(null);
    }

    /// One person's written acceptance.
    ///
    /// @param account of the operator
    public record Accepted(String account, String statement, Instant at) {}

    /// Who has accepted the loss so far, oldest first.
    public List<Accepted> acceptances() {
        return database.read(FreezeStore::acceptances);
    }

    /// Asked before each issuance and each offer; answered from memory.
    public boolean isFrozen() {
        return state != null;
    }

    public Optional<State> state() {
        return Optional.ofNullable(state);
    }

    /// Freezes, as a restore does; also by hand, when something is badly wrong.
    ///
    /// @param backupNumber the last journal entry that is known to be whole
    public void freeze(String reason, long backupNumber, Actor actor) {
        journal.run(tx -> {
            FreezeStore.freeze(tx.sql(), tx.now(), reason, backupNumber);
            tx.record(new Entry(
                    "freeze.frozen", EVERYWHERE, SUBJECT, actor, reason, Map.of("backupNumber", backupNumber)));
        });
        read();
    }

    /// Freezes inside the transaction of a restore, and begins another branch of the exported stream, so that a
    /// restored database is never seen unfrozen.
    public static void restored(DSLContext sql, Instant now, String reason, long backupNumber, String branch) {
        FreezeStore.freeze(sql, now, reason, backupNumber);
        JournalStore.startBranch(sql, branch, backupNumber, now);
    }

    /// Reads the stream that left the machine, for [#merge] at the next start.
    ///
    /// @param folder the exported stream, or a copy of it
    /// @return how many entries it holds that the backup does not
    /// @throws IOException when the stream can't be read, is not a chain, or does not continue this backup
    public long readStream(Path folder) throws IOException {
        State frozen = state;
        if (frozen == null) {
            throw new IOException("this installation is not frozen: there is nothing to merge");
        }
        List<Recorded> at = journal.read(frozen.backupNumber() - 1, 1);
        long[] found = {0, 0};
        for (JournalStreamStore stream : JournalStreamStore.branches(folder)) {
            List<Recorded> page = new ArrayList<>();
            boolean[] continues = {frozen.backupNumber() == 0};
            stream.read(entry -> {
                if (entry.number() == frozen.backupNumber()) {
                    continues[0] = !at.isEmpty() && at.getFirst().chainHash().equals(entry.chainHash());
                } else if (entry.number() > frozen.backupNumber() && continues[0]) {
                    page.add(entry);
                    if (page.size() == PAGE) {
                        found[0] += keep(page);
                    }
                }
            });
            found[0] += keep(page);
            found[1] += continues[0] ? 1 : 0;
        }
        if (found[1] == 0) {
            throw new IOException("no stream in " + folder + " continues this backup (entry " + frozen.backupNumber()
                    + "); is it the folder that this installation exported to?");
        }
        database.run(FreezeStore::mergeReady);
        read();
        return found[0];
    }

    private long keep(List<Recorded> page) {
        List<Recorded> kept = List.copyOf(page);
        page.clear();
        database.run(sql -> FreezeStore.addPending(sql, kept));
        return kept.size();
    }

    /// One person accepts, in writing, that what came after the backup is lost.
    ///
    /// @param who answers for it, whichever of their tokens they use
    public Acceptance acceptLoss(Actor.Operator who, String statement) {
        Acceptance outcome = journal.commit(tx -> {
            Optional<State> frozen = FreezeStore.state(tx.sql());
            if (frozen.isEmpty()) {
                return new Acceptance.NotFrozen();
            }
            if (statement.strip().length() < SHORTEST_STATEMENT) {
                return new Acceptance.StatementTooShort();
            }
            if (acceptedBy(tx).contains(who.accountId())) {
                return new Acceptance.SamePersonTwice();
            }
            FreezeStore.accept(tx.sql(), who.accountId(), statement, tx.now());
            tx.record(new Entry("freeze.loss-accepted", EVERYWHERE, SUBJECT, who, statement.strip(), Map.of()));
            List<String> by = acceptedBy(tx);
            if (by.size() < 2) {
                return new Acceptance.Noted(who.accountId());
            }
            FreezeStore.lift(tx.sql());
            JournalStore.leaveBranch(tx.sql(), frozen.get(), tx.now());
            tx.record(new Entry(
                    "freeze.lifted", EVERYWHERE, SUBJECT, who, "two people accepted the loss", Map.of("by", by)));
            return new Acceptance.Lifted(by);
        });
        read();
        return outcome;
    }

    private static List<String> acceptedBy(Transaction tx) {
        return FreezeStore.acceptances(tx.sql()).stream().map(Accepted::account).toList();
    }

    /// At start: applies what the stream that left the machine says was taken away after the backup, then lifts
    /// the
    /// freeze. Does nothing unless such a stream was read by `holdfast db merge` or with the restore.
    ///
    /// @param rooms each room that takes something away
    /// @return how many entries changed something
    public int merge(List<Replayer> rooms) {
        State frozen = state;
        if (frozen == null || !frozen.mergeReady()) {
            return 0;
        }
        int applied = 0;
        long last = frozen.backupNumber();
        while (true) {
            List<Recorded> page = database.read(sql -> FreezeStore.pending(sql, PAGE));
            if (page.isEmpty()) {
                break;
            }
            last = page.getLast().number();
            applied += journal.commit(tx -> {
                int changed = 0;
                for (Recorded entry : page) {
                    boolean any = false;
                    for (Replayer room : rooms) {
                        any |= room.replay(tx, entry);
                    }
                    changed += any ? 1 : 0;
                }
                FreezeStore.removePending(tx.sql(), page.getLast().number());
                return changed;
            });
        }
        Map<String, Object> body = Map.of("from", frozen.backupNumber(), "to", last, "applied", applied);
        journal.run(tx -> {
            FreezeStore.lift(tx.sql());
            JournalStore.leaveBranch(tx.sql(), frozen, tx.now());
            tx.record(new Entry(
                    "freeze.lifted",
                    EVERYWHERE,
                    SUBJECT,
                    new Actor.Holdfast("journal"),
                    "revocations, suspensions and stops newer than the backup were applied again",
                    body));
        });
        read();
        return applied;
    }
}
