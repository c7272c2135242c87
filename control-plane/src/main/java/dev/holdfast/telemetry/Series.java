package dev.holdfast.telemetry;

import java.time.Duration;
import java.time.Instant;

/// What a device's measurements look like when they are read.
public final class Series {
    private Series() {}

    /// One bucket of time.
    ///
    /// @param at when it begins
    /// @param imported whether some of it was imported history
    public record Point(Instant at, long count, double min, double max, double sum, double last, boolean imported) {
        public double mean() {
            return sum / count;
        }
    }

    /// @param at as measured
    public record Latest(double value, Instant at) {}

    /// How wide a bucket is.
    public enum Resolution {
        MINUTE(Duration.ofMinutes(1)),
        HOUR(Duration.ofHours(1));

        private final Duration width;

        Resolution(Duration width) {
            this.width = width;
        }

        public Duration width() {
            return width;
        }
    }
}
