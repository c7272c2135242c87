package dev.holdfast.rollout;

import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.core.Actor;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Environment;
import dev.holdfast.firmware.Firmware;
import dev.holdfast.journal.Recorded;
import dev.holdfast.journal.Replayer;
import dev.holdfast.journal.Transaction;
import java.util.Optional;

/// After a restore: what was stopped after the backup is stopped again, the switch that was turned off is off again,
/// and devices that got hold of an image count as exposed, so that a way back reaches them.
///
/// What was resumed or switched on after the backup is not: a person does that again.
public final class RolloutReplay implements Replayer {
    private static final Actor JOURNAL = new Actor.Holdfast("journal");
    /// More than an installation hands out between two backups; a forged entry can't use the numbers up.
    private static final long FURTHEST = 100_000_000;

    private final Stopping stopping;

    public RolloutReplay(Firmware firmware) {
        this.stopping = new Stopping(firmware);
    }

    @Override
    public boolean replay(Transaction tx, Recorded entry) {
        JsonNode json = entry.json();
        JsonNode body = json.path("body");
        String reason = "again after a restore: " + json.path("reason").asText();
        return switch (json.path("kind").asText()) {
            case "rollout.switched-off" -> switchOff(tx, json, reason);
            case "rollout.paused" -> pause(tx, entry, body, reason);
            case "rollout.stopped" -> stop(tx, entry, RolloutState.STOPPED, body, reason);
            case "rollout.aborted" -> stop(tx, entry, RolloutState.ABORTED, body, reason);
            case "rollout.device-exposed" -> expose(tx, entry, json);
            case "rollout.device-offered" ->
                keepNumbersUnique(
                        tx, "rollout_device", "action", body.path("action").asLong());
            case "rollout.created" ->
                keepNumbersUnique(tx, "rollout", "id", body.path("rollout").asLong());
            default -> false;
        };
    }

    private static boolean switchOff(Transaction tx, JsonNode json, String reason) {
        return Stopping.turnSwitch(
                tx, false, reason, new Environment(json.path("environment").asText()), JOURNAL);
    }

    private static boolean pause(Transaction tx, Recorded entry, JsonNode body, String reason) {
        Optional<RolloutRow> row = known(tx, entry, body).filter(r -> r.state() == RolloutState.RUNNING);
        row.ifPresent(r -> Stopping.pause(tx, r, reason, JOURNAL));
        return row.isPresent();
    }

    /// The release itself is halted by its own entry, which follows.
    private boolean stop(Transaction tx, Recorded entry, RolloutState to, JsonNode body, String reason) {
        Optional<RolloutRow> row = known(tx, entry, body).filter(r -> !r.state().over());
        row.ifPresent(r -> stopping.stop(tx, r, to, reason, false, body.has("wayBack"), JOURNAL));
        return row.isPresent();
    }

    private static boolean expose(Transaction tx, Recorded entry, JsonNode json) {
        DeviceRef device = DeviceRef.of(
                json.path("environment").asText(), json.path("subject").asText().substring("device:".length()));
        Optional<MemberRow> member = known(tx, entry, json.path("body"))
                .filter(r -> !r.state().over())
                .flatMap(r -> MemberStore.find(tx.sql(), r.id(), device));
        return member.isPresent() && Members.expose(tx, member.get(), JOURNAL);
    }

    /// The rollout that the entry speaks of. A way back that this restore has begun may have the number of one that
    /// began after the backup, and is not meant.
    private static Optional<RolloutRow> known(Transaction tx, Recorded entry, JsonNode body) {
        return RolloutStore.lock(tx.sql(), body.path("rollout").asLong())
                .filter(row -> !row.createdAt().isAfter(entry.at()));
    }

    /// Numbers that devices and people were given after the backup are not given to others.
    private static boolean keepNumbersUnique(Transaction tx, String table, String column, long given) {
        MemberStore.skipNumbers(tx.sql(), table, column, given, FURTHEST);
        return false;
    }
}
