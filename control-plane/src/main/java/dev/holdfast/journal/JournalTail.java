package dev.holdfast.journal;

import dev.holdfast.database.Database;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.postgresql.PGConnection;
import org.postgresql.PGNotification;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Delivers committed entries to this node's subscribers, in the chain's order, each once.
///
/// The cursor is the chain's number. What this node committed is handed on from memory where it follows the
/// cursor; what another node committed is read from the table, after its NOTIFY or by the slow poll, so a
/// missed wake-up costs at most that.
final class JournalTail implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(JournalTail.class);
    private static final int PAGE = 1_000;
    private static final Duration SLOW_POLL = Duration.ofSeconds(1);
    /// Batches of this node's own that may wait here; more are read from the table.
    private static final int MOST_OWN = 1_000;

    private final JournalStore store;
    private final Database database;
    private final List<Subscriber> subscribers = new CopyOnWriteArrayList<>();
    private final Semaphore wake = new Semaphore(0);
    private final BlockingQueue<List<Recorded>> own = new ArrayBlockingQueue<>(MOST_OWN);
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition delivered = lock.newCondition();
    private volatile long cursor;
    private volatile long committed;
    /// Whether something may stand in the table that was not committed here.
    private final AtomicBoolean readTable = new AtomicBoolean(true);
    private volatile long heardNanos = System.nanoTime();
    private volatile boolean closing;
    private @Nullable Thread deliverer;
    private @Nullable Thread listener;

    JournalTail(JournalStore store, Database database) {
        this.store = store;
        this.database = database;
        this.cursor = store.head().number();
    }

    /// @param strict whether nothing may be delivered after an entry that it could not take
    private record Subscriber(Consumer<Recorded> consumer, boolean strict) {}

    void subscribe(Consumer<Recorded> subscriber) {
        subscribers.add(new Subscriber(subscriber, false));
    }

    void obey(Consumer<Recorded> subscriber) {
        subscribers.add(new Subscriber(subscriber, true));
    }

    Duration silence() {
        return Duration.ofNanos(System.nanoTime() - heardNanos);
    }

    long cursor() {
        return cursor;
    }

    /// By the writer, in the chain's order.
    void committed(List<Recorded> entries) {
        if (!entries.isEmpty()) {
            committed = entries.getLast().number();
            var _ = own.offer(entries); // where there is no room, the table has it
            wake.release();
        }
    }

    /// Waits until every subscriber has heard what this node has committed by now.
    ///
    /// @return false when they had not in this time
    boolean awaitDelivered(Duration atMost) throws InterruptedException {
        long wanted = committed;
        long left = atMost.toNanos();
        lock.lockInterruptibly();
        try {
            while (cursor < wanted && left > 0 && !closing) {
                left = delivered.awaitNanos(left);
            }
            return cursor >= wanted;
        } finally {
            lock.unlock();
        }
    }

    void start() {
        deliverer = Thread.ofPlatform().name("journal-tail").start(this::deliver);
        listener = Thread.ofVirtual().name("journal-listen").start(this::listen);
    }

    private void deliver() {
        while (!closing) {
            try {
                boolean own = !readTable.getAndSet(false) && deliverOwn();
                boolean more = own ? !this.own.isEmpty() : deliverPage();
                if (!more) {
                    boolean woken = wake.tryAcquire(SLOW_POLL.toMillis(), TimeUnit.MILLISECONDS);
                    if (woken) {
                        wake.drainPermits();
                    } else {
                        readTable.set(true);
                    }
                }
            } catch (InterruptedException e) {
                return;
            } catch (RuntimeException e) {
                LOG.warn("journal tail: {}", e.toString());
                pause();
            }
        }
    }

    /// @return false when there was nothing of our own that follows the cursor
    private boolean deliverOwn() {
        for (List<Recorded> batch = own.poll(); batch != null; batch = own.poll()) {
            if (batch.getFirst().number() == cursor + 1) {
                heardNanos = System.nanoTime(); // it has just been committed
                deliver(batch);
                return true;
            }
            if (batch.getFirst().number() > cursor + 1) {
                return false; // another node's are before it: the table has them all, in order
            }
        }
        return false;
    }

    /// @return whether there is more to read
    private boolean deliverPage() {
        List<Recorded> page = store.read(cursor, PAGE);
        heardNanos = System.nanoTime();
        deliver(page);
        return page.size() == PAGE;
    }

    private void deliver(List<Recorded> page) {
        for (Recorded entry : page) {
            if (!hand(entry)) {
                return; // closing; whoever starts next reads the database
            }
            cursor = entry.number();
        }
        lock.lock();
        try {
            delivered.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /// A subscriber's bug must not keep the news from the others; but nobody may miss an entry because the
    /// database was away for a moment, and those that decide who may come in may not miss one for any reason.
    ///
    /// @return false when we are closing before all have it
    private boolean hand(Recorded entry) {
        for (Subscriber subscriber : subscribers) {
            boolean told = false;
            while (!closing) {
                try {
                    subscriber.consumer().accept(entry);
                    break;
                } catch (RuntimeException e) {
                    boolean away = Database.isAway(e);
                    if (!told && !away) {
                        LOG.error("journal tail: a subscriber failed on entry {}", entry.number(), e);
                    } else if (!told) {
                        LOG.warn("journal tail: waits with entry {}: {}", entry.number(), e.toString());
                    }
                    told = true;
                    if (!subscriber.strict() && !away) {
                        break;
                    }
                    pause();
                }
            }
        }
        return !closing;
    }

    private void listen() {
        while (!closing) {
            Database.Address address = database.address();
            try (Connection connection =
                    DriverManager.getConnection(address.url(), address.user(), address.password())) {
                try (var statement = connection.createStatement()) {
                    statement.execute("listen holdfast_journal");
                }
                readTable.set(true); // what was committed while we were not listening
                wake.release();
                PGConnection pg = connection.unwrap(PGConnection.class);
                while (!closing) {
                    PGNotification[] news = pg.getNotifications(1_000);
                    // Our own commits come back to us as well, and have been handed on from memory.
                    if (news != null && Arrays.stream(news).anyMatch(one -> !isOwn(one.getParameter()))) {
                        readTable.set(true);
                        wake.release();
                    }
                }
            } catch (SQLException e) {
                if (!closing) {
                    LOG.warn("journal tail: not hearing other nodes: {}", e.getMessage());
                    pause();
                }
            }
        }
    }

    private boolean isOwn(String number) {
        try {
            return !number.isEmpty() && Long.parseLong(number) <= committed;
        } catch (NumberFormatException notOfThisVersion) {
            return false;
        }
    }

    private static void pause() {
        java.util.concurrent.locks.LockSupport.parkNanos(Duration.ofMillis(500).toNanos());
    }

    @Override
    public void close() {
        closing = true;
        wake.release();
        try {
            if (deliverer != null) {
                deliverer.join(Duration.ofSeconds(5));
            }
            if (listener != null) {
                listener.join(Duration.ofSeconds(3));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
