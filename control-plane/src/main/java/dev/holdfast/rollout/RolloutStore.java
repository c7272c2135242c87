package dev.holdfast.rollout;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import dev.holdfast.core.Environment;
import dev.holdfast.core.Json;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jooq.DSLContext;
import org.jooq.Record;
import org.jspecify.annotations.Nullable;

/// The tables of rollouts, their batches, the switch and the windows.
final class RolloutStore {
    private static final String COLUMNS = "id, environment, plan::text, kind, parent, state, state_reason, state_since,"
            + " epoch, frozen, batch, batch_since, cap, undecided, stop_sequence, stopped_at, stop_complete_at,"
            + " created_at";

    private RolloutStore() {}

    static long insert(
            DSLContext sql, Plan plan, RolloutRow.Kind kind, @Nullable Long parent, String reason, Instant now) {
        return sql.fetchSingle(
                        "insert into rollout(environment, model, plan, release, previous, kind, parent, healing, state,"
                                + " state_reason, state_since, epoch, frozen, batch, batch_since, cap, created_at)"
                                + " select ?, ?, ?::jsonb, ?, ?, ?, ?, ?, 'running', ?, ?, 1, not enabled, 0, ?, ?, ?"
                                + " from rollout_switch returning id",
                        plan.environment().value(),
                        plan.model().value(),
                        Json.text(plan),
                        plan.release(),
                        plan.previous(),
                        kind.text(),
                        parent,
                        plan.healing(),
                        reason,
                        utc(now),
                        utc(now),
                        plan.batches().getFirst().cap(),
                        utc(now))
                .get(0, Long.class);
    }

    static Optional<RolloutRow> find(DSLContext sql, long id) {
        return sql.fetchOptional("select " + COLUMNS + " from rollout where id = ?", id)
                .map(RolloutStore::row);
    }

    /// Locked until the change commits; always the first lock that a change about a rollout takes.
    static Optional<RolloutRow> lock(DSLContext sql, long id) {
        return sql.fetchOptional("select " + COLUMNS + " from rollout where id = ? for update", id)
                .map(RolloutStore::row);
    }

    static List<RolloutRow> active(DSLContext sql) {
        return sql.fetch("select " + COLUMNS + " from rollout where state in ('running','paused') order by id")
                .map(RolloutStore::row);
    }

    static List<RolloutRow> list(DSLContext sql, Environment environment, long before, int limit) {
        return sql.fetch(
                        "select " + COLUMNS + " from rollout where environment = ? and id < ? order by id desc limit ?",
                        environment.value(),
                        before,
                        limit)
                .map(RolloutStore::row);
    }

    static List<Long> activeOf(DSLContext sql, Environment environment, String model) {
        return sql.fetch(
                        "select id from rollout where environment = ? and model = ? and kind = 'update'"
                                + " and state in ('running','paused') order by id",
                        environment.value(),
                        model)
                .map(row -> row.get(0, Long.class));
    }

    static List<Long> activeWithRelease(DSLContext sql, long release, long except) {
        return sql.fetch(
                        "select id from rollout where release = ? and id <> ? and state in ('running','paused')"
                                + " order by id",
                        release,
                        except)
                .map(row -> row.get(0, Long.class));
    }

    static Optional<Long> wayBackOf(DSLContext sql, long parent) {
        return sql.fetchOptional("select id from rollout where parent = ? order by id desc limit 1", parent)
                .map(row -> row.get(0, Long.class));
    }

    /// **The grant**: one conditional update. It commits before a stop (which updates the same row) or not at
    /// all.
    static boolean takeSlot(DSLContext sql, long rollout, long epoch, int batch) {
        return sql.execute(
                        "update rollout set undecided = undecided + 1 where id = ? and epoch = ? and state = 'running'"
                                + " and not frozen and undecided < cap and batch >= ?",
                        rollout,
                        epoch,
                        batch)
                == 1;
    }

    static void giveSlotBack(DSLContext sql, long rollout) {
        sql.execute("update rollout set undecided = undecided - 1 where id = ?", rollout);
    }

    /// Moves the rollout to another state under a new epoch, so that every grant and lease of the old one is
    /// void.
    static void setState(DSLContext sql, long id, RolloutState state, String reason, Instant now) {
        sql.execute(
                "update rollout set state = ?, state_reason = ?, state_since = ?, epoch = epoch + 1 where id = ?",
                state.text(),
                reason,
                utc(now),
                id);
    }

    /// A finished way back opens again for a device that turned up late.
    static void reopen(DSLContext sql, long id, Instant now) {
        sql.execute(
                "update rollout set state = 'running', epoch = epoch + 1, state_since = ?,"
                        + " state_reason = 'a device turned up late' where id = ? and state = 'finished'",
                utc(now),
                id);
    }

    static void markStop(DSLContext sql, long id, long sequence, Instant now) {
        sql.execute(
                "update rollout set stop_sequence = ?, stopped_at = ?, stop_complete_at = null where id = ?",
                sequence,
                utc(now),
                id);
    }

    static void clearStop(DSLContext sql, long id) {
        sql.execute("update rollout set stopped_at = null, stop_complete_at = null where id = ?", id);
    }

    static boolean markStopComplete(DSLContext sql, long id, long sequence, Instant now) {
        return sql.execute(
                        "update rollout set stop_complete_at = ? where id = ? and stop_sequence = ?"
                                + " and stopped_at is not null and stop_complete_at is null",
                        utc(now),
                        id,
                        sequence)
                == 1;
    }

    static List<RolloutRow> stopping(DSLContext sql) {
        return sql.fetch("select " + COLUMNS
                        + " from rollout where stopped_at is not null and stop_complete_at is null order by id")
                .map(RolloutStore::row);
    }

    static void advance(DSLContext sql, long id, int batch, int cap, Instant now) {
        sql.execute("update rollout set batch = ?, cap = ?, batch_since = ? where id = ?", batch, cap, utc(now), id);
    }

    static void noneUndecided(DSLContext sql, long id) {
        sql.execute("update rollout set undecided = 0 where id = ?", id);
    }

    static void freezeAll(DSLContext sql, boolean frozen) {
        sql.execute(
                "update rollout set frozen = ?, epoch = epoch + 1 where id in (select id from rollout"
                        + " where state in ('running','paused') and frozen <> ? order by id for update)",
                frozen,
                frozen);
    }

    static long nextStopSequence(DSLContext sql) {
        return sql.fetchSingle("update rollout_switch set stop_sequence = stop_sequence + 1 returning stop_sequence")
                .get(0, Long.class);
    }

    record Switch(boolean enabled, String reason, Instant changedAt, long stopSequence) {}

    static Switch readSwitch(DSLContext sql) {
        Record row = sql.fetchSingle("select enabled, reason, changed_at, stop_sequence from rollout_switch");
        return new Switch(
                row.get(0, Boolean.class),
                row.get(1, String.class),
                row.get(2, OffsetDateTime.class).toInstant(),
                row.get(3, Long.class));
    }

    static Switch lockSwitch(DSLContext sql) {
        sql.execute("select 1 from rollout_switch for update");
        return readSwitch(sql);
    }

    static void lockModel(DSLContext sql, Environment environment, String model) {
        sql.execute("select pg_advisory_xact_lock(hashtextextended(?, 31))", "rollout/" + environment + "/" + model);
    }

    /// What the model's devices run since the last rollout that finished.
    static Optional<Long> lastFinishedRelease(DSLContext sql, Environment environment, String model, long except) {
        return sql.fetchOptional(
                        "select release from rollout where environment = ? and model = ? and kind = 'update'"
                                + " and state = 'finished' and release <> ? order by state_since desc limit 1",
                        environment.value(),
                        model,
                        except)
                .map(row -> row.get(0, Long.class));
    }

    static boolean setSwitch(DSLContext sql, boolean enabled, String reason, Instant now) {
        return sql.execute(
                        "update rollout_switch set enabled = ?, reason = ?, changed_at = ? where enabled <> ?",
                        enabled,
                        reason,
                        utc(now),
                        enabled)
                == 1;
    }

    /// Counts of one batch.
    record Counts(
            int number,
            int pending,
            int undecided,
            int healthy,
            int failed,
            int withdrawn,
            int recalled,
            int skipped,
            int exposed) {
        int size() {
            return pending + undecided + healthy + failed + withdrawn + recalled + skipped;
        }
    }

    static List<Counts> counts(DSLContext sql, long rollout) {
        return sql.fetch(
                        "select number, pending, undecided, healthy, failed, withdrawn, recalled, skipped, exposed"
                                + " from rollout_batch where rollout = ? order by number",
                        rollout)
                .map(row -> new Counts(
                        row.get(0, Integer.class),
                        row.get(1, Integer.class),
                        row.get(2, Integer.class),
                        row.get(3, Integer.class),
                        row.get(4, Integer.class),
                        row.get(5, Integer.class),
                        row.get(6, Integer.class),
                        row.get(7, Integer.class),
                        row.get(8, Integer.class)));
    }

    /// Moves one device of a batch from one count to another.
    static void count(DSLContext sql, long rollout, int batch, MemberState from, MemberState to) {
        String minus = column(from);
        String plus = column(to);
        if (!minus.equals(plus)) {
            sql.execute(
                    "update rollout_batch set " + minus + " = " + minus + " - 1, " + plus + " = " + plus
                            + " + 1 where rollout = ? and number = ?",
                    rollout,
                    batch);
        }
    }

    static void countExposed(DSLContext sql, long rollout, int batch) {
        sql.execute("update rollout_batch set exposed = exposed + 1 where rollout = ? and number = ?", rollout, batch);
    }

    private static String column(MemberState state) {
        return switch (state) {
            case PENDING -> "pending";
            case OFFERED, DOWNLOADING, DOWNLOADED, INSTALLED -> "undecided";
            case HEALTHY -> "healthy";
            case FAILED -> "failed";
            case WITHDRAWN -> "withdrawn";
            case RECALLED -> "recalled";
            case SKIPPED -> "skipped";
        };
    }

    /// Counts anew after a change of many devices.
    static void recount(DSLContext sql, long rollout, int batches) {
        sql.execute(
                "insert into rollout_batch(rollout, number, pending, undecided, healthy, failed, withdrawn, recalled,"
                        + " skipped, exposed) select ?, n,"
                        + " count(*) filter (where state = 'pending'),"
                        + " count(*) filter (where state in ('offered','downloading','downloaded','installed')),"
                        + " count(*) filter (where state = 'healthy'), count(*) filter (where state = 'failed'),"
                        + " count(*) filter (where state = 'withdrawn'), count(*) filter (where state = 'recalled'),"
                        + " count(*) filter (where state = 'skipped'), count(exposed_at)"
                        + " from generate_series(0, ?) n"
                        + " left join rollout_device d on d.rollout = ? and d.batch = n group by n"
                        + " on conflict (rollout, number) do update set pending = excluded.pending,"
                        + " undecided = excluded.undecided, healthy = excluded.healthy, failed = excluded.failed,"
                        + " withdrawn = excluded.withdrawn, recalled = excluded.recalled,"
                        + " skipped = excluded.skipped, exposed = excluded.exposed",
                rollout,
                batches - 1,
                rollout);
    }

    static void putWindows(DSLContext sql, Environment environment, String site, List<MaintenanceWindow> windows) {
        sql.execute(
                "insert into rollout_window(environment, site, windows) values (?,?,?::jsonb)"
                        + " on conflict (environment, site) do update set windows = excluded.windows",
                environment.value(),
                site,
                Json.text(windows));
    }

    /// Keyed by `environment/site`.
    static Map<String, List<MaintenanceWindow>> windows(DSLContext sql) {
        Map<String, List<MaintenanceWindow>> all = new TreeMap<>();
        sql.fetch("select environment, site, windows::text from rollout_window")
                .forEach(row -> all.put(
                        row.get(0, String.class) + "/" + row.get(1, String.class),
                        read(row.get(2, String.class), new TypeReference<List<MaintenanceWindow>>() {})));
        return all;
    }

    private static RolloutRow row(Record row) {
        return new RolloutRow(
                row.get(0, Long.class),
                new Environment(row.get(1, String.class)),
                read(row.get(2, String.class), new TypeReference<Plan>() {}),
                RolloutRow.Kind.of(row.get(3, String.class)),
                Optional.ofNullable(row.get(4, Long.class)),
                RolloutState.of(row.get(5, String.class)),
                row.get(6, String.class),
                row.get(7, OffsetDateTime.class).toInstant(),
                row.get(8, Long.class),
                row.get(9, Boolean.class),
                row.get(10, Integer.class),
                row.get(11, OffsetDateTime.class).toInstant(),
                row.get(12, Integer.class),
                row.get(13, Integer.class),
                row.get(14, Long.class),
                instant(row.get(15, OffsetDateTime.class)),
                instant(row.get(16, OffsetDateTime.class)),
                row.get(17, OffsetDateTime.class).toInstant());
    }

    static Optional<Instant> instant(@Nullable OffsetDateTime time) {
        return Optional.ofNullable(time).map(OffsetDateTime::toInstant);
    }

    static OffsetDateTime utc(Instant at) {
        return at.atOffset(ZoneOffset.UTC);
    }

    private static <T> T read(String json, TypeReference<T> type) {
        try {
            return Json.mapper().readValue(json, type);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a stored rollout can't be read", e);
        }
    }
}
