package dev.holdfast.journal;

import java.sql.SQLException;

/// A change of the database together with what the journal says of it.
///
/// It may be run more than once (when another change in its batch fails, or another node was first), always in a
/// transaction that sees nothing of the earlier try. So it has no effect but through its [Transaction].
@FunctionalInterface
public interface Change<T> {
    T apply(Transaction transaction) throws SQLException;
}
