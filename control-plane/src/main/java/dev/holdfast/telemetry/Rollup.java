package dev.holdfast.telemetry;

import dev.holdfast.core.DeviceRef;
import java.time.Instant;

/// Count, least, greatest, sum and last of one metric of one device in one bucket of time.
///
/// Everything stays finite: a sum stops at 1e300, so that readings of 1e308 can't turn an hour into infinity,
/// and the
/// database can still add up a hundred million such buckets.
final class Rollup {
    private static final double MOST_SUM = 1e300;

    final Key key;
    long count;
    double min = Double.POSITIVE_INFINITY;
    double max = Double.NEGATIVE_INFINITY;
    double sum;
    double last;
    Instant lastAt = Instant.MIN;

    /// @param bucket seconds since 1970 at which the bucket begins
    record Key(DeviceRef device, String metric, long bucket) {
        @Override
        public int hashCode() {
            return (device.id().value().hashCode() * 31 + metric.hashCode()) * 31 + Long.hashCode(bucket / 60);
        }
    }

    Rollup(Key key) {
        this.key = key;
    }

    void add(double value, Instant at) {
        count++;
        min = Math.min(min, value);
        max = Math.max(max, value);
        sum = Math.clamp(sum + value, -MOST_SUM, MOST_SUM);
        if (!at.isBefore(lastAt)) {
            last = value;
            lastAt = at;
        }
    }

    /// Adds what another bucket gathered.
    void add(Rollup other) {
        count += other.count;
        min = Math.min(min, other.min);
        max = Math.max(max, other.max);
        sum = Math.clamp(sum + other.sum, -MOST_SUM, MOST_SUM);
        if (!other.lastAt.isBefore(lastAt)) {
            last = other.last;
            lastAt = other.lastAt;
        }
    }
}
