package dev.holdfast.mqtt;

import dev.holdfast.core.DeviceRef;
import dev.holdfast.sessions.TokenBucket;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// One device's MQTT sessions on this node, and what they share: its rate, and which of them spoke last.
final class Presence {
    private final DeviceRef device;
    private final DeviceTopics topics;
    private final TokenBucket rate;
    private final List<MqttConnection> open = new ArrayList<>(1);
    private long lastUsed;

    Presence(DeviceRef device, TokenBucket rate) {
        this.device = device;
        this.topics = new DeviceTopics(device.id());
        this.rate = rate;
    }

    DeviceRef device() {
        return device;
    }

    DeviceTopics topics() {
        return topics;
    }

    TokenBucket rate() {
        return rate;
    }

    /// What became of a wish to join.
    ///
    /// @param replaced the session that had the same client id
    record Joined(boolean taken, Optional<MqttConnection> replaced) {}

    /// The newer session of a client id takes over (MQTT-3.1.4-3).
    synchronized Joined join(MqttConnection connection, String clientId, int most) {
        @Nullable MqttConnection older = null;
        for (MqttConnection other : open) {
            if (other.clientId().equals(clientId)) {
                older = other;
            }
        }
        if (older == null && open.size() >= most) {
            return new Joined(false, Optional.empty());
        }
        if (older != null) {
            open.remove(older);
        }
        open.add(connection);
        return new Joined(true, Optional.ofNullable(older));
    }

    synchronized void leave(MqttConnection connection) {
        open.remove(connection);
    }

    synchronized List<MqttConnection> open() {
        return List.copyOf(open);
    }

    synchronized boolean isIdle(long now) {
        return open.isEmpty() && rate.isFull(now);
    }

    /// @return whether another session was used since this one
    synchronized boolean isAnother(long sessionId) {
        return lastUsed != sessionId;
    }

    synchronized void used(long sessionId) {
        lastUsed = sessionId;
    }
}
