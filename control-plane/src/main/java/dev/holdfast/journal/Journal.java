package dev.holdfast.journal;

import dev.holdfast.core.Digest;
import dev.holdfast.core.Environment;
import dev.holdfast.database.Database;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.function.Consumer;

/// The tamper-evident record of one installation.
///
/// Every change that must be recorded goes through [#commit]: one writer per node runs up to 200 of them in a
/// single
/// transaction and chains their entries as it commits, so the record and the change stand or fall together.
/// The update of the chain's head is a compare-and-set, so that many nodes keep one chain.
public final class Journal implements AutoCloseable {
    private final JournalStore store;
    private final JournalWriter writer;
    private final JournalTail tail;

    private Journal(JournalStore store, JournalWriter writer, JournalTail tail) {
        this.store = store;
        this.writer = writer;
        this.tail = tail;
    }

    public static Journal open(Database database, InstantSource clock) {
        JournalStore store = new JournalStore(database);
        JournalTail tail = new JournalTail(store, database);
        JournalWriter writer = new JournalWriter(database, clock, tail);
        return new Journal(store, writer, tail);
    }

    /// Makes the change and returns what it returned, once it is durable. Blocks: not for event loops.
    ///
    /// What the change throws is thrown here, and nothing of the change remains. When the database is away
    /// the exception says so; whether the change took effect is unknown only if the connection broke in the
    /// commit.
    public <T> T commit(Change<T> change) {
        try {
            return writer.submit(change).get();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof RuntimeException unchecked) {
                throw unchecked;
            }
            if (e.getCause() instanceof Error error) {
                throw error;
            }
            throw new CompletionException(e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CompletionException("interrupted while waiting for the journal", e);
        }
    }

    /// As [#commit] for a change without a result.
    public void run(VoidChange change) {
        commit(tx -> {
            change.apply(tx);
            return true;
        });
    }

    /// A [Change] without a result.
    @FunctionalInterface
    public interface VoidChange {
        void apply(Transaction transaction) throws SQLException;
    }

    /// Delivers every entry committed from now on, by this node or another, in the chain's order, on one
    /// thread. For state in memory: subscribers are quick, and read their state from the database after
    /// subscribing.
    public void subscribe(Consumer<Recorded> subscriber) {
        tail.subscribe(subscriber);
    }

    /// As [#subscribe], for what decides who may come in: an entry that such a subscriber can't take is
    /// given to it again until it can, and nobody hears what comes after; the node then says after a while
    /// that it can't know who may come in ([#silence]), and admits nobody new. Subscribers take an entry
    /// twice without harm.
    public void obey(Consumer<Recorded> subscriber) {
        tail.obey(subscriber);
    }

    /// Starts the delivery to subscribers; called once, when all have subscribed.
    public void startTail() {
        tail.start();
    }

    /// How long ago this node last heard the database; while it is heard this stays near one second. What is
    /// held in
    /// memory may be that much out of date: a node that has heard nothing for 30 s must not admit anybody
    /// new.
    public Duration silence() {
        return tail.silence();
    }

    /// Waits until every subscriber on this node has heard all that this node has committed by now.
    ///
    /// @return false when they had not in this time
    public boolean awaitDelivered(Duration atMost) throws InterruptedException {
        return tail.awaitDelivered(atMost);
    }

    /// The number of the last entry that subscribers have seen.
    public long delivered() {
        return tail.cursor();
    }

    /// Entries with a number greater than `after`, in order, at most `limit`.
    public List<Recorded> read(long after, int limit) {
        return store.read(after, limit);
    }

    /// Entries about one subject, newest first, with a number smaller than `before`, at most `limit`.
    public List<Recorded> about(String subject, long before, int limit) {
        return store.about(subject, before, limit);
    }

    /// What of the journal is sought.
    ///
    /// @param kind exact, or the beginning of one when it ends with `.`
    /// @param after only numbers greater than this
    /// @param before only numbers smaller than this
    /// @param ascending oldest first
    public record Query(
            Optional<Environment> environment,
            Optional<String> subject,
            Optional<String> kind,
            long after,
            long before,
            boolean ascending) {}

    public List<Recorded> find(Query query, int limit) {
        return store.find(query, limit);
    }

    /// The last number and chain hash.
    public Head head() {
        return store.head();
    }

    /// Reads the whole chain and compares it with itself and with the head.
    ///
    /// @return the first fault, or empty when every entry is as it was written
    public Optional<Fault> verify() {
        return new ChainVerifier(store).verify();
    }

    /// Compares the journal with the signed checkpoints that left the machine: what was cut off or rewritten
    /// here since, chain and head together, is seen there.
    ///
    /// @param folder the exported stream, or a copy of it
    /// @return the first fault; what a restore left behind on an earlier branch is none
    /// @throws IOException when the folder can't be read
    public Optional<Fault> compare(Path folder, CheckpointKey key) throws IOException {
        return new CheckpointVerifier(store, key).compare(JournalStreamStore.branches(folder));
    }

    public record Head(long number, Digest chainHash) {}

    /// @param number the first entry that is not as it was written
    public record Fault(long number, String what) {}

    @Override
    public void close() {
        writer.close();
        tail.close();
    }
}
