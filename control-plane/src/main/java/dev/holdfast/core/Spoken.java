package dev.holdfast.core;

import java.time.Duration;

/// What people read.
public final class Spoken {
    private Spoken() {}

    /// In the unit that says it in small numbers: `6 seconds`, `1 minute`, `90 minutes`, `2 hours`, `3 days`; rounded
    /// down.
    public static String duration(Duration time) {
        if (time.toDays() >= 2) {
            return time.toDays() + " days";
        }
        if (time.toHours() >= 2) {
            return time.toHours() + " hours";
        }
        if (time.toMinutes() >= 2) {
            return time.toMinutes() + " minutes";
        }
        if (time.toSeconds() == 60) {
            return "1 minute";
        }
        return time.toSeconds() == 1 ? "1 second" : time.toSeconds() + " seconds";
    }
}
