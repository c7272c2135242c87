package dev.holdfast.mqtt;

import dev.holdfast.identity.Identity;
import dev.holdfast.inventory.Inventory;
import dev.holdfast.sessions.Sessions;
import dev.holdfast.telemetry.Telemetry;
import java.time.InstantSource;

/// What every connection of one listener shares.
record MqttRooms(
        Identity identity,
        Inventory inventory,
        Sessions sessions,
        Telemetry telemetry,
        CommandDelivery delivery,
        BootReports boots,
        Presences presences,
        MqttLimits limits,
        MqttCounts counts,
        InstantSource clock) {}
