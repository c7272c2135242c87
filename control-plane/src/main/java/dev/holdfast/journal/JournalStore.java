package dev.holdfast.journal;

import dev.holdfast.core.Digest;
import dev.holdfast.database.Database;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jooq.Condition;
import org.jooq.DSLContext;
import org.jooq.Record;
import org.jooq.impl.DSL;

/// The journal's tables.
final class JournalStore {
    private final Database database;

    JournalStore(Database database) {
        this.database = database;
    }

    Journal.Head head() {
        return database.read(sql -> {
            Record row = sql.fetchOne("select number, chain_hash from journal_head");
            if (row == null) {
                throw new IllegalStateException("the journal has no head row");
            }
            return new Journal.Head(row.get(0, Long.class), new Digest(row.get(1, String.class)));
        });
    }

    List<Recorded> read(long after, int limit) {
        return database.read(sql -> sql.fetch(
                        "select number, at, content, leaf_hash, chain_hash from journal_entry"
                                + " where number > ? order by number limit ?",
                        after,
                        limit)
                .map(JournalStore::recorded));
    }

    List<Recorded> about(String subject, long before, int limit) {
        return database.read(sql -> sql.fetch(
                        "select number, at, content, leaf_hash, chain_hash from journal_entry"
                                + " where subject = ? and number < ? order by number desc limit ?",
                        subject,
                        before,
                        limit)
                .map(JournalStore::recorded));
    }

    List<Recorded> find(Journal.Query query, int limit) {
        Condition where = DSL.condition("number > ? and number < ?", query.after(), query.before());
        if (query.environment().isPresent()) {
            where = where.and(
                    DSL.condition("environment = ?", query.environment().get().value()));
        }
        if (query.subject().isPresent()) {
            where = where.and(DSL.condition("subject = ?", query.subject().get()));
        }
        if (query.kind().isPresent()) {
            String kind = query.kind().get();
            where = where.and(
                    kind.endsWith(".") ? DSL.condition("starts_with(kind, ?)", kind) : DSL.condition("kind = ?", kind));
        }
        Condition sought = where;
        String order = query.ascending() ? "" : " desc";
        return database.read(sql -> sql.resultQuery(
                        "select number, at, content, leaf_hash, chain_hash from journal_entry where {0}"
                                + " order by number" + order + " limit {1}",
                        sought,
                        DSL.val(limit))
                .fetch()
                .map(JournalStore::recorded));
    }

    private static Recorded recorded(Record row) {
        return new Recorded(
                row.get(0, Long.class),
                row.get(1, OffsetDateTime.class).toInstant(),
                row.get(2, String.class),
                new Digest(row.get(3, String.class)),
                new Digest(row.get(4, String.class)));
    }

    /// The branch of the exported stream that this installation writes; begun with the id where there is none.
    static String branch(DSLContext sql, String id, Instant now) {
        sql.execute(
                "insert into journal_branch(id, from_number, started_at) select ?, 0, ?::timestamptz"
                        + " where not exists (select 1 from journal_branch)",
                id,
                now.atOffset(ZoneOffset.UTC));
        return sql.fetchSingle("select id from journal_branch order by started_at desc, from_number desc limit 1")
                .get(0, String.class);
    }

    /// Begins another branch, after a restore.
    static void startBranch(DSLContext sql, String id, long from, Instant now) {
        sql.execute(
                "insert into journal_branch(id, from_number, started_at) values (?, ?, ?::timestamptz)",
                id,
                from,
                now.atOffset(ZoneOffset.UTC));
    }

    /// Begins another branch after a freeze that began on the present one: the stream that left the machine may hold
    /// what this database does not, and is kept as it is. A restore has begun its branch already.
    static void leaveBranch(DSLContext sql, Freeze.State frozen, Instant now) {
        String id = Digest.of(
                        (frozen.since() + "/" + frozen.backupNumber() + "/" + now).getBytes(StandardCharsets.UTF_8))
                .hex()
                .substring(0, 16);
        sql.execute(
                "insert into journal_branch(id, from_number, started_at) select ?, ?, ?::timestamptz"
                        + " where (select max(started_at) from journal_branch) < ?::timestamptz",
                id,
                frozen.backupNumber(),
                now.atOffset(ZoneOffset.UTC),
                frozen.since().atOffset(ZoneOffset.UTC));
    }

    /// Up to which number the entries of each branch, by its id, are still in this journal.
    Map<String, Long> branches() {
        return database.read(sql -> {
            Map<String, Long> kept = new LinkedHashMap<>();
            String before = null;
            for (Record row :
                    sql.fetch("select id, from_number from journal_branch order by started_at, from_number")) {
                if (before != null) {
                    kept.put(before, row.get(1, Long.class));
                }
                before = row.get(0, String.class);
                kept.put(before, Long.MAX_VALUE);
            }
            return kept;
        });
    }

    /// The head as this transaction sees it; not locked, because [#advance] compares.
    static Journal.Head head(Connection connection) throws SQLException {
        try (PreparedStatement select = connection.prepareStatement("select number, chain_hash from journal_head");
                ResultSet row = select.executeQuery()) {
            if (!row.next()) {
                throw new IllegalStateException("the journal has no head row");
            }
            return new Journal.Head(row.getLong(1), new Digest(row.getString(2)));
        }
    }

    /// Compare-and-set of the head.
    ///
    /// @return false when another node was first
    static boolean advance(Connection connection, Journal.Head from, Recorded to) throws SQLException {
        try (PreparedStatement update = connection.prepareStatement(
                "update journal_head set number = ?, chain_hash = ? where number = ? and chain_hash = ?")) {
            update.setLong(1, to.number());
            update.setString(2, to.chainHash().hex());
            update.setLong(3, from.number());
            update.setString(4, from.chainHash().hex());
            return update.executeUpdate() == 1;
        }
    }

    static void insert(Connection connection, List<Recorded> chained, List<Entry> entries) throws SQLException {
        try (PreparedStatement insert = connection.prepareStatement(
                "insert into journal_entry(number, at, kind, environment, subject, content, leaf_hash, chain_hash)"
                        + " values (?,?,?,?,?,?,?,?)")) {
            for (int i = 0; i < chained.size(); i++) {
                Recorded recorded = chained.get(i);
                Entry entry = entries.get(i);
                insert.setLong(1, recorded.number());
                insert.setObject(2, recorded.at().atOffset(ZoneOffset.UTC));
                insert.setString(3, entry.kind());
                insert.setString(4, entry.environment().value());
                insert.setString(5, entry.subject());
                insert.setString(6, recorded.content());
                insert.setString(7, recorded.leafHash().hex());
                insert.setString(8, recorded.chainHash().hex());
                insert.addBatch();
            }
            insert.executeBatch();
        }
    }

    static List<Recorded> chain(Journal.Head head, Instant at, List<Entry> entries) {
        List<Recorded> chained = new ArrayList<>(entries.size());
        long number = head.number();
        Digest previous = head.chainHash();
        for (Entry entry : entries) {
            Recorded next = Recorded.next(++number, at, entry, previous);
            previous = next.chainHash();
            chained.add(next);
        }
        return chained;
    }
}
