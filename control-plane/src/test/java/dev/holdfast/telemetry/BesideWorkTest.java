package dev.holdfast.telemetry;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/// What other rooms have done beside the flush, at a stop.
class BesideWorkTest {
    private final AtomicInteger begun = new AtomicInteger();

    @Test
    void theLastRunIsMadeAtTheEnd() throws Exception {
        BesideWork work = new BesideWork("contacts", begun::incrementAndGet);
        work.finish(Duration.ofSeconds(10));
        assertThat(begun).hasValue(1);
    }

    @Test
    void aRunThatDoesNotEndDoesNotKeepTheServerFromStopping() throws Exception {
        CountDownLatch entered = new CountDownLatch(1);
        CountDownLatch released = new CountDownLatch(1);
        BesideWork work = new BesideWork("contacts", () -> {
            begun.incrementAndGet();
            entered.countDown();
            try {
                released.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        work.begin();
        entered.await();
        work.begin();
        work.finish(Duration.ofMillis(20));
        assertThat(begun).as("one at a time").hasValue(1);
        released.countDown();
        work.finish(Duration.ofSeconds(10));
        assertThat(begun).hasValue(2);
    }
}
