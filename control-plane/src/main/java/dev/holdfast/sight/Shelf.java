package dev.holdfast.sight;

/// Whose room on record a failed attempt takes, the most trusted first: what anybody can cause never takes the
/// room of what only the device can.
public enum Shelf {
    /// It has proven the device's key or credential.
    PROVEN(0, 20, 100_000, 1_000),
    /// It came from where a device of ours was heard last: the same one, or a neighbour behind the same address.
    AT_HOME(1, 20, 50_000, 500),
    /// It names a device of ours, from elsewhere. Anybody can.
    NAMED(2, 10, 10_000, 100),
    /// It names nobody of ours and comes from where nobody of ours is.
    STRANGER(3, 10, 2_000, 100);

    /// What stands in the database; the lowest is trusted most.
    final int stored;
    /// Lines kept for one device, or for one host where no device is named.
    final int mostEach;
    /// Lines kept over all.
    final int mostOverAll;
    /// Lines written in one turn of a node, every other second.
    final int mostWritten;

    Shelf(int stored, int mostEach, int mostOverAll, int mostWritten) {
        this.stored = stored;
        this.mostEach = mostEach;
        this.mostOverAll = mostOverAll;
        this.mostWritten = mostWritten;
    }

    static Shelf of(int stored) {
        return switch (stored) {
            case 0 -> PROVEN;
            case 1 -> AT_HOME;
            case 2 -> NAMED;
            case 3 -> STRANGER;
            default -> throw new IllegalArgumentException("no shelf " + stored);
        };
    }
}
