package dev.holdfast.telemetry;

import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The one thread that writes gathered buckets every few seconds, adds up hours, and removes what is too old; at
/// the same beat other rooms' work begins, beside it.
final class TelemetryUpkeep implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(TelemetryUpkeep.class);
    /// Minutes may still come in this late before their hour is added up (later ones are added to both).
    private static final Duration SETTLING = Duration.ofMinutes(5);
    private static final Duration BETWEEN_EXPIRIES = Duration.ofMinutes(10);
    /// What a stop waits for, all in all.
    private static final Duration LAST_WRITES = Duration.ofSeconds(10);

    private final RollupBuffer buffer;
    private final RollupStore rollups;
    private final KeptStore kept;
    private final Telemetry.Settings settings;
    private final InstantSource clock;
    private final CountDownLatch closing = new CountDownLatch(1);
    private final Thread thread;
    private final Map<String, BesideWork> others = new ConcurrentHashMap<>();
    private Collection<Rollup> unwritten = List.of();
    private Instant nextExpiry;

    TelemetryUpkeep(
            RollupBuffer buffer,
            RollupStore rollups,
            KeptStore kept,
            Telemetry.Settings settings,
            InstantSource clock) {
        this.buffer = buffer;
        this.rollups = rollups;
        this.kept = kept;
        this.settings = settings;
        this.clock = clock;
        this.nextExpiry = clock.instant().plus(BETWEEN_EXPIRIES);
        this.thread = Thread.ofPlatform().name("telemetry-upkeep").unstarted(this::run);
    }

    void also(String what, Runnable write) {
        others.put(what, new BesideWork(what, write));
    }

    void start() {
        thread.start();
    }

    private void run() {
        try {
            while (!closing.await(settings.flush().toMillis(), TimeUnit.MILLISECONDS)) {
                others.values().forEach(BesideWork::begin);
                attempt("write measurements", this::flush);
                attempt("add up hours", () -> rollups.addUpHours(clock.instant().minus(SETTLING)));
                if (clock.instant().isAfter(nextExpiry)) {
                    nextExpiry = clock.instant().plus(BETWEEN_EXPIRIES);
                    attempt("remove old telemetry", this::expire);
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void attempt(String what, Runnable task) {
        try {
            task.run();
        } catch (RuntimeException e) {
            LOG.warn("telemetry could not {}; it will be tried again: {}", what, e.toString());
        }
    }

    /// Writes what the shards handed over; what could not be written is kept for the next time.
    synchronized void flush() {
        do {
            if (unwritten.isEmpty()) {
                unwritten = buffer.take();
            }
            if (unwritten.isEmpty()) {
                return;
            }
            try {
                rollups.append(unwritten, false, minutesSince());
            } catch (SQLException e) {
                throw new org.jooq.exception.DataAccessException("measurements: " + e.getMessage(), e);
            }
            unwritten = List.of();
        } while (true);
    }

    Instant minutesSince() {
        return clock.instant().minus(settings.retention().minutes());
    }

    void expire() {
        Instant now = clock.instant();
        Telemetry.Retention retention = settings.retention();
        int rows = rollups.expire(now.minus(retention.minutes()), now.minus(retention.hours()))
                + kept.expire(now.minus(retention.logs()), now.minus(retention.events()));
        if (rows > 0) {
            LOG.info("{} rows of telemetry were past their retention", rows);
        }
    }

    @Override
    public void close() {
        closing.countDown();
        try {
            if (thread.isAlive()) {
                thread.join(LAST_WRITES);
            }
            attempt("write the last measurements", this::flush);
            Instant until = clock.instant().plus(LAST_WRITES);
            for (BesideWork other : others.values()) {
                Duration left = Duration.between(clock.instant(), until);
                other.finish(left.isPositive() ? left : Duration.ofMillis(1));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
