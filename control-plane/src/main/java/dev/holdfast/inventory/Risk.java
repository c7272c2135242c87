package dev.holdfast.inventory;

import java.util.List;

/// How much harm the device could do or suffer, and why we say so.
public record Risk(Level level, List<String> reasons) {
    public static final Risk UNKNOWN = new Risk(Level.UNKNOWN, List.of("not assessed yet"));

    public enum Level {
        UNKNOWN,
        LOW,
        MEDIUM,
        HIGH,
        CRITICAL
    }

    public Risk {
        reasons = List.copyOf(reasons);
    }
}
