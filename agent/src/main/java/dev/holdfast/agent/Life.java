package dev.holdfast.agent;

import io.netty.channel.EventLoop;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;

/// One device's timers: what was scheduled in an earlier life, before a reboot or a power cut, does nothing in a
/// later one.
final class Life {
    private final EventLoop loop;
    private final RandomGenerator random;
    private final Duration retryMost;
    private int number;
    private int failures;

    Life(EventLoop loop, RandomGenerator random, Duration retryMost) {
        this.loop = loop;
        this.random = random;
        this.retryMost = retryMost;
    }

    int number() {
        return number;
    }

    boolean is(int earlier) {
        return earlier == number;
    }

    void end() {
        number++;
        failures = 0;
    }

    void succeeded() {
        failures = 0;
    }

    /// Runs it on the loop after the pause, unless this life is over by then.
    void later(Duration pause, Runnable task) {
        int mine = number;
        loop.schedule(
                        () -> {
                            if (is(mine)) {
                                task.run();
                            }
                        },
                        pause.toMillis(),
                        TimeUnit.MILLISECONDS)
                .addListener(_ -> {});
    }

    /// Doubles the pause with each failure in a row, up to the most, with jitter.
    void retry(Duration first, Runnable task) {
        Duration pause = first.multipliedBy(1L << Math.min(failures, 10));
        failures++;
        later(jittered(pause.compareTo(retryMost) > 0 ? retryMost : pause), task);
    }

    /// A quarter less to a quarter more, so that a city does not act in step.
    Duration jittered(Duration pause) {
        long millis = Math.max(1, pause.toMillis());
        return Duration.ofMillis(millis * 3 / 4 + random.nextLong(Math.max(1, millis / 2)));
    }

    /// A moment within the interval.
    Duration within(Duration interval) {
        return Duration.ofMillis(random.nextLong(Math.max(1, interval.toMillis())));
    }
}
