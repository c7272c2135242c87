package dev.holdfast.rollout;

import dev.holdfast.core.Actor;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.inventory.Inventory;
import dev.holdfast.journal.Entry;
import dev.holdfast.journal.Transaction;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// Moves single devices of a rollout from state to state, in a change that holds the lock of the rollout's
/// row, and
/// keeps counts and journal in step.
final class Members {
    static final Actor SYSTEM = new Actor.Holdfast("rollout");

    private Members() {}

    /// @return false when the device was not in the state that `member` says
    static boolean move(Transaction tx, MemberRow member, MemberState to, String reason, Actor actor) {
        if (!MemberStore.setState(
                tx.sql(),
                member,
                to,
                to == MemberState.FAILED || to == MemberState.SKIPPED ? Optional.of(reason) : Optional.empty(),
                tx.now())) {
            return false;
        }
        RolloutStore.count(tx.sql(), member.rollout(), member.batch(), member.state(), to);
        if (member.state().undecided() && !to.undecided()) {
            RolloutStore.giveSlotBack(tx.sql(), member.rollout());
        }
        tx.record(entry(member, to, reason, actor));
        return true;
    }

    /// @return false when it was exposed before
    static boolean expose(Transaction tx, MemberRow member, Actor actor) {
        if (!MemberStore.setExposed(tx.sql(), member, tx.now())) {
            return false;
        }
        RolloutStore.countExposed(tx.sql(), member.rollout(), member.batch());
        tx.record(new Entry(
                "rollout.device-exposed",
                member.device().environment(),
                Inventory.subject(member.device()),
                actor,
                "it holds the whole image",
                body(member, member.state())));
        return true;
    }

    /// It reports the new version: the health window begins.
    static void reported(Transaction tx, MemberRow member, Instant at) {
        MemberStore.setReported(tx.sql(), member, at);
        expose(tx, member, SYSTEM);
        if (member.state() != MemberState.INSTALLED) {
            move(tx, member, MemberState.INSTALLED, "it reports the new version", SYSTEM);
        }
    }

    static void cancelled(Transaction tx, MemberRow member, MemberRow.Cancel answer, Actor actor) {
        MemberStore.setCancel(tx.sql(), member, answer);
        tx.record(new Entry(
                answer == MemberRow.Cancel.CONFIRMED ? "rollout.device-cancelled" : "rollout.device-cancel-refused",
                member.device().environment(),
                Inventory.subject(member.device()),
                actor,
                answer == MemberRow.Cancel.CONFIRMED
                        ? "the device has forgotten the action"
                        : "the device can't forget the action any more",
                body(member, member.state())));
    }

    static Entry entry(MemberRow member, MemberState to, String reason, Actor actor) {
        return new Entry(
                "rollout.device-" + to.text(),
                member.device().environment(),
                Inventory.subject(member.device()),
                actor,
                reason,
                body(member, to));
    }

    private static Map<String, Object> body(MemberRow member, MemberState state) {
        Map<String, Object> body = new TreeMap<>();
        body.put("rollout", member.rollout());
        body.put("action", member.action());
        body.put("batch", member.batch());
        body.put("state", state.text());
        return body;
    }

    static Actor by(DeviceRef device) {
        return new Actor.Device(device);
    }
}
