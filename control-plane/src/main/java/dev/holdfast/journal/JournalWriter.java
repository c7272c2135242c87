package dev.holdfast.journal;

import dev.holdfast.database.Database;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.jooq.DSLContext;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The node's one group-commit writer: takes what waits (at most 200 changes), runs it in one transaction,
/// chains the
/// entries, commits, answers the callers.
///
/// A change that fails is answered with its error and the others of its batch are run again without it. A batch
/// that
/// loses the race for the head to another node is run again as a whole.
final class JournalWriter implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(JournalWriter.class);
    private static final int BATCH = 200;
    /// More than a pool holds.
    private static final int MOST_DEAD = 64;
    private static final int WAITING = 10_000;

    private final Database database;
    private final InstantSource clock;
    private final JournalTail tail;
    private final BlockingQueue<Pending<?>> queue = new ArrayBlockingQueue<>(WAITING);
    private final Thread thread;
    private volatile boolean closing;

    JournalWriter(Database database, InstantSource clock, JournalTail tail) {
        this.database = database;
        this.clock = clock;
        this.tail = tail;
        this.thread = Thread.ofPlatform().name("journal-writer").start(this::run);
    }

    private static final class Pending<T> {
        final Change<T> change;
        final CompletableFuture<T> answer = new CompletableFuture<>();
        private @Nullable T result;

        Pending(Change<T> change) {
            this.change = change;
        }

        void run(Transaction transaction) throws SQLException {
            result = change.apply(transaction);
        }

        @SuppressWarnings("NullAway") // the result is null only where T allows it
        void succeed() {
            answer.complete(result);
        }
    }

    /// One change failed; the batch goes on without it.
    private static final class ChangeFailed extends Exception {
        private static final long serialVersionUID = 1L;
        private final transient Pending<?> failed;
        private final Throwable why;

        ChangeFailed(Pending<?> failed, Throwable why) {
            super(why);
            this.failed = failed;
            this.why = why;
        }
    }

    <T> CompletableFuture<T> submit(Change<T> change) {
        Pending<T> pending = new Pending<>(change);
        try {
            if (closing || !queue.offer(pending, 10, TimeUnit.SECONDS)) {
                pending.answer.completeExceptionally(new RejectedExecutionException(
                        closing ? "the server is stopping" : "the journal has a backlog of " + WAITING + " changes"));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            pending.answer.completeExceptionally(e);
        }
        return pending.answer;
    }

    private void run() {
        List<Pending<?>> batch = new ArrayList<>(BATCH);
        while (true) {
            try {
                Pending<?> first = queue.poll(200, TimeUnit.MILLISECONDS);
                if (first == null) {
                    if (closing) {
                        return;
                    }
                    continue;
                }
                batch.add(first);
                queue.drainTo(batch, BATCH - 1);
                commit(batch);
            } catch (InterruptedException e) {
                closing = true;
            } finally {
                batch.clear();
            }
        }
    }

    /// After the database was away the pool may still hold connections that are dead, and give them out
    /// unlooked at when they were used a moment ago. Nothing of the batch has been committed by such a one, so
    /// the batch is tried again with another, as often as there may be dead ones.
    private void commit(List<Pending<?>> batch) {
        List<Pending<?>> remaining = new ArrayList<>(batch);
        int dead = 0;
        while (!remaining.isEmpty()) {
            try {
                if (attempt(remaining)) {
                    remaining.forEach(Pending::succeed);
                    return;
                }
            } catch (DeadConnection e) {
                dead++;
                if (dead > MOST_DEAD) {
                    fail(remaining, e.why);
                    return;
                }
            } catch (ChangeFailed failure) {
                remaining.remove(failure.failed);
                failure.failed.answer.completeExceptionally(failure.why);
            } catch (SQLException | RuntimeException | Error e) {
                fail(remaining, e);
                return;
            }
        }
    }

    private static void fail(List<Pending<?>> remaining, Throwable e) {
        LOG.warn("journal: a batch of {} changes could not be committed: {}", remaining.size(), e.toString());
        remaining.forEach(p -> p.answer.completeExceptionally(
                e instanceof SQLException s ? new org.jooq.exception.DataAccessException(s.getMessage(), s) : e));
    }

    /// A connection that broke before the commit was sent.
    private static final class DeadConnection extends Exception {
        private static final long serialVersionUID = 1L;
        private final transient Throwable why;

        DeadConnection(Throwable why) {
            super(why);
            this.why = why;
        }
    }

    private static boolean isClosed(Connection connection) {
        try {
            return connection.isClosed();
        } catch (SQLException e) {
            return true;
        }
    }

    /// SQLSTATE class 08: of the connection, not of what was asked.
    private static boolean isConnection(Throwable error) {
        for (Throwable t = error; t != null; t = t.getCause()) {
            if (t instanceof SQLException sql
                    && sql.getSQLState() != null
                    && sql.getSQLState().startsWith("08")) {
                return true;
            }
        }
        return false;
    }

    /// @return false when another node advanced the head first
    private boolean attempt(List<Pending<?>> batch) throws SQLException, ChangeFailed, DeadConnection {
        boolean sent = false;
        try (Connection connection = database.connection()) {
            connection.setAutoCommit(false);
            // Microseconds: what the database keeps, so that what is hashed is what is read back.
            Instant now = clock.instant().truncatedTo(ChronoUnit.MICROS);
            List<Entry> entries = new ArrayList<>();
            DSLContext sql = Database.on(connection);
            try {
                for (Pending<?> pending : batch) {
                    Transaction transaction = new Transaction(sql, now);
                    apply(pending, transaction);
                    entries.addAll(transaction.entries());
                }
                List<Recorded> chained = List.of();
                if (!entries.isEmpty()) {
                    Journal.Head head = JournalStore.head(connection);
                    chained = JournalStore.chain(head, now, entries);
                    if (!JournalStore.advance(connection, head, chained.getLast())) {
                        connection.rollback();
                        return false;
                    }
                    JournalStore.insert(connection, chained, entries);
                    notifyNodes(connection, chained.getLast().number());
                }
                sent = true;
                connection.commit();
                tail.committed(chained);
                return true;
            } catch (SQLException | RuntimeException | Error | ChangeFailed e) {
                try {
                    connection.rollback();
                } catch (SQLException | AssertionError second) {
                    e.addSuppressed(second);
                }
                Throwable why = e instanceof ChangeFailed failed ? failed.why : e;
                // The driver may also assert what is no longer so once the connection has broken under it.
                boolean broken = isConnection(why) || (why instanceof AssertionError && isClosed(connection));
                if (!sent && broken) {
                    throw new DeadConnection(why);
                }
                if (broken && e instanceof AssertionError) {
                    throw new SQLException("the connection broke in the commit: " + e.getMessage(), "08006", e);
                }
                throw e;
            }
        }
    }

    private static void apply(Pending<?> pending, Transaction transaction) throws ChangeFailed {
        try {
            pending.run(transaction);
        } catch (SQLException | RuntimeException | Error e) {
            throw new ChangeFailed(pending, e);
        }
    }

    private static void notifyNodes(Connection connection, long number) throws SQLException {
        try (var statement = connection.prepareStatement("select pg_notify('holdfast_journal', ?)")) {
            statement.setString(1, Long.toString(number));
            statement.execute();
        }
    }

    @Override
    public void close() {
        closing = true;
        try {
            thread.join(Duration.ofSeconds(15));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
