package dev.holdfast.rollover;

import dev.holdfast.core.DeviceId;
import dev.holdfast.core.Environment;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jooq.DSLContext;
import org.jooq.Record;
import org.jspecify.annotations.Nullable;

/// The table of rollovers, and who depends on which authority, asked of the certificates themselves.
final class RolloverStore {
    private static final String COLUMNS =
            "id, environment, kind, old_authority, new_authority, phase, reason, started_by,"
                    + " started_at, moved_at, ended_at, per_hour, distrust_at";
    /// A certificate that its device may still use.
    private static final String COUNTS = "device is not null and state in ('pending','current') and not_after > ?";

    private static final String NOT_TRUSTING =
            "not exists (select 1 from trust_acknowledgement a where a.root_sha256 = ? and a.environment = c.environment"
                    + " and a.device = c.device)";

    private RolloverStore() {}

    static void insert(DSLContext sql, Rollover rollover) {
        sql.execute(
                "insert into rollover(" + COLUMNS + ") values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?::timestamptz,"
                        + " ?::timestamptz, ?, ?::timestamptz)",
                rollover.id(),
                rollover.environment().map(Environment::value).orElse(""),
                rollover.kind().text(),
                rollover.oldAuthority(),
                rollover.newAuthority(),
                rollover.phase().text(),
                rollover.reason(),
                rollover.startedBy(),
                utc(rollover.startedAt()),
                rollover.movedAt().map(RolloverStore::utc).orElse(null),
                null,
                rollover.perHour(),
                rollover.distrustAt().map(RolloverStore::utc).orElse(null));
    }

    static Optional<Rollover> find(DSLContext sql, String id, boolean lock) {
        return sql.fetchOptional("select " + COLUMNS + " from rollover where id = ?" + (lock ? " for update" : ""), id)
                .map(RolloverStore::rollover);
    }

    /// Newest first; those of this environment and of roots.
    static List<Rollover> list(DSLContext sql, Environment environment) {
        return sql.fetch(
                        "select " + COLUMNS + " from rollover where environment in (?, '') order by started_at desc, id"
                                + " limit 200",
                        environment.value())
                .map(RolloverStore::rollover);
    }

    static boolean open(DSLContext sql, String authority) {
        return sql.fetchOptional(
                        "select 1 from rollover where phase in ('ready','moving') and (old_authority = ? or"
                                + " new_authority = ?) limit 1",
                        authority,
                        authority)
                .isPresent();
    }

    /// Of roots that are being introduced, the one that no other node is at; locked.
    static Optional<Rollover> takeRoot(DSLContext sql, String id) {
        return sql.fetchOptional(
                        "select " + COLUMNS + " from rollover where id = ? and kind = 'root' and phase in"
                                + " ('ready','moving') for update skip locked",
                        id)
                .map(RolloverStore::rollover);
    }

    static List<String> openRoots(DSLContext sql) {
        return sql.fetch("select id from rollover where kind = 'root' and phase in ('ready','moving') order by id")
                .map(row -> row.get(0, String.class));
    }

    /// Emergencies whose time is over.
    static List<String> due(DSLContext sql, Instant now) {
        return sql.fetch("select id from rollover where phase = 'moving' and distrust_at <= ?", utc(now))
                .map(row -> row.get(0, String.class));
    }

    static void moved(DSLContext sql, String id, Instant now) {
        sql.execute("update rollover set phase = 'moving', moved_at = ? where id = ?", utc(now), id);
    }

    static void ended(DSLContext sql, String id, Rollover.Phase phase, Instant now) {
        sql.execute("update rollover set phase = ?, ended_at = ? where id = ?", phase.text(), utc(now), id);
    }

    /// Devices with a certificate of one of these authorities that still counts.
    static RolloverPolicy.Facts someDepending(DSLContext sql, List<String> authorities, Instant now, int limit) {
        return missing(sql, "authority = any(?::text[])", List.of((Object) array(authorities)), now, limit);
    }

    /// Devices with a certificate that counts which have not said that they trust this root.
    static RolloverPolicy.Facts notTrusting(DSLContext sql, String root, Instant now, int limit) {
        return missing(sql, NOT_TRUSTING, List.of(root), now, limit);
    }

    /// Devices of either sort.
    static RolloverPolicy.Facts dependingOrNotTrusting(
            DSLContext sql, List<String> authorities, String root, Instant now, int limit) {
        return missing(
                sql,
                "(authority = any(?::text[]) or " + NOT_TRUSTING + ")",
                List.of(array(authorities), root),
                now,
                limit);
    }

    private static RolloverPolicy.Facts missing(
            DSLContext sql, String condition, List<Object> bindings, Instant now, int limit) {
        List<Object> all = new ArrayList<>(bindings);
        all.add(utc(now));
        String from = " from certificate c where " + condition + " and " + COUNTS;
        long count = count(sql, "select count(distinct (environment, device))" + from, all.toArray());
        all.add(limit);
        return new RolloverPolicy.Facts(
                count,
                count == 0
                        ? List.of()
                        : sql.fetch("select distinct device" + from + " order by device limit ?", all.toArray())
                                .map(row -> new DeviceId(row.get(0, String.class))));
    }

    /// Devices that use a certificate of one of these authorities.
    static long moved(DSLContext sql, List<String> authorities, Instant now) {
        return count(
                sql,
                "select count(distinct (environment, device)) from certificate where authority = any(?::text[])"
                        + " and device is not null and state = 'current' and not_after > ?",
                array(authorities),
                utc(now));
    }

    static long movedSince(DSLContext sql, List<String> authorities, Instant since) {
        return count(
                sql,
                "select count(distinct (environment, device)) from certificate where authority = any(?::text[])"
                        + " and device is not null and activated_at > ?",
                array(authorities),
                utc(since));
    }

    /// Devices with a certificate that counts, of the environment or, where it is empty, of all.
    static long devices(DSLContext sql, String environment, Instant now) {
        return count(
                sql,
                "select count(distinct (environment, device)) from certificate where (? = '' or environment = ?) and "
                        + COUNTS,
                environment,
                environment,
                utc(now));
    }

    static void waive(DSLContext sql, String rollover, Waiver waiver) {
        sql.execute(
                "insert into rollover_waiver(rollover, person, reason, devices, at) values (?, ?, ?, ?, ?)"
                        + " on conflict (rollover, person) do update set reason = excluded.reason,"
                        + " devices = excluded.devices, at = excluded.at",
                rollover,
                waiver.person(),
                waiver.reason(),
                waiver.devices(),
                utc(waiver.at()));
    }

    static List<Waiver> waivers(DSLContext sql, String rollover) {
        return sql.fetch(
                        "select person, reason, devices, at from rollover_waiver where rollover = ? order by at, person",
                        rollover)
                .map(row -> new Waiver(
                        row.get(0, String.class),
                        row.get(1, String.class),
                        row.get(2, Long.class),
                        row.get(3, OffsetDateTime.class).toInstant()));
    }

    static long count(DSLContext sql, String question, Object... bindings) {
        return sql.fetchSingle(question, bindings).get(0, Long.class);
    }

    static String[] array(List<String> texts) {
        return texts.toArray(String[]::new);
    }

    private static Rollover rollover(Record row) {
        String environment = row.get(1, String.class);
        return new Rollover(
                row.get(0, String.class),
                environment.isEmpty() ? Optional.empty() : Optional.of(new Environment(environment)),
                Rollover.Kind.of(row.get(2, String.class)),
                row.get(3, String.class),
                row.get(4, String.class),
                Rollover.Phase.of(row.get(5, String.class)),
                row.get(6, String.class),
                row.get(7, String.class),
                row.get(8, OffsetDateTime.class).toInstant(),
                instant(row.get(9, OffsetDateTime.class)),
                instant(row.get(10, OffsetDateTime.class)),
                row.get(11, Integer.class),
                instant(row.get(12, OffsetDateTime.class)));
    }

    private static Optional<Instant> instant(@Nullable OffsetDateTime time) {
        return Optional.ofNullable(time).map(OffsetDateTime::toInstant);
    }

    static OffsetDateTime utc(Instant at) {
        return at.atOffset(ZoneOffset.UTC);
    }
}
