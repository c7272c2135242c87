package dev.holdfast.protocol.ddi;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Map;
import java.util.TreeMap;

/// What a device says of itself (`configData`): `{"mode":"merge","data":{"firmware":"1.2.0"}}`.
///
/// @param data at most [#MOST] of them, harmless to show
public record DdiAttributes(Mode mode, Map<String, String> data) {
    public static final int MOST = 64;
    private static final int MOST_CHARACTERS = 128;

    public enum Mode {
        MERGE,
        REPLACE,
        REMOVE
    }

    public DdiAttributes {
        data = Map.copyOf(data);
    }

    public static DdiAttributes parse(byte[] body) throws DdiException {
        JsonNode root = DdiText.object(body);
        JsonNode data = root.path("data");
        if (!data.isObject()) {
            throw new DdiException("configData without data");
        }
        Map<String, String> read = new TreeMap<>();
        for (Map.Entry<String, JsonNode> each : data.properties()) {
            if (read.size() < MOST && each.getValue().isValueNode()) {
                read.put(
                        DdiText.safe(each.getKey(), MOST_CHARACTERS),
                        DdiText.safe(each.getValue().asText(), MOST_CHARACTERS));
            }
        }
        Mode mode = switch (root.path("mode").asText()) {
            case "replace" -> Mode.REPLACE;
            case "remove" -> Mode.REMOVE;
            default -> Mode.MERGE;
        };
        return new DdiAttributes(mode, read);
    }
}
