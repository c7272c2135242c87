package dev.holdfast.rollout;

import dev.holdfast.core.Actor;
import dev.holdfast.core.Environment;
import dev.holdfast.firmware.Firmware;
import dev.holdfast.firmware.Release;
import dev.holdfast.journal.Entry;
import dev.holdfast.journal.Transaction;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// How a rollout is stopped, told in one place. All of it is one transaction: a crash leaves all of it or
/// nothing.
final class Stopping {
    private static final int LEAST_CURE_CAP = 100;

    private final Firmware firmware;

    Stopping(Firmware firmware) {
        this.firmware = firmware;
    }

    /// 1. The rollout's row moves to a new epoch and out of `running`: from the commit on no grant succeeds,
    /// and nodes
    ///    lose their leases for it.
    /// 2. Devices that were offered the release and don't hold the image are withdrawn; those that hold it
    /// and are
    ///    undecided are recalled. Both are asked to cancel.
    /// 3. The release is halted, and every other active rollout of it stops too: nothing more is offered to
    /// anyone.
    /// 4. The way back begins, with an epoch of its own: everyone who was exposed gets the previous release.
    ///
    /// @param halt whether the release itself is at fault
    /// @return the way back, where there is one
    Optional<Long> stop(
            Transaction tx,
            RolloutRow row,
            RolloutState to,
            String reason,
            boolean halt,
            boolean wayBack,
            Actor actor) {
        RolloutStore.setState(tx.sql(), row.id(), to, reason, tx.now());
        long sequence = RolloutStore.nextStopSequence(tx.sql());
        RolloutStore.markStop(tx.sql(), row.id(), sequence, tx.now());
        int withdrawn = MemberStore.withdraw(tx.sql(), row.id(), tx.now());
        RolloutStore.noneUndecided(tx.sql(), row.id());
        RolloutStore.recount(tx.sql(), row.id(), row.plan().batches().size());
        int exposed = RolloutStore.counts(tx.sql(), row.id()).stream()
                .mapToInt(RolloutStore.Counts::exposed)
                .sum();
        Optional<Long> cure = wayBack ? wayBack(tx, row, exposed) : Optional.empty();

        Map<String, Object> body = new TreeMap<>();
        Optional<Release> release = firmware.lock(tx, row.plan().release());
        body.put("rollout", row.id());
        body.put("model", row.plan().model().value());
        body.put("version", release.map(r -> r.version().value()).orElse("unknown"));
        body.put("exposed", exposed);
        body.put("withdrawn", withdrawn);
        cure.ifPresent(id -> body.put("wayBack", id));
        tx.record(new Entry("rollout." + to.text(), row.environment(), row.subject(), actor, reason, body));

        if (halt) {
            firmware.setState(tx, row.plan().release(), Release.State.HALTED, reason, actor);
            for (long other :
                    RolloutStore.activeWithRelease(tx.sql(), row.plan().release(), row.id())) {
                RolloutStore.lock(tx.sql(), other)
                        .filter(o -> !o.state().over() && o.kind() == RolloutRow.Kind.UPDATE)
                        .ifPresent(o -> stop(
                                tx,
                                o,
                                RolloutState.STOPPED,
                                "the same release failed in rollout " + row.id() + ": " + reason,
                                false,
                                o.plan().previous() != null,
                                actor));
            }
        }
        return cure;
    }

    private static Optional<Long> wayBack(Transaction tx, RolloutRow row, int exposed) {
        Long previous = row.plan().previous();
        if (previous == null || row.kind() == RolloutRow.Kind.WAY_BACK) {
            return Optional.empty();
        }
        Plan.Batch failed = row.currentBatch();
        Plan plan = new Plan(
                row.environment(),
                row.plan().model(),
                "",
                previous,
                null,
                true,
                null,
                List.of(new Plan.Batch(
                        "way back",
                        "",
                        "100%",
                        Math.max(LEAST_CURE_CAP, failed.cap()),
                        Duration.ZERO,
                        Duration.ZERO,
                        0.99,
                        failed.timeout())));
        long id = RolloutStore.insert(
                tx.sql(),
                plan,
                RolloutRow.Kind.WAY_BACK,
                row.id(),
                "brings back the devices of rollout " + row.id(),
                tx.now());
        int devices = MemberStore.insertExposed(tx.sql(), id, row.id());
        RolloutStore.recount(tx.sql(), id, 1);
        tx.record(new Entry(
                "rollout.created",
                row.environment(),
                "rollout:" + id,
                Members.SYSTEM,
                "the way back of rollout " + row.id(),
                Map.of(
                        "rollout", id, "parent", row.id(), "devices", devices, "release", previous, "exposed",
                        exposed)));
        return Optional.of(id);
    }

    /// No more grants and no more bytes until it is resumed; undecided devices keep their place and lose no time.
    static void pause(Transaction tx, RolloutRow row, String reason, Actor actor) {
        RolloutStore.setState(tx.sql(), row.id(), RolloutState.PAUSED, reason, tx.now());
        RolloutStore.markStop(tx.sql(), row.id(), RolloutStore.nextStopSequence(tx.sql()), tx.now());
        tx.record(new Entry(
                "rollout.paused", row.environment(), row.subject(), actor, reason, Map.of("rollout", row.id())));
    }

    /// The one switch.
    ///
    /// @return whether that changed anything
    static boolean turnSwitch(Transaction tx, boolean enabled, String reason, Environment environment, Actor actor) {
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
    }
}
