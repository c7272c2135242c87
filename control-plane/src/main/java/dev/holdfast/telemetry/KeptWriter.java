package dev.holdfast.telemetry;

import dev.holdfast.database.Database;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Commits log lines, events and configuration reports, many in one transaction, and acknowledges each after its
/// commit.
///
/// While the database is away it holds what it has and tries again, so nothing that was taken is lost; its
/// queue then
/// fills, and whoever offers more is declined and stops reading its socket.
final class KeptWriter implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(KeptWriter.class);
    private static final int BATCH = 1_000;

    private final KeptStore store;
    private final Consumer<Observation> next;
    private final BlockingQueue<Pending> queue;
    private final LongAdder failed = new LongAdder();
    private final Thread thread;
    private volatile boolean closing;

    record Pending(Observation.Kept kept, Acknowledgement answer) {}

    /// @param next is shown what was committed, before it is acknowledged
    KeptWriter(KeptStore store, int capacity, Consumer<Observation> next) {
        this.store = store;
        this.next = next;
        this.queue = new ArrayBlockingQueue<>(capacity);
        this.thread = Thread.ofPlatform().name("telemetry-kept").unstarted(this::run);
    }

    void start() {
        thread.start();
    }

    /// @return false when it can't be taken now
    boolean offer(Observation.Kept kept, Acknowledgement answer) {
        return !closing && queue.offer(new Pending(kept, answer));
    }

    int waiting() {
        return queue.size();
    }

    long failed() {
        return failed.sum();
    }

    private void run() {
        List<Pending> batch = new ArrayList<>(BATCH);
        try {
            while (true) {
                Pending first = queue.poll(200, TimeUnit.MILLISECONDS);
                if (first == null) {
                    if (closing) {
                        return;
                    }
                    continue;
                }
                batch.add(first);
                queue.drainTo(batch, BATCH - 1);
                keep(batch);
                batch.clear();
            }
        } catch (InterruptedException e) {
            batch.forEach(p -> fail(p, new IllegalStateException("the server is stopping", e)));
        }
    }

    private void keep(List<Pending> batch) throws InterruptedException {
        long pause = 100;
        KeptStore.Attempt attempt = new KeptStore.Attempt();
        while (true) {
            try {
                store.append(batch.stream().map(Pending::kept).toList(), attempt);
                batch.forEach(this::succeed);
                return;
            } catch (RuntimeException e) {
                if (!Database.isAway(e)) {
                    keepOneByOne(batch, e);
                    return;
                }
                if (closing) {
                    batch.forEach(p -> fail(p, e));
                    return;
                }
                LOG.warn("the database is away; {} log lines, events or reports wait", batch.size() + queue.size());
                TimeUnit.MILLISECONDS.sleep(pause);
                pause = Math.min(pause * 2, 2_000);
            }
        }
    }

    /// So that one that the database refuses doesn't take the others with it.
    private void keepOneByOne(List<Pending> batch, RuntimeException why) throws InterruptedException {
        if (batch.size() == 1) {
            LOG.error(
                    "an observation of {} could not be kept",
                    batch.getFirst().kept().device(),
                    why);
            fail(batch.getFirst(), why);
            return;
        }
        for (Pending one : batch) {
            keep(List.of(one));
        }
    }

    private void succeed(Pending pending) {
        next.accept(pending.kept());
        pending.answer().committed();
    }

    private void fail(Pending pending, RuntimeException why) {
        failed.increment();
        pending.answer().failed(why);
    }

    /// Commits what was taken, then ends.
    @Override
    public void close() {
        closing = true;
        try {
            if (thread.isAlive() && !thread.join(Duration.ofSeconds(10))) {
                thread.interrupt();
                thread.join(Duration.ofSeconds(2));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
