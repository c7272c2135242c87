package dev.holdfast.sight;

/// Whose room on record a failed attempt takes, the most trusted first: what anybody can cause never takes the
/// room of what only the device can.
public enum Shelf {
    /// It has proven the device's key or credential.
    PROVEN(20, 100_000, 1_000),
    /// It came from where a device of ours was heard last: the same one, or a neighbour behind the same address.
    AT_HOME(20, 50_000, 500),
    /// It names a device of ours, from elsewhere. Anybody can.
    NAMED(10, 10_000, 100),
    /// It names nobody of ours and comes from where nobody of ours is.
    STRANGER(10, 2_000, 100);

    /// Lines kept for one device, or for one host where no device is named.
    final int mostEach;
    /// Lines kept over all.
    final int mostOverAll;
    /// Lines written in one turn of a node, every other second.
    final int mostWritten;

    Shelf(int mostEach, int mostOverAll, int mostWritten) {
        this.mostEach = mostEach;
        this.mostOverAll = mostOverAll;
        this.mostWritten = mostWritten;
    }
}
