package dev.holdfast.operator;

import dev.holdfast.access.Access;
import dev.holdfast.commands.Commands;
import dev.holdfast.config.Configuration;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Environment;
import dev.holdfast.database.Database;
import dev.holdfast.detection.Finding;
import dev.holdfast.inventory.Inventory;
import dev.holdfast.journal.Freeze;
import dev.holdfast.journal.Journal;
import dev.holdfast.sessions.Sessions;
import dev.holdfast.telemetry.Telemetry;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Supplier;

/// The doors this edge answers from.
///
/// @param dataFolder to report how much room is left
/// @param listeners of the other planes, once they listen
public record Rooms(
        Configuration configuration,
        Path dataFolder,
        InstantSource clock,
        Database database,
        Journal journal,
        Freeze freeze,
        Access access,
        Inventory inventory,
        Sessions sessions,
        Telemetry telemetry,
        Commands commands,
        MessageRate messageRate,
        Function<Environment, Map<DeviceRef, Finding.Severity>> gravestOpenIncidents,
        Supplier<List<ListenerStatus>> listeners) {
    /// Another plane's listener, for people.
    public record ListenerStatus(String name, String host, int port, boolean tls, String url) {}

    Environment environment() {
        return new Environment(configuration.environment());
    }
}
