package dev.holdfast.api;

import dev.holdfast.telemetry.Observation;
import dev.holdfast.telemetry.ObservationConsumer;
import java.time.InstantSource;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.LongAdder;

/// How many messages of devices arrived per second, over the last ten seconds. Follows the telemetry.
public final class MessageRate implements ObservationConsumer {
    private static final int SECONDS = 10;

    private final InstantSource clock;
    private final AtomicLongArray counts = new AtomicLongArray(SECONDS + 2);
    private final AtomicLongArray stamps = new AtomicLongArray(SECONDS + 2);
    private final LongAdder total = new LongAdder();

    public MessageRate(InstantSource clock) {
        this.clock = clock;
    }

    @Override
    public void observed(int shard, Observation observation) {
        boolean message = switch (observation) {
            case Observation.Measurement m -> !m.imported();
            case Observation.LogLine _, Observation.ConfigurationReport _, Observation.Event _ -> true;
            case Observation.Flow _,
                    Observation.SessionActivity _,
                    Observation.Violation _,
                    Observation.RefusedCertificate _,
                    Observation.CertificateConcern _,
                    Observation.AuthenticationFailure _ -> false;
        };
        if (message) {
            long second = clock.millis() / 1_000;
            int slot = (int) (second % counts.length());
            long stamp = stamps.get(slot);
            if (stamp != second && stamps.compareAndSet(slot, stamp, second)) {
                counts.set(slot, 0);
            }
            counts.incrementAndGet(slot);
            total.increment();
        }
    }

    double perSecond() {
        long now = clock.millis() / 1_000;
        long sum = 0;
        for (int i = 0; i < counts.length(); i++) {
            long age = now - stamps.get(i);
            if (age >= 1 && age <= SECONDS) {
                sum += counts.get(i);
            }
        }
        return Math.round(sum * 10.0 / SECONDS) / 10.0;
    }

    public long total() {
        return total.sum();
    }
}
