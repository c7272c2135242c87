package dev.holdfast.rollout;

import dev.holdfast.core.Actor;
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
    private final Stopping stopping;
    private final Creation creation;
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
        this.stopping = new Stopping(firmware);
        this.judge = new Judge(database, journal, inventory, firmware, health, stopping, gateEnabled);
        this.offers = new Offers(database, journal, inventory, firmware, roster, judge, freeze);
        this.creation = new Creation(database, journal, inventory, firmware);
        this.leases = new ByteLeases(new LeaseStore(database, node), freeze, nanoTime, clock);
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

    // --- operators

    /// Begins a rollout.
    ///
    /// @param plan without `previous` the way back is the release of the model's last finished rollout, where
    /// its
    /// security counter is the same
    /// @throws RolloutDenied with the reason
    public RolloutView create(Plan plan, String reason, Actor actor) {
        long id = creation.create(plan, reason, actor);
        roster.reload(id);
        leases.hurry();
        return get(id).orElseThrow();
    }

    /// Takes a release out of use for good.
    ///
    /// @throws RolloutDenied while a rollout hands it out
    public void withdraw(long release, String reason, Actor actor) {
        creation.withdraw(release, reason, actor);
    }

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

    /// No more grants and no more bytes until [#resume]; undecided devices keep their place and lose no time.
    public void pause(long id, String reason, Actor actor) {
        journal.run(tx -> {
            RolloutRow row = require(tx.sql(), id, RolloutState.RUNNING);
            RolloutStore.setState(tx.sql(), id, RolloutState.PAUSED, reason, tx.now());
            RolloutStore.markStop(tx.sql(), id, RolloutStore.nextStopSequence(tx.sql()), tx.now());
            tx.record(new Entry(
                    "rollout.paused", row.environment(), row.subject(), actor, reason, Map.of("rollout", id)));
        });
        roster.reload(id);
    }

    public void resume(long id, String reason, Actor actor) {
        journal.run(tx -> {
            RolloutRow row = require(tx.sql(), id, RolloutState.PAUSED);
            RolloutStore.setState(tx.sql(), id, RolloutState.RUNNING, reason, tx.now());
            RolloutStore.clearStop(tx.sql(), id);
            MemberStore.extendDeadlines(tx.sql(), id, Duration.between(row.stateSince(), tx.now()));
            tx.record(new Entry(
                    "rollout.resumed", row.environment(), row.subject(), actor, reason, Map.of("rollout", id)));
        });
        roster.reload(id);
    }

    /// Stops for good; like a failing gate, but the release is not halted.
    ///
    /// @param wayBack whether exposed devices go back to the previous release
    public void abort(long id, boolean wayBack, String reason, Actor actor) {
        Optional<Long> cure = journal.commit(tx -> {
            RolloutRow row = require(tx.sql(), id, RolloutState.RUNNING, RolloutState.PAUSED);
            return stopping.stop(tx, row, RolloutState.ABORTED, reason, false, wayBack, actor);
        });
        roster.reload(id);
        cure.ifPresent(roster::reload);
    }

    /// Ends a rollout whose last devices don't come; what is undecided must be decided first.
    public void finish(long id, String reason, Actor actor) {
        journal.run(tx -> {
            RolloutRow row = require(tx.sql(), id, RolloutState.RUNNING);
            if (row.undecided() > 0) {
                throw new RolloutDenied(
                        RolloutDenied.Reason.NOT_IN_THIS_STATE, row.undecided() + " devices are undecided");
            }
            judge.finish(tx, row, reason, actor);
        });
        roster.reload(id);
    }

    private static RolloutRow require(org.jooq.DSLContext sql, long id, RolloutState... allowed) {
        RolloutRow row = RolloutStore.lock(sql, id)
                .orElseThrow(
                        () -> new RolloutDenied(RolloutDenied.Reason.ROLLOUT_UNKNOWN, "there is no rollout " + id));
        if (!List.of(allowed).contains(row.state())) {
            throw new RolloutDenied(
                    RolloutDenied.Reason.NOT_IN_THIS_STATE,
                    "rollout " + id + " is " + row.state().text() + ": " + row.stateReason());
        }
        return row;
    }

    /// The one switch.
    ///
    /// @param inEffectEverywhere whether every node has put its last change to "off" into effect
    public record Switch(boolean enabled, String reason, Instant changedAt, boolean inEffectEverywhere) {}

    public Switch globalSwitch() {
        return database.read(sql -> {
            RolloutStore.Switch now = RolloutStore.readSwitch(sql);
            boolean everywhere = LeaseStore.unconfirmed(sql, now.stopSequence(), ByteLeases.LENGTH.toMillis() / 1000.0)
                    .isEmpty();
            return new Switch(now.enabled(), now.reason(), now.changedAt(), everywhere);
        });
    }

    /// Off: no grant and no byte of any rollout, cures included, in any environment, until it is on again.
    ///
    /// @param environment under which it is journalled
    /// @return whether that changed anything
    public boolean setGlobalSwitch(boolean enabled, String reason, Environment environment, Actor actor) {
        return journal.commit(tx -> {
            RolloutStore.Switch before = RolloutStore.lockSwitch(tx.sql());
            if (before.enabled() == enabled) {
                return false;
            }
            RolloutStore.freezeAll(tx.sql(), !enabled);
            RolloutStore.setSwitch(tx.sql(), enabled, reason, tx.now());
            RolloutStore.nextStopSequence(tx.sql());
            if (enabled) {
                for (RolloutRow row : RolloutStore.active(tx.sql())) {
                    MemberStore.extendDeadlines(tx.sql(), row.id(), Duration.between(before.changedAt(), tx.now()));
                }
            }
            tx.record(new Entry(
                    enabled ? "rollout.switched-on" : "rollout.switched-off",
                    environment,
                    "switch:rollouts",
                    actor,
                    reason,
                    Map.of("enabled", enabled)));
            return true;
        });
    }

    /// When devices whose label `site` has this value may be updated; an empty list means always.
    public void setWindows(Environment environment, String site, List<MaintenanceWindow> windows, Actor actor) {
        if (!site.matches("[A-Za-z0-9._ -]{1,63}") || windows.size() > 50) {
            throw new IllegalArgumentException("a site is a label value, and has at most 50 windows");
        }
        journal.run(tx -> {
            RolloutStore.putWindows(tx.sql(), environment, site, windows);
            tx.record(new Entry(
                    "rollout.window-set",
                    environment,
                    "site:" + site,
                    actor,
                    "maintenance windows set",
                    Map.of("site", site, "windows", windows.size())));
        });
    }

    public Map<String, List<MaintenanceWindow>> windows() {
        return database.read(RolloutStore::windows);
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
