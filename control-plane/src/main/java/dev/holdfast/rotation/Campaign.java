package dev.holdfast.rotation;

import dev.holdfast.core.Environment;
import java.time.Instant;
import java.util.Optional;

/// Certificates that are to be renewed ahead of their time, and how far that has come.
///
/// @param perHour at most so many devices are told in an hour
/// @param total certificates chosen; grows until it is planned
/// @param told devices whose time has come: they are told over MQTT, or hear of it when they ask by themselves
/// @param done certificates whose successor is in use, or that have ended otherwise
/// @param plannedAt when every chosen certificate had its time; empty while that goes on
public record Campaign(
        String id,
        Environment environment,
        String reason,
        String startedBy,
        Instant startedAt,
        int perHour,
        long total,
        long told,
        long done,
        Optional<Instant> plannedAt,
        Optional<Instant> stoppedAt) {

    /// When the last device will have been told, of those that are planned.
    public Instant toldBy() {
        return startedAt.plusSeconds(Math.round(total * 3_600.0 / perHour));
    }
}
