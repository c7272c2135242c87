package dev.holdfast.rollout;

import dev.holdfast.journal.Freeze;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// This node's permission to send bytes of a release, at most two seconds at a time.
///
/// The node asks the database every few hundred milliseconds which rollouts may be served, and from the
/// moment it
/// began to ask it may serve them for [#LOCAL]. A stop is complete when every node has confirmed that it has
/// put it
/// into effect, or has not renewed for [#LENGTH]: [#LOCAL] is shorter, because it is counted here from before
/// the
/// question and there from the answer. A node's first renewal gives no lease: its row must be there for
/// others to see
/// before it serves.
public final class ByteLeases implements AutoCloseable {
    static final Duration LENGTH = Duration.ofSeconds(2);
    private static final Duration LOCAL = Duration.ofMillis(1_500);
    private static final Duration EVERY = Duration.ofMillis(300);
    private static final Duration WATCH = Duration.ofMillis(50);
    private static final Logger LOG = LoggerFactory.getLogger(ByteLeases.class);

    private final LeaseStore store;
    private final Freeze freeze;
    private final LongSupplier nanoTime;
    private final InstantSource clock;
    private final Set<Transfer> transfers = ConcurrentHashMap.newKeySet();
    private final Map<Long, LeaseStore.Served> unwritten = new HashMap<>();
    private final Semaphore wake = new Semaphore(0);
    private volatile Held held;
    private volatile long confirmed;
    private volatile boolean closing;
    private @Nullable Thread renewer;
    private @Nullable Thread watcher;

    /// @param until by the monotonic clock
    /// @param row until when this node's row is fresh for others to see, by the monotonic clock
    private record Held(Map<Long, Long> epochs, long until, long row) {}

    ByteLeases(LeaseStore store, Freeze freeze, LongSupplier nanoTime, InstantSource clock) {
        this.store = store;
        this.freeze = freeze;
        this.nanoTime = nanoTime;
        this.clock = clock;
        long now = nanoTime.getAsLong();
        this.held = new Held(Map.of(), now, now - 1);
    }

    /// One download under way.
    public final class Transfer implements AutoCloseable {
        private final long rollout;
        private final long epoch;
        private final Runnable cut;

        private Transfer(long rollout, long epoch, Runnable cut) {
            this.rollout = rollout;
            this.epoch = epoch;
            this.cut = cut;
        }

        /// Whether the next bytes may leave now. Ask before each chunk.
        public boolean allowed() {
            return ByteLeases.this.allowed(rollout, epoch);
        }

        /// Counts bytes that were handed to the socket.
        public void served(long bytes) {
            count(rollout, bytes);
        }

        @Override
        public void close() {
            transfers.remove(this);
        }
    }

    /// @param cut drops the connection at once, with what is still queued in it; runs on a thread of ours
    Transfer open(Offer.Work work, Runnable cut) {
        Transfer transfer = new Transfer(work.rollout(), work.epoch(), cut);
        transfers.add(transfer);
        return transfer;
    }

    private boolean allowed(long rollout, long epoch) {
        Held now = held;
        Long current = now.epochs().get(rollout);
        return current != null && current == epoch && nanoTime.getAsLong() - now.until() < 0;
    }

    private void count(long rollout, long bytes) {
        Instant at = clock.instant();
        synchronized (unwritten) {
            unwritten.merge(
                    rollout,
                    new LeaseStore.Served(bytes, at),
                    (a, b) -> new LeaseStore.Served(a.bytes() + b.bytes(), at));
        }
    }

    void start() {
        renewer = Thread.ofPlatform().name("rollout-leases").start(this::renewForEver);
        watcher = Thread.ofPlatform().name("rollout-lease-watch").start(this::watch);
    }

    /// News: ask at once.
    void hurry() {
        wake.release();
    }

    private void renewForEver() {
        while (!closing) {
            try {
                writeBytes(); // before a stop is confirmed, so that what went out before it is counted before it
                renew();
            } catch (RuntimeException e) {
                LOG.warn("rollout leases can't be renewed: {}", e.toString());
            }
            try {
                if (wake.tryAcquire(EVERY.toMillis(), TimeUnit.MILLISECONDS)) {
                    wake.drainPermits();
                }
            } catch (InterruptedException e) {
                return;
            }
        }
    }

    /// Asks once; asks again at once when a stop was seen, so that it is confirmed only after it is in effect
    /// here.
    void renew() {
        for (int i = 0; i < 2; i++) {
            long asked = nanoTime.getAsLong();
            boolean known = asked - held.row() < 0;
            LeaseStore.Renewal renewal = store.renew(confirmed);
            held = new Held(
                    known && !freeze.isFrozen() ? Map.copyOf(renewal.epochs()) : Map.of(),
                    asked + LOCAL.toNanos(),
                    asked + LENGTH.toNanos());
            cutForbidden();
            boolean newStop = renewal.stopSequence() > confirmed;
            confirmed = renewal.stopSequence();
            if (!newStop && known) {
                return;
            }
        }
    }

    private void cutForbidden() {
        for (Transfer transfer : List.copyOf(transfers)) {
            if (!transfer.allowed() && transfers.remove(transfer)) {
                transfer.cut.run();
            }
        }
    }

    /// Ends transfers whose lease ran out while the database did not answer.
    private void watch() {
        while (!closing) {
            java.util.concurrent.locks.LockSupport.parkNanos(WATCH.toNanos());
            if (!transfers.isEmpty()) {
                cutForbidden();
            }
        }
    }

    private void writeBytes() {
        Map<Long, LeaseStore.Served> batch;
        synchronized (unwritten) {
            if (unwritten.isEmpty()) {
                return;
            }
            batch = new HashMap<>(unwritten);
            unwritten.clear();
        }
        try {
            store.addBytes(batch);
        } catch (RuntimeException e) {
            synchronized (unwritten) {
                batch.forEach((rollout, s) -> unwritten.merge(
                        rollout, s, (a, b) -> new LeaseStore.Served(a.bytes() + b.bytes(), a.lastByteAt())));
            }
            throw e;
        }
    }

    @Override
    public void close() {
        closing = true;
        held = new Held(Map.of(), nanoTime.getAsLong(), nanoTime.getAsLong());
        cutForbidden();
        wake.release();
        try {
            if (renewer != null) {
                renewer.join(Duration.ofSeconds(3));
            }
            if (watcher != null) {
                watcher.join(Duration.ofSeconds(1));
            }
            writeBytes();
            store.leave();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (RuntimeException e) {
            LOG.info("rollout leases: left without saying so: {}", e.toString());
        }
    }
}
