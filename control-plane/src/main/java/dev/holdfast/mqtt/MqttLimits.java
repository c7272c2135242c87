package dev.holdfast.mqtt;

import dev.holdfast.config.Configuration;
import java.time.Duration;

/// What one device may cost.
///
/// @param messagesPerSecond of one device, over all its sessions; a message larger than 1 KiB counts as several
/// @param burst how many may come at once after a pause
/// @param largestPacket in octets; larger ones end the session
/// @param connectTimeout from the end of the handshake to a whole CONNECT
/// @param drainTimeout how long a client may leave our answers unread
/// @param sessionsPerDevice with different client ids
/// @param violationsPerSession after which the session is ended
public record MqttLimits(
        int messagesPerSecond,
        int burst,
        int largestPacket,
        Duration connectTimeout,
        Duration drainTimeout,
        int sessionsPerDevice,
        int violationsPerSession) {

    static MqttLimits of(Configuration.Limits limits) {
        return new MqttLimits(
                limits.messagesPerSecond(),
                limits.messageBurst(),
                65_536,
                limits.handshakeTimeout(),
                limits.requestTimeout(),
                8,
                20);
    }
}
