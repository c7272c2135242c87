package dev.holdfast.mqtt;

import java.util.EnumMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.LongAdder;

/// What happened at this listener since it was opened, for metrics.
public final class MqttCounts {
    final LongAdder opened = new LongAdder();
    final LongAdder refused = new LongAdder();
    final LongAdder violations = new LongAdder();
    final LongAdder malformed = new LongAdder();
    final LongAdder discardedInQuarantine = new LongAdder();
    final LongAdder stalls = new LongAdder();
    final LongAdder commandsSent = new LongAdder();
    private final Map<UpTopic, LongAdder> messages = new EnumMap<>(UpTopic.class);

    MqttCounts() {
        for (UpTopic topic : UpTopic.values()) {
            messages.put(topic, new LongAdder());
        }
    }

    LongAdder messages(UpTopic topic) {
        LongAdder adder = messages.get(topic);
        if (adder == null) {
            throw new IllegalStateException("no counter for " + topic);
        }
        return adder;
    }

    /// By name: `opened`, `refused`, `violations`, `malformed`, `discarded_in_quarantine`, `stalls`,
    /// `commands_sent`,
    /// and `messages_telemetry`, `messages_log`, `messages_config`, `messages_event`.
    public Map<String, Long> values() {
        Map<String, Long> all = new TreeMap<>(Map.of(
                "opened", opened.sum(),
                "refused", refused.sum(),
                "violations", violations.sum(),
                "malformed", malformed.sum(),
                "discarded_in_quarantine", discardedInQuarantine.sum(),
                "stalls", stalls.sum(),
                "commands_sent", commandsSent.sum()));
        messages.forEach(
                (topic, count) -> all.put("messages_" + topic.name().toLowerCase(java.util.Locale.ROOT), count.sum()));
        return all;
    }
}
