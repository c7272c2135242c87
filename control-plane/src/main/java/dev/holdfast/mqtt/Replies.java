package dev.holdfast.mqtt;

import io.netty.buffer.Unpooled;
import io.netty.handler.codec.mqtt.MqttConnAckMessage;
import io.netty.handler.codec.mqtt.MqttConnAckVariableHeader;
import io.netty.handler.codec.mqtt.MqttConnectReturnCode;
import io.netty.handler.codec.mqtt.MqttFixedHeader;
import io.netty.handler.codec.mqtt.MqttMessage;
import io.netty.handler.codec.mqtt.MqttMessageIdAndPropertiesVariableHeader;
import io.netty.handler.codec.mqtt.MqttMessageIdVariableHeader;
import io.netty.handler.codec.mqtt.MqttMessageType;
import io.netty.handler.codec.mqtt.MqttProperties;
import io.netty.handler.codec.mqtt.MqttPubAckMessage;
import io.netty.handler.codec.mqtt.MqttPubReplyMessageVariableHeader;
import io.netty.handler.codec.mqtt.MqttPublishMessage;
import io.netty.handler.codec.mqtt.MqttPublishVariableHeader;
import io.netty.handler.codec.mqtt.MqttQoS;
import io.netty.handler.codec.mqtt.MqttReasonCodeAndPropertiesVariableHeader;
import io.netty.handler.codec.mqtt.MqttSubAckMessage;
import io.netty.handler.codec.mqtt.MqttSubAckPayload;
import io.netty.handler.codec.mqtt.MqttUnsubAckMessage;
import io.netty.handler.codec.mqtt.MqttUnsubAckPayload;
import java.util.List;

/// What the server says, in the words of the version that the client speaks.
final class Replies {
    // MQTT 5 section 2.4
    static final byte OK = 0;
    static final byte MALFORMED_PACKET = (byte) 0x81;
    static final byte PROTOCOL_ERROR = (byte) 0x82;
    static final byte IMPLEMENTATION_ERROR = (byte) 0x83;
    static final byte NOT_AUTHORIZED = (byte) 0x87;
    static final byte SERVER_SHUTTING_DOWN = (byte) 0x8B;
    static final byte KEEP_ALIVE_TIMEOUT = (byte) 0x8D;
    static final byte SESSION_TAKEN_OVER = (byte) 0x8E;
    static final byte TOPIC_ALIAS_INVALID = (byte) 0x94;
    static final byte PACKET_TOO_LARGE = (byte) 0x95;
    static final byte MESSAGE_RATE_TOO_HIGH = (byte) 0x96;
    static final byte ADMINISTRATIVE_ACTION = (byte) 0x98;
    static final byte PAYLOAD_FORMAT_INVALID = (byte) 0x99;
    static final byte RETAIN_NOT_SUPPORTED = (byte) 0x9A;
    static final byte QOS_NOT_SUPPORTED = (byte) 0x9B;
    static final byte SUBSCRIPTION_IDENTIFIERS_NOT_SUPPORTED = (byte) 0xA1;
    private static final int SUBACK_FAILURE_3 = 0x80;

    static final MqttMessage PINGRESP =
            new MqttMessage(new MqttFixedHeader(MqttMessageType.PINGRESP, false, MqttQoS.AT_MOST_ONCE, false, 0));

    private Replies() {}

    static MqttConnAckMessage refused(Refusal refusal, boolean five) {
        return connAck(refusal.code(five), reason(five, refusal.text()));
    }

    static MqttConnAckMessage connAck(MqttConnectReturnCode code, MqttProperties properties) {
        // Session present is always 0: no session outlives its connection here (MQTT-3.2.2-2).
        return new MqttConnAckMessage(
                new MqttFixedHeader(MqttMessageType.CONNACK, false, MqttQoS.AT_MOST_ONCE, false, 0),
                new MqttConnAckVariableHeader(code, false, properties));
    }

    static MqttMessage pubAck(int packetId, byte reason, String why, boolean five) {
        MqttFixedHeader header = new MqttFixedHeader(MqttMessageType.PUBACK, false, MqttQoS.AT_MOST_ONCE, false, 0);
        return five && reason != OK
                ? new MqttPubAckMessage(
                        header, new MqttPubReplyMessageVariableHeader(packetId, reason, reason(true, why)))
                : new MqttPubAckMessage(header, MqttMessageIdVariableHeader.from(packetId));
    }

    /// @param codes granted QoS, or a reason of MQTT 5 section 3.9.3
    static MqttSubAckMessage subAck(int packetId, List<Integer> codes, boolean five) {
        List<Integer> spoken = five
                ? codes
                : codes.stream().map(c -> c > 2 ? SUBACK_FAILURE_3 : c).toList();
        return new MqttSubAckMessage(
                new MqttFixedHeader(MqttMessageType.SUBACK, false, MqttQoS.AT_MOST_ONCE, false, 0),
                new MqttMessageIdAndPropertiesVariableHeader(packetId, MqttProperties.NO_PROPERTIES),
                new MqttSubAckPayload(spoken));
    }

    static MqttUnsubAckMessage unsubAck(int packetId, List<Short> codes) {
        return new MqttUnsubAckMessage(
                new MqttFixedHeader(MqttMessageType.UNSUBACK, false, MqttQoS.AT_MOST_ONCE, false, 0),
                new MqttMessageIdAndPropertiesVariableHeader(packetId, MqttProperties.NO_PROPERTIES),
                new MqttUnsubAckPayload(codes));
    }

    static MqttPublishMessage publish(String topic, int packetId, MqttQoS qos, boolean retained, byte[] payload) {
        return new MqttPublishMessage(
                new MqttFixedHeader(MqttMessageType.PUBLISH, false, qos, retained, 0),
                new MqttPublishVariableHeader(topic, packetId, MqttProperties.NO_PROPERTIES),
                Unpooled.wrappedBuffer(payload));
    }

    /// Only MQTT 5 has it from the server.
    static MqttMessage disconnect(byte reason, String why) {
        return new MqttMessage(
                new MqttFixedHeader(MqttMessageType.DISCONNECT, false, MqttQoS.AT_MOST_ONCE, false, 0),
                new MqttReasonCodeAndPropertiesVariableHeader(reason, reason(true, why)));
    }

    private static MqttProperties reason(boolean five, String why) {
        if (!five || why.isEmpty()) {
            return MqttProperties.NO_PROPERTIES;
        }
        MqttProperties properties = new MqttProperties();
        properties.add(new MqttProperties.StringProperty(MqttProperties.REASON_STRING, why));
        return properties;
    }
}
