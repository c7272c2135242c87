package dev.holdfast.journal;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.jooq.DSLContext;

/// The open transaction of one [Change].
public final class Transaction {
    private final DSLContext sql;
    private final Instant now;
    private final List<Entry> entries = new ArrayList<>();

    Transaction(DSLContext sql, Instant now) {
        this.sql = sql;
        this.now = now;
    }

    public DSLContext sql() {
        return sql;
    }

    /// The time that the entries of this change will carry.
    public Instant now() {
        return now;
    }

    /// Adds an entry; it is chained when the batch commits.
    public void record(Entry entry) {
        entries.add(entry);
    }

    List<Entry> entries() {
        return entries;
    }
}
