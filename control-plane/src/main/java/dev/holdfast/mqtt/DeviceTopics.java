package dev.holdfast.mqtt;

import dev.holdfast.core.DeviceId;
import java.util.Optional;

/// The topics of one device: `d/{deviceId}/telemetry|log|config|event` up, `d/{deviceId}/cmd` down, and
/// nothing else.
final class DeviceTopics {
    private static final Optional<UpTopic> TELEMETRY = Optional.of(UpTopic.TELEMETRY);
    private static final Optional<UpTopic> LOG = Optional.of(UpTopic.LOG);
    private static final Optional<UpTopic> CONFIG = Optional.of(UpTopic.CONFIG);
    private static final Optional<UpTopic> EVENT = Optional.of(UpTopic.EVENT);

    private final String prefix;
    private final String command;

    DeviceTopics(DeviceId device) {
        prefix = "d/" + device.value() + "/";
        command = prefix + "cmd";
    }

    /// Which of its own topics this is; empty when it may not publish there.
    Optional<UpTopic> up(String topic) {
        if (!topic.startsWith(prefix)) {
            return Optional.empty();
        }
        return switch (topic.substring(prefix.length())) {
            case "telemetry" -> TELEMETRY;
            case "log" -> LOG;
            case "config" -> CONFIG;
            case "event" -> EVENT;
            default -> Optional.empty();
        };
    }

    String command() {
        return command;
    }

    /// Whether it may subscribe to this filter. A filter with wildcards is refused even where it would match
    /// its own
    /// topics only: what it asks for is not what it may have.
    boolean maySubscribe(String filter) {
        return filter.equals(command);
    }
}
