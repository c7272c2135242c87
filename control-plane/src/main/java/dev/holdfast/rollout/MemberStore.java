package dev.holdfast.rollout;

import dev.holdfast.core.DeviceRef;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jooq.DSLContext;
import org.jooq.Record;

/// The tables of devices in rollouts and of what they said.
final class MemberStore {
    private static final String COLUMNS = "rollout, environment, device, action, batch, state, granted_at, deadline,"
            + " exposed_at, installed_at, reported_at, cancel, reason";
    private static final String UNDECIDED = "('offered','downloading','downloaded','installed')";
    private static final int MOST_FEEDBACK = 50;
    private static final int PAGE = 5_000;

    private MemberStore() {}

    static void insert(DSLContext sql, long rollout, List<Assignment> assignments) {
        for (int from = 0; from < assignments.size(); from += PAGE) {
            List<Assignment> page = assignments.subList(from, Math.min(from + PAGE, assignments.size()));
            sql.execute(
                    "insert into rollout_device(rollout, environment, device, batch, state)"
                            + " select ?, ?, d, b, 'pending' from unnest(?::text[], ?::int[]) as t(d, b)",
                    rollout,
                    page.getFirst().device().environment().value(),
                    page.stream().map(a -> a.device().id().value()).toArray(String[]::new),
                    page.stream().map(Assignment::batch).toArray(Integer[]::new));
        }
    }

    record Assignment(DeviceRef device, int batch) {}

    /// Everyone who was exposed to the parent's release becomes a member of the way back.
    ///
    /// @return how many
    static int insertExposed(DSLContext sql, long wayBack, long parent) {
        return sql.execute(
                "insert into rollout_device(rollout, environment, device, batch, state)"
                        + " select ?, environment, device, 0, 'pending' from rollout_device"
                        + " where rollout = ? and exposed_at is not null",
                wayBack,
                parent);
    }

    static boolean insertLate(DSLContext sql, long wayBack, DeviceRef device) {
        return sql.execute(
                        "insert into rollout_device(rollout, environment, device, batch, state)"
                                + " values (?, ?, ?, 0, 'pending') on conflict do nothing",
                        wayBack,
                        device.environment().value(),
                        device.id().value())
                == 1;
    }

    static List<MemberRow> all(DSLContext sql, long rollout, String after, int limit) {
        return sql.fetch(
                        "select " + COLUMNS + " from rollout_device where rollout = ? and device > ?"
                                + " order by device limit ?",
                        rollout,
                        after,
                        limit)
                .map(MemberStore::row);
    }

    static List<MemberRow> list(
            DSLContext sql,
            long rollout,
            Optional<Integer> batch,
            Optional<MemberState> state,
            String after,
            int limit) {
        return sql.fetch(
                        "select " + COLUMNS + " from rollout_device where rollout = ? and device > ?"
                                + " and (?::int is null or batch = ?) and (?::text is null or state = ?)"
                                + " order by device limit ?",
                        rollout,
                        after,
                        batch.orElse(null),
                        batch.orElse(null),
                        state.map(MemberState::text).orElse(null),
                        state.map(MemberState::text).orElse(null),
                        limit)
                .map(MemberStore::row);
    }

    static Optional<MemberRow> find(DSLContext sql, long rollout, DeviceRef device) {
        return sql.fetchOptional(
                        "select " + COLUMNS + " from rollout_device where rollout = ? and device = ?",
                        rollout,
                        device.id().value())
                .map(MemberStore::row);
    }

    static Optional<MemberRow> byAction(DSLContext sql, long action) {
        return sql.fetchOptional("select " + COLUMNS + " from rollout_device where action = ?", action)
                .map(MemberStore::row);
    }

    static List<MemberRow> undecided(DSLContext sql, long rollout) {
        return sql.fetch(
                        "select " + COLUMNS + " from rollout_device where rollout = ? and state in " + UNDECIDED
                                + " order by device",
                        rollout)
                .map(MemberStore::row);
    }

    static List<MemberRow> pending(DSLContext sql, long rollout, int limit) {
        return sql.fetch(
                        "select " + COLUMNS + " from rollout_device where rollout = ? and state = 'pending'"
                                + " order by device limit ?",
                        rollout,
                        limit)
                .map(MemberStore::row);
    }

    static List<MemberRow> cancelsAsked(DSLContext sql) {
        return sql.fetch("select " + COLUMNS + " from rollout_device where cancel = 'asked'")
                .map(MemberStore::row);
    }

    /// @return false when the device is not pending (any more), or has another undecided action
    static boolean offer(DSLContext sql, long rollout, DeviceRef device, Instant now, Duration timeout) {
        return sql.execute(
                        "update rollout_device set state = 'offered', granted_at = ?, deadline = ?"
                                + " where rollout = ? and device = ? and state = 'pending' and not exists"
                                + " (select 1 from rollout_device o where o.environment = ? and o.device = ?"
                                + " and o.state in " + UNDECIDED + ")",
                        RolloutStore.utc(now),
                        RolloutStore.utc(now.plus(timeout)),
                        rollout,
                        device.id().value(),
                        device.environment().value(),
                        device.id().value())
                == 1;
    }

    /// @return false when the device was not in that state
    static boolean setState(DSLContext sql, MemberRow member, MemberState to, Optional<String> reason, Instant now) {
        return sql.execute(
                        "update rollout_device set state = ?, reason = coalesce(?, reason),"
                                + " decided_at = case when ? then ? else decided_at end,"
                                + " installed_at = case when ? and installed_at is null then ? else installed_at end"
                                + " where rollout = ? and device = ? and state = ?",
                        to.text(),
                        reason.orElse(null),
                        !to.undecided(),
                        RolloutStore.utc(now),
                        to == MemberState.INSTALLED,
                        RolloutStore.utc(now),
                        member.rollout(),
                        member.device().id().value(),
                        member.state().text())
                == 1;
    }

    /// @return false when it was exposed before
    static boolean setExposed(DSLContext sql, MemberRow member, Instant now) {
        return sql.execute(
                        "update rollout_device set exposed_at = ? where rollout = ? and device = ?"
                                + " and exposed_at is null",
                        RolloutStore.utc(now),
                        member.rollout(),
                        member.device().id().value())
                == 1;
    }

    static void setReported(DSLContext sql, MemberRow member, Instant at) {
        sql.execute(
                "update rollout_device set reported_at = ? where rollout = ? and device = ? and reported_at is null",
                RolloutStore.utc(at),
                member.rollout(),
                member.device().id().value());
    }

    static void setCancel(DSLContext sql, MemberRow member, MemberRow.Cancel cancel) {
        sql.execute(
                "update rollout_device set cancel = ? where rollout = ? and device = ?",
                cancel.name().toLowerCase(Locale.ROOT),
                member.rollout(),
                member.device().id().value());
    }

    /// Takes back what was offered and not downloaded, and recalls what was downloaded and is undecided.
    ///
    /// @return how many were withdrawn
    static int withdraw(DSLContext sql, long rollout, Instant now) {
        sql.execute(
                "update rollout_device set state = 'recalled', decided_at = ?,"
                        + " cancel = case when state = 'installed' then null else 'asked' end where rollout = ?"
                        + " and exposed_at is not null and state in " + UNDECIDED,
                RolloutStore.utc(now),
                rollout);
        return sql.execute(
                "update rollout_device set state = 'withdrawn', decided_at = ?, cancel = 'asked' where rollout = ?"
                        + " and state in " + UNDECIDED,
                RolloutStore.utc(now),
                rollout);
    }

    /// After a pause: the time that devices were given is not used up by it.
    static void extendDeadlines(DSLContext sql, long rollout, Duration by) {
        sql.execute(
                "update rollout_device set deadline = deadline + make_interval(secs => ?) where rollout = ?"
                        + " and state in " + UNDECIDED,
                by.toMillis() / 1000.0,
                rollout);
    }

    /// @return false when the action has said enough
    static boolean addFeedback(DSLContext sql, long action, Feedback feedback, Instant now) {
        return sql.execute(
                        "insert into rollout_feedback(action, number, at, execution, result, details)"
                                + " select ?, coalesce(max(number), 0) + 1, ?, ?, ?, ? from rollout_feedback"
                                + " where action = ? having coalesce(max(number), 0) < ?",
                        action,
                        RolloutStore.utc(now),
                        feedback.execution(),
                        feedback.result(),
                        feedback.details(),
                        action,
                        MOST_FEEDBACK)
                == 1;
    }

    static List<String> feedback(DSLContext sql, long action) {
        return sql.fetch(
                        "select at, execution, result, details from rollout_feedback where action = ? order by number",
                        action)
                .map(row -> row.get(0, OffsetDateTime.class).toInstant() + " " + row.get(1, String.class) + " "
                        + row.get(2, String.class) + " " + row.get(3, String.class));
    }

    private static MemberRow row(Record row) {
        return new MemberRow(
                row.get(0, Long.class),
                DeviceRef.of(row.get(1, String.class), row.get(2, String.class)),
                row.get(3, Long.class),
                row.get(4, Integer.class),
                MemberState.of(row.get(5, String.class)),
                RolloutStore.instant(row.get(6, OffsetDateTime.class)),
                RolloutStore.instant(row.get(7, OffsetDateTime.class)),
                RolloutStore.instant(row.get(8, OffsetDateTime.class)),
                RolloutStore.instant(row.get(9, OffsetDateTime.class)),
                RolloutStore.instant(row.get(10, OffsetDateTime.class)),
                Optional.ofNullable(row.get(11, String.class))
                        .map(text -> MemberRow.Cancel.valueOf(text.toUpperCase(Locale.ROOT))),
                Optional.ofNullable(row.get(12, String.class)));
    }

    /// Makes sure that a number which was given out already, as another record says, is not given again.
    ///
    /// @param furthest a jump beyond this is no honest number and is ignored
    static void skipNumbers(DSLContext sql, String table, String column, long given, long furthest) {
        sql.execute(
                "select setval(s.name, ?) from (select pg_get_serial_sequence(?, ?)::regclass as name) s,"
                        + " lateral (select coalesce(pg_sequence_last_value(s.name), 0) as last) l"
                        + " where ? > l.last and ? < l.last + ?",
                given,
                table,
                column,
                given,
                given,
                furthest);
    }
}
