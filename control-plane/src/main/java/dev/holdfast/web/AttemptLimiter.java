package dev.holdfast.web;

import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.Map;

/// Slows down whoever fails to authenticate: per address, 20 failures at once and one more every 3 seconds.
///
/// Bounded in memory: the 10,000 addresses that failed last. Secrets have 256 bits, so this protects the database and
/// the log from a flood rather than the secrets from being guessed.
public final class AttemptLimiter {
    private static final int MOST_ADDRESSES = 10_000;
    private static final double BURST = 20;
    private static final double PER_SECOND = 1.0 / 3;

    private final InstantSource clock;
    private final Map<String, Bucket> buckets = new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Bucket> eldest) {
            return size() > MOST_ADDRESSES;
        }
    };

    private record Bucket(double left, long atMillis) {}

    public AttemptLimiter(InstantSource clock) {
        this.clock = clock;
    }

    /// Seconds until the address may try again; 0 when it may now.
    synchronized int waitSeconds(String address) {
        double left = left(address);
        return left >= 1 ? 0 : (int) Math.ceil((1 - left) / PER_SECOND);
    }

    synchronized void failed(String address) {
        buckets.put(address, new Bucket(Math.max(0, left(address) - 1), clock.millis()));
    }

    private double left(String address) {
        Bucket bucket = buckets.get(address);
        return bucket == null
                ? BURST
                : Math.min(
                        BURST, bucket.left() + Math.max(0, clock.millis() - bucket.atMillis()) / 1_000.0 * PER_SECOND);
    }
}
