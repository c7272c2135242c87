package dev.holdfast.agent;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// What the bootloader goes by: one record, so one atomic write moves the device from one truth to the next.
///
/// @param confirmed the slot that runs unless a trial is on
/// @param trial the slot that is being tried, for which `triesLeft` are left
/// @param counterFloor the highest security counter ever confirmed; nothing below it boots
/// @param factoryDigest SHA-256 of the image the device was made with, the only one that boots without a signature
/// @param attempt the last update that was put on trial, and what became of it
record BootRecord(
        Slot confirmed,
        Optional<Slot> trial,
        int triesLeft,
        long counterFloor,
        String factoryVersion,
        String factoryDigest,
        Optional<Attempt> attempt) {
    private static final String NAME = "boot";

    enum Verdict {
        TRYING,
        CONFIRMED,
        GIVEN_UP
    }

    /// @param id the update's, as the server names it
    record Attempt(String id, Verdict verdict, String detail) {}

    static BootRecord factory(String version, String digest) {
        return new BootRecord(Slot.A, Optional.empty(), 0, 0, version, digest, Optional.empty());
    }

    BootRecord armed(Slot slot, int tries, String id) {
        return with(confirmed, Optional.of(slot), tries, counterFloor, new Attempt(id, Verdict.TRYING, ""));
    }

    BootRecord withTries(int tries) {
        return new BootRecord(confirmed, trial, tries, counterFloor, factoryVersion, factoryDigest, attempt);
    }

    BootRecord givenUp(String why) {
        return with(confirmed, Optional.empty(), 0, counterFloor, new Attempt(id(), Verdict.GIVEN_UP, why));
    }

    BootRecord confirmed(Slot slot, long counter) {
        Attempt done = new Attempt(id(), Verdict.CONFIRMED, "");
        return with(slot, Optional.empty(), 0, Math.max(counterFloor, counter), done);
    }

    private String id() {
        return attempt.map(Attempt::id).orElse("");
    }

    private BootRecord with(Slot confirmedSlot, Optional<Slot> trialSlot, int tries, long floor, Attempt last) {
        return new BootRecord(confirmedSlot, trialSlot, tries, floor, factoryVersion, factoryDigest, Optional.of(last));
    }

    static @Nullable BootRecord read(DeviceStore store) throws IOException {
        byte[] stored = store.read(NAME);
        if (stored == null) {
            return null;
        }
        JsonNode tree = AgentJson.tree(stored);
        JsonNode last = tree.path("attempt");
        return new BootRecord(
                Slot.valueOf(tree.path("confirmed").asText()),
                tree.hasNonNull("trial")
                        ? Optional.of(Slot.valueOf(tree.path("trial").asText()))
                        : Optional.empty(),
                tree.path("triesLeft").asInt(),
                tree.path("counterFloor").asLong(),
                tree.path("factoryVersion").asText(),
                tree.path("factoryDigest").asText(),
                last.isObject()
                        ? Optional.of(new Attempt(
                                last.path("id").asText(),
                                Verdict.valueOf(last.path("verdict").asText()),
                                last.path("detail").asText()))
                        : Optional.empty());
    }

    void write(DeviceStore store) throws IOException {
        ObjectNode tree = AgentJson.object()
                .put("confirmed", confirmed.name())
                .put("triesLeft", triesLeft)
                .put("counterFloor", counterFloor)
                .put("factoryVersion", factoryVersion)
                .put("factoryDigest", factoryDigest);
        trial.ifPresent(slot -> tree.put("trial", slot.name()));
        attempt.ifPresent(last -> tree.putObject("attempt")
                .put("id", last.id())
                .put("verdict", last.verdict().name())
                .put("detail", last.detail()));
        store.write(NAME, AgentJson.bytes(tree));
    }
}
