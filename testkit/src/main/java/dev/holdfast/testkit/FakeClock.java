package dev.holdfast.testkit;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;

/// A clock that stands still until the test moves it. Safe for use by many threads.
public final class FakeClock implements InstantSource {
    private final AtomicReference<Instant> now;

    public FakeClock(Instant start) {
        this.now = new AtomicReference<>(start);
    }

    /// Starts at a fixed moment, so that a test reads the same on every run.
    public static FakeClock atStart() {
        return new FakeClock(Instant.parse("2026-03-02T06:00:00Z"));
    }

    @Override
    public Instant instant() {
        return Objects.requireNonNull(now.get());
    }

    /// Moves on by a duration, which may be negative: real clocks are set back too.
    ///
    /// @return the new time
    public Instant advance(Duration by) {
        while (true) {
            Instant before = instant();
            Instant after = before.plus(by);
            if (now.compareAndSet(before, after)) {
                return after;
            }
        }
    }

    public void set(Instant to) {
        now.set(to);
    }
}
