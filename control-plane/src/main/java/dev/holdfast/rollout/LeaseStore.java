package dev.holdfast.rollout;

import dev.holdfast.database.Database;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jooq.DSLContext;
import org.jspecify.annotations.Nullable;

/// The tables of nodes' leases and of bytes served.
final class LeaseStore {
    private final Database database;
    private final String node;

    LeaseStore(Database database, String node) {
        this.database = database;
        this.node = node;
    }

    /// What a renewal brings.
    ///
    /// @param stopSequence read before the epochs, so that every stop up to it is in them
    /// @param epochs of the rollouts that may be served
    record Renewal(long stopSequence, Map<Long, Long> epochs) {}

    /// @param confirmed the last stop that this node has put into effect
    Renewal renew(long confirmed) {
        return database.transact(sql -> {
            sql.execute("set local statement_timeout = '1s'");
            sql.execute(
                    "insert into rollout_node(node, renewed_at, confirmed) values (?, clock_timestamp(), ?)"
                            + " on conflict (node) do update set renewed_at = clock_timestamp(),"
                            + " confirmed = excluded.confirmed",
                    node,
                    confirmed);
            long sequence = RolloutStore.readSwitch(sql).stopSequence();
            Map<Long, Long> epochs = new HashMap<>();
            sql.fetch("select id, epoch from rollout where state = 'running' and not frozen")
                    .forEach(row -> epochs.put(row.get(0, Long.class), row.get(1, Long.class)));
            return new Renewal(sequence, epochs);
        });
    }

    void leave() {
        database.run(sql -> sql.execute("delete from rollout_node where node = ?", node));
    }

    /// Bytes since the last call, and when the last of them left.
    record Served(long bytes, Instant lastByteAt) {}

    void addBytes(Map<Long, Served> served) {
        database.run(sql -> served.forEach((rollout, s) -> sql.execute(
                "insert into rollout_bytes(rollout, node, bytes, last_byte_at, after_stop)"
                        + " select id, ?, ?, ?, case when stop_complete_at < ? then ? else 0 end from rollout"
                        + " where id = ? on conflict (rollout, node) do update"
                        + " set bytes = rollout_bytes.bytes + excluded.bytes,"
                        + " last_byte_at = excluded.last_byte_at,"
                        + " after_stop = rollout_bytes.after_stop + excluded.after_stop",
                node,
                s.bytes(),
                RolloutStore.utc(s.lastByteAt()),
                RolloutStore.utc(s.lastByteAt()),
                s.bytes(),
                rollout)));
    }

    /// Nodes that have not confirmed the stop and whose lease may still run.
    static List<String> unconfirmed(DSLContext sql, long sequence, double leaseSeconds) {
        return sql.fetch(
                        "select node from rollout_node where confirmed < ?"
                                + " and renewed_at > clock_timestamp() - make_interval(secs => ?) order by node",
                        sequence,
                        leaseSeconds)
                .map(row -> row.get(0, String.class));
    }

    record Total(long bytes, long afterStop, Optional<Instant> lastByteAt) {}

    static Total total(DSLContext sql, long rollout) {
        var row = sql.fetchSingle(
                "select coalesce(sum(bytes), 0)::bigint, coalesce(sum(after_stop), 0)::bigint,"
                        + " max(last_byte_at) from rollout_bytes where rollout = ?",
                rollout);
        java.time.@Nullable OffsetDateTime last = row.get(2, java.time.OffsetDateTime.class);
        return new Total(row.get(0, Long.class), row.get(1, Long.class), RolloutStore.instant(last));
    }
}
