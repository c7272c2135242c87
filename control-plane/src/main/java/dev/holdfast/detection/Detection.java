package dev.holdfast.detection;

import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Environment;
import dev.holdfast.database.Database;
import dev.holdfast.inventory.Inventory;
import dev.holdfast.inventory.Lifecycle;
import dev.holdfast.inventory.Standing;
import dev.holdfast.journal.Journal;
import dev.holdfast.journal.Recorded;
import dev.holdfast.journal.Transaction;
import dev.holdfast.telemetry.Observation;
import dev.holdfast.telemetry.ObservationConsumer;
import dev.holdfast.telemetry.Telemetry;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The room's door: what was found, and whether a device is well.
///
/// Follows the stream of observations, one call after another for each shard. A finding is committed before the
/// checkpoint of the baseline that has seen it, so after a crash it is found again rather than forgotten.
public final class Detection implements ObservationConsumer, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Detection.class);
    private static final int MOST_RESTORED = 200_000;
    private static final int MOST_UNSAVED = 1_000;
    private static final int CHECKPOINT_PAGE = 2_000;
    private static final Duration CHECKPOINT_EVERY = Duration.ofSeconds(10);
    private static final int MOST_NOTICES_AT_ONCE = 500;
    private static final Duration EXCHANGE_EVERY = Duration.ofSeconds(1);
    private static final Duration SWEEP_EVERY = Duration.ofSeconds(2);
    private static final int CONTACTS_PAGE = 5_000;
    /// Longer than our agent waits between two attempts (two minutes and a quarter more).
    private static final Duration RETRIED_WITHIN = Duration.ofMinutes(3);
    /// What others can bring about in a device's name says nothing about the device.
    private static final List<String> NOT_ITS_OWN = Stream.of(
                    Finding.Cause.AUTHENTICATION_FAILURES_REPEATED,
                    Finding.Cause.KEY_SHARED,
                    Finding.Cause.KEY_WEAK,
                    Finding.Cause.CERTIFICATE_ENDING,
                    Finding.Cause.ATTESTATION_OVERDUE)
            .map(Finding.Cause::name)
            .toList();

    private final Database database;
    private final Inventory inventory;
    private final Telemetry telemetry;
    private final InstantSource clock;
    private final BooleanSupplier nobodyIsLetIn;
    private final SessionShare sessionShare;
    private final Map<DeviceRef, Baseline> baselines = new ConcurrentHashMap<>();
    private final Expectations expectations = new Expectations();
    private final List<ShardState> shards = new ArrayList<>();
    private final CountDownLatch closing = new CountDownLatch(1);
    private @Nullable Thread upkeep;
    private volatile Instant watchingSince;
    private volatile boolean moreInDatabase;

    /// What belongs to one shard's thread; the set and the queues are its letter boxes.
    private static final class ShardState {
        final FindingOutbox unsaved;
        final Set<DeviceRef> dirty = ConcurrentHashMap.newKeySet();
        final ConcurrentLinkedQueue<Notice> notices = new ConcurrentLinkedQueue<>();
        final ConcurrentLinkedQueue<Observation.SessionActivity> elsewhere = new ConcurrentLinkedQueue<>();

        ShardState(Journal journal) {
            unsaved = new FindingOutbox(journal, MOST_UNSAVED);
        }
    }

    /// A finding as it is stored.
    ///
    /// @param incident the incident that took it up
    public record Stored(long id, Finding finding, Optional<Long> incident) {}

    /// @param telemetry not started yet
    /// @param node this node's name among those that share the database
    /// @param nobodyIsLetIn whether devices are refused for reasons of this server's: their silence is its own then
    public Detection(
            Database database,
            Journal journal,
            Inventory inventory,
            Telemetry telemetry,
            String node,
            BooleanSupplier nobodyIsLetIn,
            InstantSource clock) {
        this.database = database;
        this.nobodyIsLetIn = nobodyIsLetIn;
        this.inventory = inventory;
        this.telemetry = telemetry;
        this.clock = clock;
        this.sessionShare = new SessionShare(database, node);
        this.watchingSince = clock.instant();
        for (int i = 0; i < telemetry.shards(); i++) {
            shards.add(new ShardState(journal));
        }
        telemetry.subscribe(this);
        journal.subscribe(this::follow);
    }

    /// Restores what was remembered, and begins to look for silence; called once, before the telemetry starts.
    public void start() {
        database.run(sql -> DetectionStore.restore(sql, MOST_RESTORED, baselines::put));
        moreInDatabase = baselines.size() == MOST_RESTORED;
        watchingSince = clock.instant();
        upkeep = Thread.ofVirtual().name("detection-upkeep").start(this::upkeep);
    }

    @Override
    public void observed(int shard, Observation observation) {
        Optional<Expectation> expectation = expectation(observation.device());
        if (expectation.isEmpty()) {
            return; // not in the inventory: nothing is expected of it, and nothing kept
        }
        if (observation instanceof Observation.SessionActivity activity) {
            sessionShare.saw(activity);
        }
        assess(shard, expectation.get(), observation);
    }

    private void assess(int shard, Expectation expectation, Observation observation) {
        settle(shard, observation.device(), Detector.assess(expectation, baseline(observation.device()), observation));
    }

    private void settle(int shard, DeviceRef device, Assessment assessment) {
        ShardState state = shards.get(shard);
        if (!assessment.findings().isEmpty()) {
            state.unsaved.add(assessment.findings());
        }
        remember(state, device, assessment.next());
    }

    private void remember(ShardState state, DeviceRef device, Baseline next) {
        baselines.put(device, next);
        state.dirty.add(device);
    }

    @Override
    public void tick(int shard, Instant now) {
        ShardState state = shards.get(shard);
        // When a district falls silent at once, its findings are one change, not a thousand; and the shard goes on with
        // its messages in between.
        for (int left = MOST_NOTICES_AT_ONCE; left > 0; left--) {
            @Nullable Notice notice = state.notices.poll();
            if (notice == null) {
                break;
            }
            Assessment assessment = notice.assess(baseline(notice.device()), now);
            state.unsaved.gather(assessment.findings());
            remember(state, notice.device(), assessment.next());
        }
        state.unsaved.save();
        Observation.@Nullable SessionActivity elsewhere;
        while ((elsewhere = state.elsewhere.poll()) != null) {
            Observation.SessionActivity activity = elsewhere;
            expectation(activity.device()).ifPresent(expectation -> assess(shard, expectation, activity));
        }
    }

    private Baseline baseline(DeviceRef device) {
        Baseline known = baselines.get(device);
        if (known != null) {
            return known;
        }
        return moreInDatabase
                ? database.read(sql -> DetectionStore.find(sql, device)).orElse(Baseline.NEW)
                : Baseline.NEW;
    }

    private Optional<Expectation> expectation(DeviceRef device) {
        return inventory.directory().find(device).flatMap(standing -> expectation(device.environment(), standing));
    }

    private Optional<Expectation> expectation(Environment environment, Standing standing) {
        return inventory.model(environment, standing.model()).map(expectations::of);
    }

    private void upkeep() {
        Instant checkpointed = clock.instant();
        Instant swept = checkpointed;
        try {
            while (!closing.await(EXCHANGE_EVERY.toMillis(), TimeUnit.MILLISECONDS)) {
                try {
                    listen(); // first: what follows fails while the database is away
                    exchange();
                    if (Duration.between(swept, clock.instant()).compareTo(SWEEP_EVERY) >= 0) {
                        swept = clock.instant();
                        sweep();
                    }
                    if (Duration.between(checkpointed, clock.instant()).compareTo(CHECKPOINT_EVERY) >= 0) {
                        checkpointed = clock.instant();
                        checkpoint();
                    }
                } catch (RuntimeException e) {
                    LOG.warn("detection upkeep: {}", e.toString());
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /// Tells the other nodes of this one's sessions, and hands what they tell of the same devices to their
    /// shards.
    void exchange() {
        sessionShare.exchange(
                clock.millis(),
                (device, protocol) -> {
                    Baseline baseline = baselines.get(device);
                    return baseline != null && baseline.parties.hasOpen(protocol);
                },
                activity -> shards.get(telemetry.shardOf(activity.device()))
                        .elsewhere
                        .add(activity));
    }

    /// While nobody is let in nobody is silent, nor for as long after as devices wait between two attempts.
    private void listen() {
        if (nobodyIsLetIn.getAsBoolean()) {
            watchingSince = clock.instant().plus(RETRIED_WITHIN);
        }
    }

    /// Looks for devices that should have been heard; what is found is handed to their shards.
    void sweep() {
        listen();
        Instant now = clock.instant();
        Silence silence = new Silence(now);
        baselines.forEach((device, baseline) -> {
            Optional<Standing> standing = inventory.directory().find(device);
            if (standing.isEmpty() || standing.get().state() != Lifecycle.ACTIVE) {
                return;
            }
            expectation(device.environment(), standing.get())
                    .ifPresent(expectation ->
                            silence.look(device, standing.get().reachesVia(), expectation, baseline, watchingSince));
        });
        List<DeviceRef> doubtful = silence.doubtful();
        for (int from = 0; from < doubtful.size(); from += CONTACTS_PAGE) {
            List<DeviceRef> page = doubtful.subList(from, Math.min(doubtful.size(), from + CONTACTS_PAGE));
            silence.correct(inventory.lastContacts(page)).forEach(this::post);
        }
        silence.verdicts().forEach(this::post);
    }

    private void post(Notice notice) {
        shards.get(telemetry.shardOf(notice.device())).notices.add(notice);
    }

    /// On the journal's tail, on every node.
    private void follow(Recorded entry) {
        JsonNode json = entry.json();
        String subject = json.path("subject").asText();
        if (json.path("kind").asText().equals("isolation.undone") && subject.startsWith("device:")) {
            DeviceRef device = DeviceRef.of(json.path("environment").asText(), subject.substring("device:".length()));
            if (baselines.containsKey(device)) {
                post(new Notice.Settled(device));
            }
        }
    }

    /// Writes the baselines that changed, except those of a shard whose findings are not stored yet.
    void checkpoint() {
        shards.forEach(this::checkpoint);
    }

    private void checkpoint(ShardState state) {
        if (state.unsaved.isBehind()) {
            return;
        }
        Map<DeviceRef, Baseline> page = new HashMap<>();
        for (DeviceRef device : List.copyOf(state.dirty)) {
            state.dirty.remove(device);
            Baseline baseline = baselines.get(device);
            if (baseline != null) {
                page.put(device, baseline);
            }
            if (page.size() == CHECKPOINT_PAGE) {
                write(state, page);
                page = new HashMap<>();
            }
        }
        if (!page.isEmpty()) {
            write(state, page);
        }
    }

    private void write(ShardState state, Map<DeviceRef, Baseline> page) {
        try {
            database.run(sql -> DetectionStore.checkpoint(sql, page, clock.instant()));
        } catch (RuntimeException e) {
            state.dirty.addAll(page.keySet());
            throw e;
        }
    }

    /// Findings of a device, newest first.
    ///
    /// @param before the id before which to begin; [Long#MAX_VALUE] for the first page
    public List<Stored> findings(DeviceRef device, long before, int limit) {
        return database.read(sql -> DetectionStore.ofDevice(sql, device, before, limit));
    }

    /// Findings of every device, newest first.
    public List<Stored> findings(Environment environment, long before, int limit) {
        return database.read(sql -> DetectionStore.ofAll(sql, environment, before, limit));
    }

    /// The first finding of something that began after the time; what went on before and still does is not new,
    /// and
    /// what others do in the device's name is not its own.
    public Optional<Finding> newFindingSince(DeviceRef device, Instant time) {
        return database.read(sql -> DetectionStore.firstSince(sql, device, time, NOT_ITS_OWN));
    }

    /// When we last received a measurement whose every value was inside its band and its history.
    public Optional<Instant> lastHealthyMeasurement(DeviceRef device) {
        Baseline baseline = baselines.get(device);
        return baseline == null || baseline.healthyAt == 0
                ? Optional.empty()
                : Optional.of(Instant.ofEpochMilli(baseline.healthyAt));
    }

    /// When we last received a measurement of which a value was outside its band or its history.
    public Optional<Instant> lastUnhealthyMeasurement(DeviceRef device) {
        Baseline baseline = baselines.get(device);
        return baseline == null || baseline.unhealthyAt == 0
                ? Optional.empty()
                : Optional.of(Instant.ofEpochMilli(baseline.unhealthyAt));
    }

    /// Takes a finding of another room's as part of its change.
    public void raise(Transaction tx, Finding finding) {
        FindingOutbox.record(tx, finding);
    }

    /// Findings that nobody has taken up yet, oldest first.
    public List<Long> unhandled(int limit) {
        return database.read(sql -> DetectionStore.unhandled(sql, limit));
    }

    /// Takes a finding up as part of a change: exactly one caller gets it, on whichever node.
    public Optional<Finding> claim(Transaction tx, long id) {
        return DetectionStore.claim(tx.sql(), id).map(Stored::finding);
    }

    /// Remembers which incident a finding belongs to.
    public void belongs(Transaction tx, long finding, long incident) {
        DetectionStore.setIncident(tx.sql(), finding, incident);
    }

    /// The memory that all baselines take is in proportion to this.
    public int watched() {
        return baselines.size();
    }

    /// The shard has delivered its last: what it knows is written for the next start.
    @Override
    public void stopping(int shard) {
        shards.get(shard).unsaved.save();
        try {
            checkpoint(shards.get(shard));
        } catch (RuntimeException e) {
            LOG.warn("detection: the last checkpoint could not be written: {}", e.toString());
        }
    }

    @Override
    public void close() {
        closing.countDown();
        try {
            if (upkeep != null) {
                upkeep.join();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
