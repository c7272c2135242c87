package dev.holdfast.api;

import dev.holdfast.detection.Finding;
import dev.holdfast.inventory.Device;
import dev.holdfast.inventory.Lifecycle;
import java.time.Duration;
import java.time.Instant;
import java.util.Locale;
import java.util.Optional;

/// How a device does, in one of four words and one sentence. Pure: the same facts give the same answer.
record Health(Level level, String reason) {
    enum Level {
        GOOD,
        WATCH,
        BAD,
        UNKNOWN;

        String text() {
            return name().toLowerCase(Locale.ROOT);
        }

        /// One letter, for the columns of the map.
        char letter() {
            return text().charAt(0);
        }
    }

    private static final Duration SHORTEST_SILENCE = Duration.ofSeconds(60);

    /// @param incident the gravest open incident about the device
    /// @param expectedInterval of its model
    static Health of(
            Device device,
            Optional<Finding.Severity> incident,
            Duration expectedInterval,
            boolean connected,
            Instant now) {
        if (device.state() == Lifecycle.RETIRED) {
            return new Health(Level.UNKNOWN, "retired");
        }
        if (device.state() == Lifecycle.QUARANTINED || device.state() == Lifecycle.SUSPENDED) {
            return new Health(Level.BAD, device.state().text() + ": " + device.stateReason());
        }
        if (incident.isPresent()) {
            String severity = incident.get().name().toLowerCase(Locale.ROOT);
            boolean grave = incident.get().compareTo(Finding.Severity.HIGH) >= 0;
            return new Health(grave ? Level.BAD : Level.WATCH, "an open incident of severity " + severity);
        }
        if (device.lastContact().isEmpty() && !connected) {
            return new Health(Level.UNKNOWN, "never heard");
        }
        Duration patience = expectedInterval.multipliedBy(3).compareTo(SHORTEST_SILENCE) > 0
                ? expectedInterval.multipliedBy(3)
                : SHORTEST_SILENCE;
        if (device.lastContact().isPresent()
                && !connected
                && device.lastContact().get().plus(patience).isBefore(now)) {
            return new Health(
                    Level.WATCH,
                    "silent: expected every "
                            + expectedInterval.toString().substring(2).toLowerCase(Locale.ROOT));
        }
        return new Health(Level.GOOD, connected ? "connected, nothing found" : "heard as expected, nothing found");
    }
}
