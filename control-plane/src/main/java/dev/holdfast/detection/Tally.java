package dev.holdfast.detection;

/// How often something happened within a window, and when the first of them was. Immutable.
///
/// @param since milliseconds; 0 for never
record Tally(long since, int count) {
    static final Tally NONE = new Tally(0, 0);

    /// One more; the window begins anew when it has passed.
    Tally plus(long now, long window) {
        return count == 0 || now - since > window || now < since
                ? new Tally(now, 1)
                : new Tally(since, Math.min(1_000_000, count + 1));
    }
}
