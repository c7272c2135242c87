package dev.holdfast.journal;

import dev.holdfast.core.Digest;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Optional;
import org.jooq.DSLContext;

/// The freeze's tables.
final class FreezeStore {
    private FreezeStore() {}

    static Optional<Freeze.State> state(DSLContext sql) {
        return sql.fetchOptional("select since, reason, backup_number, merge_ready from installation_freeze")
                .map(row -> new Freeze.State(
                        row.get(0, OffsetDateTime.class).toInstant(),
                        row.get(1, String.class),
                        row.get(2, Long.class),
                        row.get(3, Boolean.class)));
    }

    static void freeze(DSLContext sql, Instant since, String reason, long backupNumber) {
        sql.execute(
                "insert into installation_freeze(since, reason, backup_number) values (?::timestamptz, ?, ?)"
                        + " on conflict (only_one) do update"
                        + " set reason = excluded.reason, backup_number = excluded.backup_number, merge_ready = false",
                since.atOffset(ZoneOffset.UTC),
                reason,
                backupNumber);
        sql.execute("delete from freeze_acceptance");
    }

    static void accept(DSLContext sql, String account, String statement, Instant at) {
        sql.execute(
                "insert into freeze_acceptance(account, statement, at) values (?, ?, ?::timestamptz)",
                account,
                statement,
                at.atOffset(ZoneOffset.UTC));
    }

    static List<Freeze.Accepted> acceptances(DSLContext sql) {
        return sql.fetch("select account, statement, at from freeze_acceptance order by at, account")
                .map(row -> new Freeze.Accepted(
                        row.get(0, String.class),
                        row.get(1, String.class),
                        row.get(2, OffsetDateTime.class).toInstant()));
    }

    static void lift(DSLContext sql) {
        sql.execute("delete from installation_freeze");
        sql.execute("delete from freeze_acceptance");
        sql.execute("delete from freeze_pending");
    }

    static void addPending(DSLContext sql, List<Recorded> entries) {
        for (Recorded entry : entries) {
            sql.execute(
                    "insert into freeze_pending(number, at, content, leaf_hash, chain_hash) values (?, ?::timestamptz, ?, ?, ?)"
                            + " on conflict do nothing",
                    entry.number(),
                    entry.at().atOffset(ZoneOffset.UTC),
                    entry.content(),
                    entry.leafHash().hex(),
                    entry.chainHash().hex());
        }
    }

    static void mergeReady(DSLContext sql) {
        sql.execute("update installation_freeze set merge_ready = true");
    }

    static List<Recorded> pending(DSLContext sql, int limit) {
        return sql.fetch(
                        "select number, at, content, leaf_hash, chain_hash from freeze_pending order by number limit ?",
                        limit)
                .map(row -> new Recorded(
                        row.get(0, Long.class),
                        row.get(1, OffsetDateTime.class).toInstant(),
                        row.get(2, String.class),
                        new Digest(row.get(3, String.class)),
                        new Digest(row.get(4, String.class))));
    }

    static void removePending(DSLContext sql, long upTo) {
        sql.execute("delete from freeze_pending where number <= ?", upTo);
    }
}
