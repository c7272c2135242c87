package dev.holdfast.journal;

import dev.holdfast.database.Database;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.postgresql.PGConnection;
import org.postgresql.PGNotification;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Delivers committed entries to this node's subscribers, in the chain's order, each once.
///
/// The cursor is the chain's number. A commit on this node wakes it at once, one on another node by NOTIFY;
/// both are
/// only a wake-up: what is delivered is read from the table, so a missed wake-up costs at most the slow poll.
final class JournalTail implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(JournalTail.class);
    private static final int PAGE = 1_000;
    private static final Duration SLOW_POLL = Duration.ofSeconds(1);

    private final JournalStore store;
    private final Database database;
    private final List<Consumer<Recorded>> subscribers = new CopyOnWriteArrayList<>();
    private final Semaphore wake = new Semaphore(0);
    private volatile long cursor;
    private volatile long heardNanos = System.nanoTime();
    private volatile boolean closing;
    private @Nullable Thread deliverer;
    private @Nullable Thread listener;

    JournalTail(JournalStore store, Database database) {
        this.store = store;
        this.database = database;
        this.cursor = store.head().number();
    }

    void subscribe(Consumer<Recorded> subscriber) {
        subscribers.add(subscriber);
    }

    Duration silence() {
        return Duration.ofNanos(System.nanoTime() - heardNanos);
    }

    long cursor() {
        return cursor;
    }

    void committed(List<Recorded> entries) {
        if (!entries.isEmpty()) {
            wake.release();
        }
    }

    void start() {
        deliverer = Thread.ofPlatform().name("journal-tail").start(this::deliver);
        listener = Thread.ofVirtual().name("journal-listen").start(this::listen);
    }

    private void deliver() {
        while (!closing) {
            try {
                List<Recorded> page = store.read(cursor, PAGE);
                heardNanos = System.nanoTime();
                for (Recorded entry : page) {
                    hand(entry);
                    cursor = entry.number();
                }
                if (page.size() < PAGE) {
                    boolean woken = wake.tryAcquire(SLOW_POLL.toMillis(), TimeUnit.MILLISECONDS);
                    if (woken) {
                        wake.drainPermits();
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

    /// A subscriber's bug must not keep the news from the others.
    private void hand(Recorded entry) {
        for (Consumer<Recorded> subscriber : subscribers) {
            try {
                subscriber.accept(entry);
            } catch (RuntimeException e) {
                LOG.error("journal tail: a subscriber failed on entry {}", entry.number(), e);
            }
        }
    }

    private void listen() {
        while (!closing) {
            Database.Address address = database.address();
            try (Connection connection =
                    DriverManager.getConnection(address.url(), address.user(), address.password())) {
                try (var statement = connection.createStatement()) {
                    statement.execute("listen holdfast_journal");
                }
                wake.release(); // what was committed while we were not listening
                PGConnection pg = connection.unwrap(PGConnection.class);
                while (!closing) {
                    PGNotification[] news = pg.getNotifications(1_000);
                    if (news != null && news.length > 0) {
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
