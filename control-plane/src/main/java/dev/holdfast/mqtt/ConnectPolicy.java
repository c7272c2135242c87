package dev.holdfast.mqtt;

import dev.holdfast.core.DeviceId;
import io.netty.handler.codec.mqtt.MqttConnectMessage;
import io.netty.handler.codec.mqtt.MqttConnectPayload;
import io.netty.handler.codec.mqtt.MqttConnectVariableHeader;
import io.netty.handler.codec.mqtt.MqttProperties;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Whether a CONNECT of an admitted device is one that we can serve. Pure.
final class ConnectPolicy {
    /// A client that names no keep alive, or a longer one, is held to this (seconds).
    static final int LONGEST_KEEP_ALIVE = 1_200;
    private static final int LONGEST_CLIENT_ID = 128;
    private static final int MOST_WILL = 8_192;

    private ConnectPolicy() {}

    sealed interface Decision {}

    record Refuse(Refusal reason) implements Decision {}

    /// @param keepAlive in seconds, as enforced
    /// @param receiveMaximum commands that may wait for their acknowledgement
    /// @param maximumPacket the largest packet that the client takes; 0 for no limit
    record Accept(
            boolean five,
            String clientId,
            boolean assigned,
            int keepAlive,
            Optional<Will> will,
            int receiveMaximum,
            long maximumPacket)
            implements Decision {}

    /// What is said for the device when its session ends without a goodbye.
    static final class Will {
        private final UpTopic topic;
        private final byte[] payload;

        Will(UpTopic topic, byte[] payload) {
            this.topic = topic;
            this.payload = payload.clone();
        }

        UpTopic topic() {
            return topic;
        }

        byte[] payload() {
            return payload.clone();
        }
    }

    static boolean isFive(MqttConnectMessage connect) {
        return connect.variableHeader().version() >= 5;
    }

    /// Whether the version can be served at all; looked at first, so that the answer can be understood.
    static boolean isKnownVersion(MqttConnectMessage connect) {
        int version = connect.variableHeader().version();
        return connect.variableHeader().name().equals("MQTT") && (version == 4 || version == 5);
    }

    /// @param sessionId makes an assigned client id unique
    static Decision decide(DeviceId device, DeviceTopics topics, MqttConnectMessage connect, long sessionId) {
        MqttConnectVariableHeader header = connect.variableHeader();
        boolean five = isFive(connect);

        // 1. Enhanced authentication (MQTT 5 section 4.12): the certificate is the only way in.
        if (five && header.properties().getProperty(MqttProperties.AUTHENTICATION_METHOD) != null) {
            return new Refuse(Refusal.AUTHENTICATION_METHOD);
        }

        // 2. The client id says who it is, as the certificate does; they must agree. User name and password are not
        //    looked at: they prove nothing that the certificate has not.
        String clientId = connect.payload().clientIdentifier();
        boolean assigned = clientId == null || clientId.isEmpty();
        if (assigned) {
            if (!five && !header.isCleanSession()) {
                return new Refuse(Refusal.CLIENT_ID); // MQTT-3.1.3-8
            }
            clientId = device.value() + "/" + sessionId;
        } else if (!isOwn(device, clientId)) {
            return new Refuse(Refusal.CLIENT_ID);
        }

        // 3. The will is a message like any other: own topics, QoS 0 or 1.
        Optional<Will> will = Optional.empty();
        if (header.isWillFlag()) {
            if (header.willQos() > 1) {
                return new Refuse(Refusal.WILL_QOS);
            }
            if (header.isWillRetain() && five) {
                return new Refuse(Refusal.WILL_RETAIN);
            }
            will = will(topics, connect.payload());
            if (will.isEmpty()) {
                return new Refuse(Refusal.WILL_TOPIC);
            }
        }

        int asked = header.keepAliveTimeSeconds();
        int keepAlive = asked == 0 ? LONGEST_KEEP_ALIVE : Math.min(asked, LONGEST_KEEP_ALIVE);
        return new Accept(
                five,
                clientId,
                assigned,
                keepAlive,
                will,
                (int) number(header.properties(), five, MqttProperties.RECEIVE_MAXIMUM, 65_535),
                number(header.properties(), five, MqttProperties.MAXIMUM_PACKET_SIZE, 0));
    }

    private static Optional<Will> will(DeviceTopics topics, MqttConnectPayload payload) {
        byte @Nullable [] message = payload.willMessageInBytes();
        String topic = payload.willTopic();
        if (topic == null || message == null || message.length > MOST_WILL) {
            return Optional.empty();
        }
        return topics.up(topic).map(up -> new Will(up, message));
    }

    /// The device id, alone or with a suffix: a device with several programs needs several sessions.
    private static boolean isOwn(DeviceId device, String clientId) {
        String id = device.value();
        return clientId.length() <= LONGEST_CLIENT_ID
                && clientId.startsWith(id)
                && (clientId.length() == id.length() || clientId.charAt(id.length()) == '/');
    }

    private static long number(MqttProperties properties, boolean five, int id, long otherwise) {
        if (five && properties.getProperty(id) instanceof MqttProperties.IntegerProperty found) {
            long value = Integer.toUnsignedLong(found.value());
            return value == 0 ? otherwise : value;
        }
        return otherwise;
    }
}
