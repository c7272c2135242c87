package dev.holdfast.telemetry;

import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// A bounded queue and the one thread that empties it.
///
/// Producers add under a short lock; the thread takes all that waits in one swap. When full, an offer is
/// declined and
/// the producer may leave a note to be called when there is room again.
final class Shard implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Shard.class);
    private static final long TICK = Duration.ofSeconds(1).toNanos();

    private final int number;
    private final int capacity;
    private final List<ObservationConsumer> consumers;
    private final InstantSource clock;
    private final LongAdder failures = new LongAdder();
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition filled = lock.newCondition();
    private final Thread thread;
    private ArrayDeque<Observation> waiting = new ArrayDeque<>();
    private List<Runnable> wanting = new ArrayList<>();
    private boolean sleeping;
    private boolean closing;
    private volatile int delivering;

    Shard(int number, int capacity, List<ObservationConsumer> consumers, InstantSource clock) {
        this.number = number;
        this.capacity = capacity;
        this.consumers = consumers;
        this.clock = clock;
        this.thread = Thread.ofPlatform().name("telemetry-shard-" + number).unstarted(this::run);
    }

    void start() {
        thread.start();
    }

    /// @param share how many times the capacity may wait before this is declined
    /// @return false when the queue is full
    boolean offer(Observation observation, int share) {
        lock.lock();
        try {
            if (waiting.size() >= capacity * share) {
                return false;
            }
            add(observation);
            return true;
        } finally {
            lock.unlock();
        }
    }

    /// For what is durable already or few by nature: not bounded here, because the caller is.
    void put(Observation observation) {
        lock.lock();
        try {
            add(observation);
        } finally {
            lock.unlock();
        }
    }

    private void add(Observation observation) {
        waiting.add(observation);
        if (sleeping) {
            sleeping = false;
            filled.signal();
        }
    }

    /// Runs the note once, when there is room; at once when there is room now.
    void whenRoom(Runnable note) {
        lock.lock();
        try {
            if (waiting.size() >= capacity) {
                wanting.add(note);
                return;
            }
        } finally {
            lock.unlock();
        }
        note.run();
    }

    int waiting() {
        lock.lock();
        try {
            return waiting.size() + delivering;
        } finally {
            lock.unlock();
        }
    }

    long failures() {
        return failures.sum();
    }

    private void run() {
        ArrayDeque<Observation> batch = new ArrayDeque<>();
        long nextTick = System.nanoTime() + TICK;
        while (true) {
            List<Runnable> notes;
            lock.lock();
            try {
                long left = nextTick - System.nanoTime();
                while (waiting.isEmpty() && !closing && left > 0) {
                    sleeping = true;
                    left = filled.awaitNanos(left);
                }
                sleeping = false;
                if (waiting.isEmpty() && closing) {
                    break;
                }
                ArrayDeque<Observation> taken = waiting;
                waiting = batch;
                batch = taken;
                delivering = batch.size();
                notes = wanting;
                wanting = notes.isEmpty() ? notes : new ArrayList<>();
            } catch (InterruptedException e) {
                break;
            } finally {
                lock.unlock();
            }
            notes.forEach(Runnable::run);
            deliver(batch);
            delivering = 0;
            if (System.nanoTime() - nextTick >= 0) {
                consumers.forEach(this::tick);
                nextTick = System.nanoTime() + TICK;
            }
        }
        consumers.forEach(c -> c.stopping(number));
    }

    private void deliver(ArrayDeque<Observation> batch) {
        Observation next;
        while ((next = batch.poll()) != null) {
            for (ObservationConsumer consumer : consumers) {
                try {
                    consumer.observed(number, next);
                } catch (RuntimeException e) {
                    // One observation that a consumer can't bear must not end the shard; the count is shown.
                    failures.increment();
                    LOG.error(
                            "an observation of {} failed in {}",
                            next.device(),
                            consumer.getClass().getSimpleName(),
                            e);
                }
            }
        }
    }

    private void tick(ObservationConsumer consumer) {
        try {
            consumer.tick(number, clock.instant());
        } catch (RuntimeException e) {
            failures.increment();
            LOG.error("a tick failed in {}", consumer.getClass().getSimpleName(), e);
        }
    }

    /// Delivers what waits, then ends.
    @Override
    public void close() {
        lock.lock();
        try {
            closing = true;
            filled.signal();
        } finally {
            lock.unlock();
        }
        try {
            if (thread.isAlive() && !thread.join(Duration.ofSeconds(10))) {
                LOG.warn("telemetry shard {} did not empty in time: {} left", number, waiting());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
