package dev.holdfast.rollover;

import dev.holdfast.core.Actor;
import dev.holdfast.core.Environment;
import dev.holdfast.database.Database;
import dev.holdfast.journal.Entry;
import dev.holdfast.journal.Journal;
import java.util.List;
import java.util.Map;

/// The record of root ceremonies: entered once each, journalled, never changed.
public final class Ceremonies {
    private final Database database;
    private final Journal journal;

    Ceremonies(Database database, Journal journal) {
        this.database = database;
        this.journal = journal;
    }

    /// @return false when the protocol was entered before: nothing is changed then
    public boolean record(CeremonyRecord record, Actor actor) {
        return journal.commit(tx -> {
            if (!CeremonyStore.insert(tx.sql(), record, actor.toString(), tx.now())) {
                return false;
            }
            tx.record(new Entry(
                    "ceremony.recorded",
                    new Environment("all"),
                    "root:" + record.rootSha256(),
                    actor,
                    "a root ceremony was held: " + record.kind(),
                    Map.of(
                            "kind", record.kind(),
                            "at", record.at().toString(),
                            "people", record.people(),
                            "rootSubject", record.rootSubject(),
                            "threshold", record.threshold(),
                            "shares", record.shares(),
                            "signed", record.signedSha256(),
                            "protocolSha256", record.protocolSha256())));
            return true;
        });
    }

    /// Newest first.
    public List<CeremonyRecord> all() {
        return database.read(CeremonyStore::all);
    }
}
