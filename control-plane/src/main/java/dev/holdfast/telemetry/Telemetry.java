package dev.holdfast.telemetry;

import dev.holdfast.core.Actor;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Environment;
import dev.holdfast.database.Database;
import dev.holdfast.journal.Journal;
import dev.holdfast.journal.Transaction;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.LongAdder;

/// Everything observed of devices: taken in at the edges, kept or rolled up, and passed on in order.
///
/// What an acknowledgement may say: a measurement or flow that [#accept] took is in memory, and a crash may
/// lose it
/// until the next flush (at most 5 s); what [#keep] acknowledged is committed.
public final class Telemetry implements AutoCloseable {
    private final Journal journal;
    private final InstantSource clock;
    private final List<ObservationConsumer> consumers = new CopyOnWriteArrayList<>();
    private final List<Shard> shards = new ArrayList<>();
    private final KeptStore kept;
    private final KeptWriter writer;
    private final RollupStore rollups;
    private final RollupBuffer buffer;
    private final TelemetryUpkeep upkeep;
    private final LongAdder declined = new LongAdder();

    /// @param shardCapacity observations waiting in one shard before its sockets are no longer read
    /// @param keptCapacity log lines, events and reports waiting to be committed
    /// @param bucketCapacity one-minute buckets in the memory of one shard
    public record Settings(
            int shards, int shardCapacity, int keptCapacity, int bucketCapacity, Duration flush, Retention retention) {
        public static Settings defaults() {
            return new Settings(
                    Math.clamp(Runtime.getRuntime().availableProcessors(), 2, 16),
                    20_000,
                    20_000,
                    1_000_000,
                    Duration.ofSeconds(2),
                    new Retention(Duration.ofDays(2), Duration.ofDays(400), Duration.ofDays(30), Duration.ofDays(400)));
        }
    }

    /// How long each kind is kept.
    public record Retention(Duration minutes, Duration hours, Duration logs, Duration events) {}

    /// How full it is, for metrics and the doctor.
    ///
    /// @param declined offers declined because a queue was full (offered again later by edges that wait)
    /// @param dropped values that found no room in a bucket while the database was away
    /// @param failed observations that a consumer or the database could not bear
    public record Fill(int waiting, int waitingToBeKept, long declined, long dropped, long failed) {}

    public Telemetry(Database database, Journal journal, InstantSource clock, Settings settings) {
        this.journal = journal;
        this.clock = clock;
        kept = new KeptStore(database);
        rollups = new RollupStore(database);
        buffer = new RollupBuffer(settings.shards(), settings.bucketCapacity());
        consumers.add(buffer);
        writer = new KeptWriter(
                kept,
                settings.keptCapacity(),
                observation -> shard(observation.device()).put(observation));
        for (int i = 0; i < settings.shards(); i++) {
            shards.add(new Shard(i, settings.shardCapacity(), consumers, clock));
        }
        upkeep = new TelemetryUpkeep(buffer, rollups, kept, settings, clock);
    }

    public int shards() {
        return shards.size();
    }

    /// Where the device's observations go; stable while the server runs.
    public int shardOf(DeviceRef device) {
        return Math.floorMod((device.id().value().hashCode() * 0x9E3779B9) >>> 7, shards.size());
    }

    private Shard shard(DeviceRef device) {
        return shards.get(shardOf(device));
    }

    /// Follows the stream; called before [#start].
    public void subscribe(ObservationConsumer consumer) {
        consumers.add(consumer);
    }

    /// Has another room's gathered writes (last contacts, delivered commands) written at the beat of the flushes,
    /// every few seconds and at the end: on a thread of its own, one run at a time. Called before [#start].
    public void alsoFlush(String what, Runnable write) {
        upkeep.also(what, write);
    }

    /// Begins to deliver and to write; called once, when all have subscribed.
    public void start() {
        shards.forEach(Shard::start);
        writer.start();
        upkeep.start();
    }

    /// Takes an observation, without blocking.
    ///
    /// Measurements, flows and uses of a session are declined when the device's queue is full: the caller stops
    /// reading that socket and comes back by [#whenRoom]. What says that a rule was broken, or that a session
    /// opened
    /// or ended, has a reserve as large again. What is to be kept (log lines, events, reports) is taken to be
    /// committed.
    ///
    /// @return false when it was not taken
    public boolean accept(Observation observation) {
        boolean taken = switch (observation) {
            case Observation.Kept toKeep -> keep(toKeep, Acknowledgement.NONE);
            case Observation.Measurement _, Observation.Flow _ -> offer(observation, 1);
            case Observation.SessionActivity activity ->
                offer(observation, activity.kind() == Observation.SessionActivity.Kind.USED ? 1 : 2);
            case Observation.Violation _,
                    Observation.RefusedCertificate _,
                    Observation.AuthenticationFailure _,
                    Observation.CertificateConcern _ -> offer(observation, 2);
        };
        if (!taken) {
            declined.increment();
        }
        return taken;
    }

    private boolean offer(Observation observation, int share) {
        return shard(observation.device()).offer(observation, share);
    }

    /// Runs the note once, on the shard's thread, when the device's queue has room; at once when it has.
    public void whenRoom(DeviceRef device, Runnable note) {
        shard(device).whenRoom(note);
    }

    /// Commits (in a batch, within milliseconds), shows it to the consumers, then acknowledges.
    ///
    /// @return false when it was not taken; the acknowledgement is not called then
    public boolean keep(Observation.Kept observation, Acknowledgement answer) {
        return writer.offer(observation, answer);
    }

    /// Keeps an event as part of another room's change; the caller shows it to the consumers by [#kept] after.
    public void append(Transaction tx, Observation.Event event) {
        KeptStore.appendEvents(tx.sql(), List.of(event));
    }

    /// Shows the consumers what [#append] kept.
    public void kept(Observation.Event event) {
        shard(event.device()).put(event);
    }

    public List<LogQuery.Line> logs(LogQuery query) {
        return kept.search(query);
    }

    /// The device's events, newest first.
    public List<Observation.Event> events(DeviceRef device, Instant before, int limit) {
        return kept.events(device, before, limit);
    }

    /// The configuration that the device reported last.
    public Optional<Observation.ConfigurationReport> configuration(DeviceRef device) {
        return kept.configuration(device);
    }

    /// @param most points at most, the earliest first
    public List<Series.Point> series(
            DeviceRef device, String metric, Instant from, Instant to, Series.Resolution resolution, int most) {
        return rollups.series(device, metric, from, to, resolution == Series.Resolution.HOUR, most);
    }

    /// The last value of each metric that the device ever reported and that is still kept.
    public Map<String, Series.Latest> latest(DeviceRef device) {
        return rollups.latest(device, clock.instant());
    }

    /// One reading of the past.
    ///
    /// @param at when it was measured, truly
    /// @param values finite numbers
    public record Imported(DeviceRef device, Instant at, Map<String, Double> values) {}

    /// Takes in history: kept with its true times and marked as imported, journalled as the operator's doing,
    /// and shown
    /// to the consumers in the order of its times. Blocks until the consumers' queues have taken it.
    ///
    /// @param points at most 20,000, of devices of the environment, none in the future
    /// @throws IllegalArgumentException naming the first point that can't be imported; nothing is imported then
    public void importHistory(Environment environment, List<Imported> points, String reason, Actor actor) {
        List<Imported> ordered = HistoryImport.checked(environment, points, clock.instant());
        if (ordered.isEmpty()) {
            return;
        }
        Collection<Rollup> minutes = HistoryImport.minutes(ordered);
        Instant minutesSince = upkeep.minutesSince();
        journal.run(tx -> {
            RollupStore.append(tx.sql(), minutes, true, minutesSince);
            tx.record(HistoryImport.entry(environment, ordered, reason, actor));
        });
        for (Imported point : ordered) {
            acceptWaiting(
                    new Observation.Measurement(point.device(), clock.instant(), point.at(), point.values(), true));
        }
    }

    private void acceptWaiting(Observation observation) {
        while (!offer(observation, 1)) {
            CountDownLatch room = new CountDownLatch(1);
            whenRoom(observation.device(), room::countDown);
            try {
                room.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new CompletionException("interrupted while waiting for room", e);
            }
        }
    }

    public Fill fill() {
        return new Fill(
                shards.stream().mapToInt(Shard::waiting).sum(),
                writer.waiting(),
                declined.sum(),
                buffer.dropped(),
                shards.stream().mapToLong(Shard::failures).sum() + writer.failed());
    }

    /// Writes what was gathered; what is called every few seconds anyway. For tests and for a stop.
    public void flush() {
        upkeep.flush();
    }

    @Override
    public void close() {
        writer.close();
        shards.forEach(Shard::close);
        upkeep.close();
    }
}
