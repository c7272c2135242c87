package dev.holdfast.commands;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Json;
import java.time.Instant;
import java.util.Optional;

/// The desired state of one device, the whole of it, and how far the device is known to have come.
///
/// @param revision grows by one with every change, from 1
/// @param delivered the last revision that the device acknowledged receiving; 0 for none
/// @param applied the last revision that the device itself said it applied; 0 for none
public record Desired(
        DeviceRef device,
        long revision,
        ObjectNode state,
        Instant changedAt,
        String reason,
        long delivered,
        Optional<Instant> deliveredAt,
        long applied,
        Optional<Instant> appliedAt) {

    public Desired {
        state = state.deepCopy();
    }

    /// The message of topic `cmd`: `{"v":1,"revision":8,"desired":{...}}`.
    public byte[] message() {
        ObjectNode message = Json.mapper().createObjectNode();
        message.put("v", 1);
        message.put("revision", revision);
        message.set("desired", state);
        return Json.bytes(message);
    }
}
