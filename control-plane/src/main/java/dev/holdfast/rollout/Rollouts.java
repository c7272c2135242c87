package dev.holdfast.rollout;

import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Environment;
import dev.holdfast.database.Database;
import dev.holdfast.firmware.Firmware;
import dev.holdfast.inventory.Inventory;
import dev.holdfast.journal.Entry;
import dev.holdfast.journal.Freeze;
import dev.holdfast.journal.Journal;
import dev.holdfast.journal.Recorded;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Rollouts: how releases reach devices in gated batches, and how they are stopped.
///
/// Everything here may block on the database, [#known] excepted: not for event loops.
public final class Rollouts implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Rollouts.class);
    private static final Duration BEAT = Duration.ofSeconds(1);

    private final Database database;
    private final Journal journal;
    private final InstantSource clock;
    private final Roster roster;
    private final Offers offers;
    private final Judge judge;
    private final RolloutControl control;
    private final ByteLeases leases;
    private final List<Consumer<RolloutStopped>> stopListeners = new CopyOnWriteArrayList<>();
    private final Semaphore wake = new Semaphore(0);
    private volatile boolean closing;
    private @Nullable Thread beat;

    /// @param node this node's name among those that share the database
    /// @param nanoTime a monotonic clock
    /// @param gateEnabled false only to show that the gate matters: then nothing stops by itself
    public Rollouts(
            Database database,
            Journal journal,
            Inventory inventory,
            Firmware firmware,
            HealthSource health,
            Freeze freeze,
            String node,
            InstantSource clock,
            LongSupplier nanoTime,
            boolean gateEnabled) {
        this.database = database;
        this.journal = journal;
        this.clock = clock;
        this.roster = new Roster(database);
        Stopping stopping = new Stopping(firmware);
        this.judge = new Judge(
                database, journal, inventory, firmware, health, stopping, freeze, gateEnabled, clock.instant());
        this.offers = new Offers(database, journal, inventory, firmware, roster, judge, freeze);
        this.leases = new ByteLeases(new LeaseStore(database, node), freeze, nanoTime, clock);
        Creation creation = new Creation(database, journal, inventory, firmware);
        this.control = new RolloutControl(this, database, journal, creation, stopping, judge, roster, leases);
        journal.subscribe(this::follow);
    }

    /// Reads active rollouts into memory and begins to judge, and to hold leases.
    public void start() {
        roster.load();
        leases.start();
        beat = Thread.ofPlatform().name("rollout-beat").start(this::beatForEver);
    }

    private void beatForEver() {
        while (!closing) {
            try {
                tick(clock.instant());
            } catch (RuntimeException e) {
                LOG.warn("rollouts could not be judged: {}", e.toString());
            }
            try {
                if (wake.tryAcquire(BEAT.toMillis(), TimeUnit.MILLISECONDS)) {
                    wake.drainPermits();
                }
            } catch (InterruptedException e) {
                return;
            }
        }
    }

    /// Judges every active rollout once, and completes stops. Harmless on every node at once.
    public void tick(Instant now) {
        judge.round(now);
        completeStops();
    }

    private void completeStops() {
        double seconds = ByteLeases.LENGTH.toMillis() / 1000.0;
        for (RolloutRow row : database.read(RolloutStore::stopping)) {
            if (database.read(sql -> LeaseStore.unconfirmed(sql, row.stopSequence(), seconds))
                    .isEmpty()) {
                journal.run(tx -> {
                    if (RolloutStore.markStopComplete(tx.sql(), row.id(), row.stopSequence(), tx.now())) {
                        tx.record(new Entry(
                                "rollout.stop-complete",
                                row.environment(),
                                row.subject(),
                                Members.SYSTEM,
                                "every node has confirmed the stop or its lease has run out",
                                Map.of("rollout", row.id(), "sequence", row.stopSequence())));
                    }
                });
            }
        }
    }

    private void follow(Recorded entry) {
        roster.follow(entry);
        var json = entry.json();
        String kind = json.path("kind").asText();
        switch (kind) {
            case "device.firmware-reported", "rollout.device-installed" -> wake.release();
            case "rollout.created", "rollout.resumed", "rollout.switched-on" -> leases.hurry();
            case "rollout.paused", "rollout.aborted", "rollout.switched-off" -> {
                leases.hurry();
                wake.release();
            }
            case "rollout.stopped" -> {
                leases.hurry();
                wake.release();
                RolloutStopped news = stopped(entry);
                stopListeners.forEach(listener -> listener.accept(news));
            }
            default -> {}
        }
    }

    private static RolloutStopped stopped(Recorded entry) {
        var json = entry.json();
        var body = json.path("body");
        return new RolloutStopped(
                body.path("rollout").asLong(),
                new Environment(json.path("environment").asText()),
                body.path("model").asText(),
                body.path("version").asText(),
                json.path("reason").asText(),
                body.path("exposed").asInt(),
                body.path("withdrawn").asInt(),
                body.has("wayBack") ? Optional.of(body.path("wayBack").asLong()) : Optional.empty(),
                entry.at());
    }

    /// Called on every node, on the journal's tail thread, after the gate has stopped a rollout: be quick,
    /// and expect
    /// the same news from another node.
    public void onStopped(Consumer<RolloutStopped> listener) {
        stopListeners.add(listener);
    }

    /// What operators may change.
    public RolloutControl control() {
        return control;
    }

    // --- read

    public Optional<RolloutView> get(long id) {
        return database.read(
                sql -> RolloutStore.find(sql, id).map(row -> Views.view(sql, row, judge, clock.instant())));
    }

    /// Newest first.
    ///
    /// @param before an id; [Long#MAX_VALUE] for the first page
    public List<RolloutView> list(Environment environment, long before, int limit) {
        return database.read(sql -> RolloutStore.list(sql, environment, before, limit).stream()
                .map(row -> Views.view(sql, row, judge, clock.instant()))
                .toList());
    }

    /// The devices of a rollout, by id.
    ///
    /// @param batch only of this one
    /// @param state only in this one
    public List<MemberView> devices(
            long id, Optional<Integer> batch, Optional<MemberState> state, String after, int limit) {
        return database.read(sql -> MemberStore.list(sql, id, batch, state, after, limit)).stream()
                .map(MemberView::of)
                .toList();
    }

    /// What the device said of one action, oldest first.
    public List<String> feedback(long action) {
        return database.read(sql -> MemberStore.feedback(sql, action));
    }

    // --- devices

    /// What the device is to do, from memory; empty when [#offer] must ask the database. Never blocks.
    public Optional<Offer> known(DeviceRef device, Instant now) {
        return offers.known(device, now);
    }

    /// What the device is to do; may grant.
    public Offer offer(DeviceRef device, Instant now) {
        return offers.offer(device, now);
    }

    /// The particulars of the device's own action, while it may be carried out.
    public Optional<Offer.Work> work(DeviceRef device, long action) {
        return offers.work(device, action);
    }

    /// The device's own action under which it may fetch that release now.
    public Optional<Offer.Work> workOn(DeviceRef device, long release) {
        return offers.workOn(device, release);
    }

    public boolean owns(DeviceRef device, long action) {
        return offers.owns(device, action);
    }

    /// Opens a download.
    ///
    /// @param cut drops the connection at once, with everything queued in it; runs on a thread of this room
    public ByteLeases.Transfer download(DeviceRef device, Offer.Work work, Runnable cut) {
        offers.downloading(device, work);
        return leases.open(work, cut);
    }

    /// To be called before the last bytes of the image leave: from here on the device counts as exposed.
    ///
    /// @return false when the rollout has stopped: they must not leave
    public boolean expose(DeviceRef device, Offer.Work work) {
        return offers.expose(device, work);
    }

    /// @return false when the action is not this device's
    public boolean feedback(DeviceRef device, long action, Feedback feedback) {
        return offers.feedback(device, action, feedback);
    }

    /// The device has said which firmware it runs: judge soon.
    public void heard(DeviceRef device) {
        if (offers.isUndecided(device)) {
            wake.release();
        }
    }

    @Override
    public void close() {
        closing = true;
        wake.release();
        try {
            if (beat != null) {
                beat.join(Duration.ofSeconds(5));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        leases.close();
    }
}
