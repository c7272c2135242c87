package dev.holdfast.commands;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Json;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.jooq.DSLContext;
import org.jooq.Record;
import org.jspecify.annotations.Nullable;

/// The table of desired states.
final class DesiredStore {
    private static final String COLUMNS =
            "revision, desired::text, changed_at, reason, delivered, delivered_at, applied, applied_at";

    private DesiredStore() {}

    static Optional<Desired> find(DSLContext sql, DeviceRef ref, boolean lock) {
        return sql.fetchOptional(
                        "select " + COLUMNS + " from desired_state where environment = ? and device = ?"
                                + (lock ? " for update" : ""),
                        ref.environment().value(),
                        ref.id().value())
                .map(row -> desired(ref, row));
    }

    static void put(DSLContext sql, DeviceRef ref, long revision, ObjectNode state, String reason, Instant now) {
        sql.execute(
                "insert into desired_state(environment, device, revision, desired, changed_at, reason)"
                        + " values (?, ?, ?, ?::jsonb, ?::timestamptz, ?) on conflict (environment, device) do update set"
                        + " revision = excluded.revision, desired = excluded.desired,"
                        + " changed_at = excluded.changed_at, reason = excluded.reason",
                ref.environment().value(),
                ref.id().value(),
                revision,
                Json.text(state),
                utc(now),
                reason);
    }

    /// Never goes back, and never past what was desired. Rows that somebody else has locked are passed over: a
    /// change that locks several, in an order of its own, could otherwise wait for us while we wait for it.
    ///
    /// @return those that were passed over
    static Set<DeviceRef> advance(DSLContext sql, String column, Map<DeviceRef, Long> revisions, Instant at) {
        String[] environments = new String[revisions.size()];
        String[] ids = new String[revisions.size()];
        Long[] numbers = new Long[revisions.size()];
        int i = 0;
        for (Map.Entry<DeviceRef, Long> entry : revisions.entrySet()) {
            environments[i] = entry.getKey().environment().value();
            ids[i] = entry.getKey().id().value();
            numbers[i++] = entry.getValue();
        }
        String behind = "with u as (select * from unnest(?::text[], ?::text[], ?::bigint[])"
                + " as u(environment, device, revision)),"
                + " behind as (select s.environment, s.device, u.revision from desired_state s join u"
                + " on s.environment = u.environment and s.device = u.device"
                + " where u.revision > s." + column + " and u.revision <= s.revision";
        sql.execute(
                behind + " for update of s skip locked) update desired_state s set " + column
                        + " = behind.revision, " + column + "_at = ?::timestamptz from behind"
                        + " where s.environment = behind.environment and s.device = behind.device",
                environments,
                ids,
                numbers,
                utc(at));
        return sql.fetch(behind + ") select environment, device from behind", environments, ids, numbers).stream()
                .map(row -> DeviceRef.of(row.get(0, String.class), row.get(1, String.class)))
                .collect(Collectors.toSet());
    }

    private static Desired desired(DeviceRef ref, Record row) {
        try {
            return new Desired(
                    ref,
                    row.get(0, Long.class),
                    (ObjectNode) Json.tree(row.get(1, String.class)),
                    row.get(2, OffsetDateTime.class).toInstant(),
                    row.get(3, String.class),
                    row.get(4, Long.class),
                    instant(row.get(5, OffsetDateTime.class)),
                    row.get(6, Long.class),
                    instant(row.get(7, OffsetDateTime.class)));
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a stored desired state can't be read", e);
        }
    }

    private static Optional<Instant> instant(@Nullable OffsetDateTime at) {
        return Optional.ofNullable(at).map(OffsetDateTime::toInstant);
    }

    private static OffsetDateTime utc(Instant at) {
        return at.atOffset(ZoneOffset.UTC);
    }
}
