package dev.holdfast.agent;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.Map;
import java.util.TreeMap;

/// The settings in force, and the revision of the desired state that they come from.
record AgentConfiguration(long revision, Map<String, String> settings) {
    private static final String NAME = "configuration";

    AgentConfiguration {
        settings = Map.copyOf(settings);
    }

    static AgentConfiguration read(DeviceStore store) throws IOException {
        byte[] stored = store.read(NAME);
        if (stored == null) {
            return new AgentConfiguration(0, Map.of());
        }
        JsonNode tree = AgentJson.tree(stored);
        Map<String, String> settings = new TreeMap<>();
        tree.path("settings")
                .properties()
                .forEach(e -> settings.put(e.getKey(), e.getValue().asText()));
        return new AgentConfiguration(tree.path("revision").asLong(), settings);
    }

    void write(DeviceStore store) throws IOException {
        store.write(NAME, report());
    }

    /// As it is stored and as it is reported.
    byte[] report() {
        ObjectNode tree = AgentJson.object().put("v", 1).put("revision", revision);
        ObjectNode inForce = tree.putObject("settings");
        new TreeMap<>(settings).forEach(inForce::put);
        return AgentJson.bytes(tree);
    }
}
