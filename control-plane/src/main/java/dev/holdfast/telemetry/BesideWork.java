package dev.holdfast.telemetry;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Another room's work with every flush, on a thread of its own and one run at a time: however long it takes, it
/// holds up neither the flush nor the work of the others.
final class BesideWork {
    private static final Logger LOG = LoggerFactory.getLogger(BesideWork.class);

    private final String what;
    private final Runnable work;
    private final AtomicBoolean running = new AtomicBoolean();
    private volatile @Nullable Thread last;

    BesideWork(String what, Runnable work) {
        this.what = what;
        this.work = work;
    }

    /// Begins a run, unless one goes on.
    void begin() {
        if (running.compareAndSet(false, true)) {
            last = Thread.ofVirtual().name("upkeep: " + what).start(this::run);
        }
    }

    private void run() {
        try {
            work.run();
        } catch (RuntimeException e) {
            LOG.warn("could not write {}; it will be tried again: {}", what, e.toString());
        } finally {
            running.set(false);
        }
    }

    /// Waits for a run that goes on, then makes the last one, so that nothing gathered is lost.
    ///
    /// @param most after which a run that goes on is left alone
    void finish(Duration most) throws InterruptedException {
        Thread thread = last;
        if (thread != null && !thread.join(most)) {
            LOG.warn("did not wait any longer to write {}", what);
            return;
        }
        if (running.compareAndSet(false, true)) {
            run();
        }
    }
}
