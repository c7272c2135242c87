package dev.holdfast.rollout;

import dev.holdfast.core.DeviceRef;
import java.time.Instant;
import java.util.Optional;

/// What is known of a device's health: asked of telemetry and detection, wired by the server.
@FunctionalInterface
public interface HealthSource {
    /// @param since when the device first reported the new version; only what came after it counts
    Health health(DeviceRef device, Instant since);

    /// @param lastInBand when telemetry last arrived with every value inside the model's band and its own
    /// history
    /// @param lastOutOfBand when telemetry last arrived outside; only after `since`
    /// @param finding the first new finding after `since`, in words
    record Health(Optional<Instant> lastInBand, Optional<Instant> lastOutOfBand, Optional<String> finding) {
        public static final Health UNKNOWN = new Health(Optional.empty(), Optional.empty(), Optional.empty());
    }
}
