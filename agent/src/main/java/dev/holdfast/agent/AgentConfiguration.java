package dev.holdfast.agent;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.Map;
import java.util.TreeMap;

/// The last desired state that was applied, and the settings in force since. Kept, so that a device comes back from a
/// power cut as it was told to be, whether or not it reaches the server.
///
/// @param desired as it came
record AgentConfiguration(long revision, JsonNode desired, Map<String, String> settings) {
    private static final String NAME = "configuration";

    AgentConfiguration {
        settings = Map.copyOf(settings);
    }

    static AgentConfiguration read(DeviceStore store) throws IOException {
        byte[] stored = store.read(NAME);
        if (stored == null) {
            return new AgentConfiguration(0, AgentJson.object(), Map.of());
        }
        JsonNode tree = AgentJson.tree(stored);
        Map<String, String> settings = new TreeMap<>();
        tree.path("settings")
                .properties()
                .forEach(e -> settings.put(e.getKey(), e.getValue().asText()));
        return new AgentConfiguration(tree.path("revision").asLong(), tree.path("desired"), settings);
    }

    void write(DeviceStore store) throws IOException {
        ObjectNode tree = report();
        tree.set("desired", desired);
        store.write(NAME, AgentJson.bytes(tree));
    }

    /// `{"v":1,"revision":7,"settings":{"key":"value"}}`.
    ObjectNode report() {
        ObjectNode tree = AgentJson.object().put("v", 1).put("revision", revision);
        ObjectNode inForce = tree.putObject("settings");
        new TreeMap<>(settings).forEach(inForce::put);
        return tree;
    }
}
