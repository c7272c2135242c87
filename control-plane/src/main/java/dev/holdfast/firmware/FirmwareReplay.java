package dev.holdfast.firmware;

import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.core.Actor;
import dev.holdfast.core.Environment;
import dev.holdfast.core.ModelId;
import dev.holdfast.journal.Entry;
import dev.holdfast.journal.Recorded;
import dev.holdfast.journal.Replayer;
import dev.holdfast.journal.Transaction;
import java.util.Map;
import java.util.Optional;

/// After a restore: releases that were halted or withdrawn after the backup are so again, signing keys that were
/// retired are no longer trusted, and the floor of security counters is where it was.
public final class FirmwareReplay implements Replayer {
    private static final Actor JOURNAL = new Actor.Holdfast("journal");
    private final Firmware firmware;

    public FirmwareReplay(Firmware firmware) {
        this.firmware = firmware;
    }

    @Override
    public boolean replay(Transaction tx, Recorded entry) {
        JsonNode json = entry.json();
        String reason = "again after a restore: " + json.path("reason").asText();
        return switch (json.path("kind").asText()) {
            case "firmware.release-halted" -> setState(tx, json, Release.State.HALTED, reason);
            case "firmware.release-withdrawn" -> setState(tx, json, Release.State.WITHDRAWN, reason);
            case "firmware.key-retired" -> retireKey(tx, json, reason);
            case "firmware.counter-floor-raised" -> raiseFloor(tx, json, reason);
            default -> false;
        };
    }

    /// Only where number and version agree: a release registered after the backup is not in it, and its number may
    /// be another's by now.
    private boolean setState(Transaction tx, JsonNode json, Release.State to, String reason) {
        long id = Long.parseLong(json.path("subject").asText().substring("release:".length()));
        String version = json.path("body").path("version").asText();
        return firmware.lock(tx, id)
                .filter(release -> release.version().value().equals(version))
                .map(_ -> firmware.setState(tx, id, to, reason, JOURNAL))
                .orElse(false);
    }

    private static boolean retireKey(Transaction tx, JsonNode json, String reason) {
        Environment environment = environment(json);
        String id = json.path("body").path("id").asText();
        if (!FirmwareStore.retireKey(tx.sql(), environment, id, tx.now())) {
            return false;
        }
        tx.record(
                new Entry("firmware.key-retired", environment, "signing-key:" + id, JOURNAL, reason, Map.of("id", id)));
        return true;
    }

    private static boolean raiseFloor(Transaction tx, JsonNode json, String reason) {
        Environment environment = environment(json);
        ModelId model = new ModelId(json.path("subject").asText().substring("model:".length()));
        long floor = json.path("body").path("floor").asLong();
        Optional<Long> before = FirmwareStore.floor(tx.sql(), environment, model);
        if (before.isPresent() && before.get() >= floor) {
            return false;
        }
        FirmwareStore.raiseFloor(tx.sql(), environment, model, floor);
        tx.record(new Entry(
                "firmware.counter-floor-raised",
                environment,
                "model:" + model,
                JOURNAL,
                reason,
                Map.of("floor", floor)));
        return true;
    }

    private static Environment environment(JsonNode json) {
        return new Environment(json.path("environment").asText());
    }
}
