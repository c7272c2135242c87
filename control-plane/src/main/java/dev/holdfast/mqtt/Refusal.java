package dev.holdfast.mqtt;

import io.netty.handler.codec.mqtt.MqttConnectReturnCode;

/// Why a CONNECT is refused, and how each version of the protocol says so.
enum Refusal {
    PROTOCOL_VERSION(
            MqttConnectReturnCode.CONNECTION_REFUSED_UNACCEPTABLE_PROTOCOL_VERSION,
            MqttConnectReturnCode.CONNECTION_REFUSED_UNSUPPORTED_PROTOCOL_VERSION,
            "MQTT 3.1.1 and 5 are spoken here"),
    CLIENT_ID(
            MqttConnectReturnCode.CONNECTION_REFUSED_IDENTIFIER_REJECTED,
            MqttConnectReturnCode.CONNECTION_REFUSED_CLIENT_IDENTIFIER_NOT_VALID,
            "the client id must be the device id, or the device id, '/' and a suffix, or empty"),
    WILL_TOPIC(
            MqttConnectReturnCode.CONNECTION_REFUSED_NOT_AUTHORIZED,
            MqttConnectReturnCode.CONNECTION_REFUSED_TOPIC_NAME_INVALID,
            "a will may only go to the device's own topics"),
    WILL_QOS(
            MqttConnectReturnCode.CONNECTION_REFUSED_SERVER_UNAVAILABLE,
            MqttConnectReturnCode.CONNECTION_REFUSED_QOS_NOT_SUPPORTED,
            "QoS 2 is not supported"),
    WILL_RETAIN(
            MqttConnectReturnCode.CONNECTION_REFUSED_SERVER_UNAVAILABLE,
            MqttConnectReturnCode.CONNECTION_REFUSED_RETAIN_NOT_SUPPORTED,
            "retained messages are not supported"),
    AUTHENTICATION_METHOD(
            MqttConnectReturnCode.CONNECTION_REFUSED_NOT_AUTHORIZED,
            MqttConnectReturnCode.CONNECTION_REFUSED_BAD_AUTHENTICATION_METHOD,
            "a device is authenticated by its certificate only"),
    NOT_AUTHORIZED(
            MqttConnectReturnCode.CONNECTION_REFUSED_NOT_AUTHORIZED,
            MqttConnectReturnCode.CONNECTION_REFUSED_NOT_AUTHORIZED_5,
            "not authorised"),
    BANNED(
            MqttConnectReturnCode.CONNECTION_REFUSED_NOT_AUTHORIZED,
            MqttConnectReturnCode.CONNECTION_REFUSED_BANNED,
            "the device is suspended or retired"),
    UNAVAILABLE(
            MqttConnectReturnCode.CONNECTION_REFUSED_SERVER_UNAVAILABLE,
            MqttConnectReturnCode.CONNECTION_REFUSED_SERVER_UNAVAILABLE_5,
            "the server can't check who this is at present; try again later"),
    BUSY(
            MqttConnectReturnCode.CONNECTION_REFUSED_SERVER_UNAVAILABLE,
            MqttConnectReturnCode.CONNECTION_REFUSED_SERVER_BUSY,
            "the server has as many sessions as it may"),
    TOO_MANY_SESSIONS(
            MqttConnectReturnCode.CONNECTION_REFUSED_SERVER_UNAVAILABLE,
            MqttConnectReturnCode.CONNECTION_REFUSED_QUOTA_EXCEEDED,
            "the device has as many sessions as it may"),
    RATE(
            MqttConnectReturnCode.CONNECTION_REFUSED_SERVER_UNAVAILABLE,
            MqttConnectReturnCode.CONNECTION_REFUSED_CONNECTION_RATE_EXCEEDED,
            "the device connects too often");

    private final MqttConnectReturnCode version3;
    private final MqttConnectReturnCode version5;
    private final String text;

    Refusal(MqttConnectReturnCode version3, MqttConnectReturnCode version5, String text) {
        this.version3 = version3;
        this.version5 = version5;
        this.text = text;
    }

    MqttConnectReturnCode code(boolean five) {
        return five ? version5 : version3;
    }

    /// For the CONNACK's reason string and the operator.
    String text() {
        return text;
    }
}
