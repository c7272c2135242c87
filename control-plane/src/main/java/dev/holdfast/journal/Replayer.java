package dev.holdfast.journal;

import java.sql.SQLException;

/// A room's part in a restore: applies again what an entry newer than the backup took away.
///
/// Only what makes things stricter is applied again: a revocation, a suspension, a stop. So an entry that nobody
/// signed can close a door, never open one.
@FunctionalInterface
public interface Replayer {
    /// Applies it, when it is of this room and takes something away; also when the room no longer knows its
    /// subject.
    ///
    /// @return whether something was changed
    boolean replay(Transaction transaction, Recorded entry) throws SQLException;
}
