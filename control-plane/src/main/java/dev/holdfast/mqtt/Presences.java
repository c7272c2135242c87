package dev.holdfast.mqtt;

import dev.holdfast.core.DeviceRef;
import dev.holdfast.sessions.TokenBucket;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/// The devices that have MQTT sessions on this node, or had one so lately that their rate still counts: a
/// device can't
/// win a fresh rate by connecting again.
final class Presences {
    private final Map<DeviceRef, Presence> all = new ConcurrentHashMap<>();
    private final MqttLimits limits;

    Presences(MqttLimits limits) {
        this.limits = limits;
    }

    Presence of(DeviceRef device, long now) {
        return all.computeIfAbsent(
                device, d -> new Presence(d, new TokenBucket(limits.messagesPerSecond(), limits.burst(), now)));
    }

    /// Joins atomically with the forgetting of idle devices.
    Presence.Joined join(Presence presence, MqttConnection connection, String clientId) {
        Presence.Joined[] joined = new Presence.Joined[1];
        all.compute(presence.device(), (_, known) -> {
            Presence current = known == null ? presence : known;
            joined[0] = presence.join(connection, clientId, limits.sessionsPerDevice());
            return current;
        });
        return joined[0];
    }

    List<MqttConnection> open(DeviceRef device) {
        return Optional.ofNullable(all.get(device)).map(Presence::open).orElse(List.of());
    }

    /// Forgets devices that are gone and whose rate no longer counts.
    void forgetIdle(long now) {
        for (DeviceRef device : all.keySet()) {
            all.computeIfPresent(device, (_, presence) -> presence.isIdle(now) ? null : presence);
        }
    }

    int size() {
        return all.size();
    }
}
