package dev.holdfast.core;

import java.time.Instant;

/// Numbers of sessions: they grow with the time of opening, on every node that shares a database, so that of two
/// sessions of one device anybody can tell the newer, whichever node has it.
public final class SessionOrder {
    /// So many sessions may open in one millisecond before the numbers run ahead of the clock.
    private static final int BITS = 10;

    private SessionOrder() {}

    /// The number after the last one given out here.
    public static long next(long last, Instant now) {
        return Math.max(last + 1, now.toEpochMilli() << BITS);
    }

    /// When the session was opened, in milliseconds since 1970.
    public static long openedAt(long number) {
        return number >> BITS;
    }
}
