package dev.holdfast.inventory;

import dev.holdfast.core.DeviceId;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.FirmwareVersion;
import dev.holdfast.core.Labels;
import dev.holdfast.core.ModelId;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// A device as the inventory holds it.
///
/// @param stateUntil when a time-limited isolation ends by itself
/// @param reachesVia the gateway through which the network reaches it
/// @param firmware what the device itself last reported, never what was offered to it
/// @param lastContact written in batches: may be some seconds old
public record Device(
        DeviceRef ref,
        ModelId model,
        Labels labels,
        Lifecycle state,
        Instant stateSince,
        String stateReason,
        Optional<Instant> stateUntil,
        Optional<DeviceId> reachesVia,
        Instant registeredAt,
        Optional<FirmwareVersion> firmware,
        Optional<Instant> firmwareAt,
        Risk risk,
        Optional<Instant> lastContact) {

    /// What a selector sees: the labels, and `id`, `model`, `state`, `firmware`, which labels can't override.
    public Map<String, String> attributes() {
        Map<String, String> all = new TreeMap<>(labels.values());
        all.put("id", ref.id().value());
        all.put("model", model.value());
        all.put("state", state.text());
        firmware.ifPresentOrElse(f -> all.put("firmware", f.value()), () -> all.remove("firmware"));
        return all;
    }
}
