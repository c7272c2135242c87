package dev.holdfast.agent;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// What a device says and is told over MQTT, as ARCHITECTURE.md's wire formats have it.
final class Messages {
    /// @param desired the whole of what is desired
    record Command(long revision, JsonNode desired) {}

    private Messages() {}

    static byte[] boot(Bootloader.Booted booted) {
        ObjectNode event = AgentJson.object().put("v", 1).put("name", "boot");
        event.putObject("details")
                .put("firmware", booted.version())
                .put("slot", booted.slot().name())
                .put("counter", Long.toString(booted.counter()));
        return AgentJson.bytes(event);
    }

    /// Numbers that JSON can't say are left out.
    static byte[] telemetry(Map<String, Double> values) {
        ObjectNode message = AgentJson.object();
        new TreeMap<>(values).forEach((name, value) -> {
            if (Double.isFinite(value)) {
                message.put(name, value);
            }
        });
        return AgentJson.bytes(message);
    }

    /// What the device says of itself when it asks for updates.
    static Map<String, String> attributes(Hardware hardware, Bootloader.@Nullable Booted booted) {
        return Map.of(
                "model", hardware.model(),
                "hardware", hardware.revision(),
                "firmware", booted == null ? "" : booted.version());
    }

    /// The command, or empty when it is none.
    static Optional<Command> command(byte[] payload) {
        try {
            JsonNode tree = AgentJson.tree(payload);
            long revision = tree.path("revision").asLong(-1);
            return tree.path("v").asInt() == 1
                            && revision >= 0
                            && tree.path("desired").isObject()
                    ? Optional.of(new Command(revision, tree.path("desired")))
                    : Optional.empty();
        } catch (IOException notJson) {
            return Optional.empty();
        }
    }
}
