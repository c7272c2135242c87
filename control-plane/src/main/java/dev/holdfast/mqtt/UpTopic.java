package dev.holdfast.mqtt;

/// What a device may say.
enum UpTopic {
    TELEMETRY,
    LOG,
    CONFIG,
    EVENT
}
