package dev.holdfast.telemetry;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.LongAdder;

/// Gathers measurements into one-minute buckets, per shard, and hands them to the flusher.
///
/// While the flusher has not taken what was handed over, the shard goes on gathering. So a database that is away
/// costs memory up to the bound; past it new buckets are dropped and counted (a measurement may be lost where
/// a crash
/// would lose it too, and Holdfast is never the billing record).
final class RollupBuffer implements ObservationConsumer {
    static final int MINUTE = 60;

    private final int mostBuckets;
    private final List<ShardBuckets> shards = new ArrayList<>();
    private final LongAdder dropped = new LongAdder();

    private static final class ShardBuckets {
        Map<Rollup.Key, Rollup> gathering = new HashMap<>();
        final Queue<Map<Rollup.Key, Rollup>> handedOver = new ConcurrentLinkedQueue<>();
    }

    /// @param mostBuckets in one shard
    RollupBuffer(int shards, int mostBuckets) {
        this.mostBuckets = mostBuckets;
        for (int i = 0; i < shards; i++) {
            this.shards.add(new ShardBuckets());
        }
    }

    @Override
    public void observed(int shard, Observation observation) {
        // What was imported is in the database already.
        if (observation instanceof Observation.Measurement m && !m.imported()) {
            gather(shards.get(shard).gathering, m);
        }
    }

    private void gather(Map<Rollup.Key, Rollup> buckets, Observation.Measurement m) {
        long bucket = bucket(m.measuredAt(), MINUTE);
        for (Map.Entry<String, Double> value : m.values().entrySet()) {
            Rollup.Key key = new Rollup.Key(m.device(), value.getKey(), bucket);
            Rollup rollup = buckets.get(key);
            if (rollup == null) {
                if (buckets.size() >= mostBuckets) {
                    dropped.increment();
                    continue;
                }
                rollup = new Rollup(key);
                buckets.put(key, rollup);
            }
            rollup.add(value.getValue(), m.measuredAt());
        }
    }

    static long bucket(Instant at, int width) {
        return Math.floorDiv(at.getEpochSecond(), width) * width;
    }

    @Override
    public void tick(int shard, Instant now) {
        if (shards.get(shard).handedOver.isEmpty()) {
            handOver(shards.get(shard));
        }
    }

    @Override
    public void stopping(int shard) {
        handOver(shards.get(shard));
    }

    private static void handOver(ShardBuckets buckets) {
        if (!buckets.gathering.isEmpty()) {
            buckets.handedOver.add(buckets.gathering);
            buckets.gathering = new HashMap<>();
        }
    }

    /// What the shards handed over and nobody took yet.
    Collection<Rollup> take() {
        List<Rollup> taken = new ArrayList<>();
        for (ShardBuckets buckets : shards) {
            Map<Rollup.Key, Rollup> next;
            while ((next = buckets.handedOver.poll()) != null) {
                taken.addAll(next.values());
            }
        }
        return taken;
    }

    /// How many values found no room in any bucket.
    long dropped() {
        return dropped.sum();
    }
}
