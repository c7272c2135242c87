package dev.holdfast.rollout;

import java.util.Locale;

/// Where a rollout stands.
public enum RolloutState {
    RUNNING,
    /// By hand, or by a gate that failed without a way back.
    PAUSED,
    /// By the gate: for good.
    STOPPED,
    /// By hand: for good.
    ABORTED,
    FINISHED;

    public boolean over() {
        return this != RUNNING && this != PAUSED;
    }

    public String text() {
        return name().toLowerCase(Locale.ROOT);
    }

    public static RolloutState of(String text) {
        return valueOf(text.toUpperCase(Locale.ROOT));
    }
}
