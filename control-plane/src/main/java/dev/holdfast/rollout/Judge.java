package dev.holdfast.rollout;

import dev.holdfast.core.Actor;
import dev.holdfast.core.DeviceId;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.FirmwareVersion;
import dev.holdfast.core.Selector;
import dev.holdfast.database.Database;
import dev.holdfast.firmware.Firmware;
import dev.holdfast.firmware.Release;
import dev.holdfast.inventory.Device;
import dev.holdfast.inventory.Inventory;
import dev.holdfast.inventory.Lifecycle;
import dev.holdfast.inventory.Model;
import dev.holdfast.journal.Entry;
import dev.holdfast.journal.Freeze;
import dev.holdfast.journal.Journal;
import dev.holdfast.journal.Transaction;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Decides on undecided devices and puts what the gate says into effect.
///
/// Safe to run on every node at once: each effect is conditional on the state it was decided from.
final class Judge {
    private static final int PAGE = 500;
    /// About as long as a node that does not hear the database lets devices in.
    private static final Duration BLIND_AFTER = Duration.ofSeconds(30);

    private final Database database;
    private final Journal journal;
    private final Inventory inventory;
    private final Firmware firmware;
    private final HealthSource health;
    private final Stopping stopping;
    private final Freeze freeze;
    private final boolean gateEnabled;
    /// Since when devices could come in here; moved on while they can't.
    private volatile Instant thereSince;

    /// @param now when this node began
    Judge(
            Database database,
            Journal journal,
            Inventory inventory,
            Firmware firmware,
            HealthSource health,
            Stopping stopping,
            Freeze freeze,
            boolean gateEnabled,
            Instant now) {
        this.database = database;
        this.journal = journal;
        this.inventory = inventory;
        this.firmware = firmware;
        this.health = health;
        this.stopping = stopping;
        this.freeze = freeze;
        this.gateEnabled = gateEnabled;
        this.thereSince = now;
    }

    /// Looks at every active rollout once; at none while the installation is frozen, when no device comes in.
    void round(Instant now) {
        if (freeze.isFrozen()) {
            thereSince = now;
            return;
        }
        if (journal.silence().compareTo(BLIND_AFTER) > 0) {
            thereSince = now; // the database is away, and so is who could not be let in meanwhile
        }
        for (RolloutRow row : database.read(RolloutStore::active)) {
            if (row.serving()) {
                judge(row, now);
                journal.run(tx -> gate(tx, row.id(), row.batch()));
            }
        }
    }

    private void judge(RolloutRow row, Instant now) {
        List<MemberRow> undecided = database.read(sql -> MemberStore.undecided(sql, row.id()));
        if (undecided.isEmpty()) {
            return;
        }
        FirmwareVersion target = firmware.release(row.plan().release())
                .map(Release::version)
                .orElseThrow(() -> new IllegalStateException("the release of rollout " + row.id() + " is gone"));
        Optional<Model> model = inventory.model(row.environment(), row.plan().model());
        Map<DeviceId, Device> devices = devices(row, undecided);
        for (MemberRow member : undecided) {
            Plan.Batch batch = row.plan().batches().get(member.batch());
            Verdict verdict = Verdict.of(
                    watched(
                            member,
                            Optional.ofNullable(devices.get(member.device().id())),
                            now),
                    target,
                    member.reportedAt()
                            .filter(_ -> row.kind() == RolloutRow.Kind.UPDATE)
                            .map(since -> health.health(member.device(), since))
                            .orElse(HealthSource.Health.UNKNOWN),
                    batch.window(),
                    row.kind() == RolloutRow.Kind.UPDATE ? model.flatMap(m -> freshFor(m, batch)) : Optional.empty(),
                    batch.timeout(),
                    thereSince,
                    now);
            put(row, member, verdict);
        }
    }

    private Map<DeviceId, Device> devices(RolloutRow row, List<MemberRow> members) {
        Map<DeviceId, Device> found = new HashMap<>();
        for (int from = 0; from < members.size(); from += PAGE) {
            Set<String> ids = new HashSet<>();
            members.subList(from, Math.min(from + PAGE, members.size()))
                    .forEach(m -> ids.add(m.device().id().value()));
            Selector these = new Selector(List.of(new Selector.Requirement.In("id", ids)));
            inventory
                    .list(row.environment(), these, "", "", PAGE)
                    .forEach(d -> found.put(d.ref().id(), d));
        }
        return found;
    }

    /// Telemetry is expected of models that state a band for some metric.
    private static Optional<Duration> freshFor(Model model, Plan.Batch batch) {
        if (model.bands().isEmpty()) {
            return Optional.empty();
        }
        Duration threeIntervals = model.expectedInterval().multipliedBy(3);
        return Optional.of(threeIntervals.compareTo(batch.healthWindow()) > 0 ? threeIntervals : batch.healthWindow());
    }

    private static Verdict.Watched watched(MemberRow member, Optional<Device> device, Instant now) {
        return new Verdict.Watched(
                member.state(),
                member.grantedAt().orElse(now),
                member.deadline().orElse(now),
                member.installedAt(),
                member.reportedAt(),
                device.flatMap(Device::firmware),
                device.flatMap(Device::firmwareAt));
    }

    private void put(RolloutRow row, MemberRow member, Verdict verdict) {
        switch (verdict) {
            case Verdict.Undecided _ -> {}
            case Verdict.Reported reported ->
                change(row, member, (tx, now) -> Members.reported(tx, now, reported.at()));
            case Verdict.Healthy _ ->
                change(
                        row,
                        member,
                        (tx, now) -> Members.move(
                                tx, now, MemberState.HEALTHY, "healthy for the whole window", Members.SYSTEM));
            case Verdict.Failed failed ->
                change(row, member, (tx, now) -> {
                    if (Members.move(tx, now, MemberState.FAILED, failed.reason(), Members.SYSTEM)) {
                        gate(tx, row.id(), member.batch());
                    }
                });
        }
    }

    private interface MemberChange {
        void apply(Transaction tx, MemberRow current);
    }

    /// Applies the change when rollout and device still are as the verdict saw them.
    private void change(RolloutRow row, MemberRow member, MemberChange change) {
        journal.run(tx -> {
            Optional<RolloutRow> locked = RolloutStore.lock(tx.sql(), row.id());
            Optional<MemberRow> current = MemberStore.find(tx.sql(), row.id(), member.device());
            if (locked.filter(l -> l.epoch() == row.epoch() && l.serving()).isPresent()
                    && current.filter(c -> c.equals(member)).isPresent()) {
                change.apply(tx, current.get());
            }
        });
    }

    /// Asks the gate about one batch and puts its answer into effect, in the same change as what made it ask.
    void gate(Transaction tx, long rollout, int batch) {
        RolloutRow row = RolloutStore.lock(tx.sql(), rollout).orElseThrow();
        if (!row.serving()) {
            return;
        }
        Gate.Progress progress = progress(row, batch, RolloutStore.counts(tx.sql(), rollout));
        switch (decide(row, progress, tx.now())) {
            case Gate.Decision.Wait _ -> {
                if (batch == row.batch() && batch == row.plan().batches().size() - 1) {
                    leaveUnreachable(tx, row, progress);
                }
            }
            case Gate.Decision.Advance _ -> {
                if (batch == row.batch()) {
                    advance(tx, row);
                }
            }
            case Gate.Decision.Pause pause ->
                stopping.stop(tx, row, RolloutState.STOPPED, pause.reason(), true, false, Members.SYSTEM);
            case Gate.Decision.RollBack back ->
                stopping.stop(tx, row, RolloutState.STOPPED, back.reason(), true, true, Members.SYSTEM);
        }
    }

    Gate.Decision decide(RolloutRow row, Gate.Progress progress, Instant now) {
        return gateEnabled && row.kind() == RolloutRow.Kind.UPDATE
                ? Gate.evaluate(progress, row.plan(), now)
                : Gate.evaluateWithoutGate(progress, row.plan(), now);
    }

    static Gate.Progress progress(RolloutRow row, int batch, List<RolloutStore.Counts> counts) {
        RolloutStore.Counts c = counts.get(batch);
        // Devices of earlier batches that come late are decided beside the current one.
        int lateUndecided = counts.stream()
                .filter(other -> other.number() < batch)
                .mapToInt(RolloutStore.Counts::undecided)
                .sum();
        return new Gate.Progress(
                batch,
                c.size() - c.skipped(),
                c.pending(),
                c.undecided() + lateUndecided,
                c.healthy(),
                c.failed(),
                c.skipped() + c.withdrawn() + c.recalled(),
                row.batchSince());
    }

    private void advance(Transaction tx, RolloutRow row) {
        int next = row.batch() + 1;
        if (next < row.plan().batches().size()) {
            Plan.Batch batch = row.plan().batches().get(next);
            RolloutStore.advance(tx.sql(), row.id(), next, batch.cap(), tx.now());
            tx.record(new Entry(
                    "rollout.advanced",
                    row.environment(),
                    row.subject(),
                    Members.SYSTEM,
                    "batch " + row.currentBatch().name() + " is done and was healthy",
                    Map.of("rollout", row.id(), "batch", next, "name", batch.name())));
            return;
        }
        if (!pendingEarlier(tx, row)) {
            finish(tx, row, "every batch is done", Members.SYSTEM);
        }
    }

    private static boolean pendingEarlier(Transaction tx, RolloutRow row) {
        return RolloutStore.counts(tx.sql(), row.id()).stream().anyMatch(c -> c.pending() > 0 || c.undecided() > 0);
    }

    void finish(Transaction tx, RolloutRow row, String reason, Actor actor) {
        RolloutStore.setState(tx.sql(), row.id(), RolloutState.FINISHED, reason, tx.now());
        tx.record(new Entry(
                "rollout.finished",
                row.environment(),
                row.subject(),
                actor,
                reason,
                Map.of("rollout", row.id(), "kind", row.kind().text())));
        if (row.kind() == RolloutRow.Kind.UPDATE) {
            firmware.lock(tx, row.plan().release())
                    .ifPresent(release -> firmware.raiseFloor(tx, release, Members.SYSTEM));
        }
    }

    /// In the last batch, devices that may not connect at all don't keep the rollout open.
    private void leaveUnreachable(Transaction tx, RolloutRow row, Gate.Progress progress) {
        if (progress.undecided() > 0 || progress.pending() == 0 || progress.pending() > PAGE) {
            return;
        }
        for (MemberRow member : MemberStore.pending(tx.sql(), row.id(), PAGE)) {
            if (!reachable(row, member.device())) {
                Members.move(
                        tx, member, MemberState.SKIPPED, "it may not be updated in its present state", Members.SYSTEM);
            }
        }
    }

    private boolean reachable(RolloutRow row, DeviceRef device) {
        return inventory
                .directory()
                .find(device)
                .filter(s -> s.state().mayConnect())
                .filter(s -> row.plan().healing() || s.state() != Lifecycle.QUARANTINED)
                .isPresent();
    }
}
