package dev.holdfast.sight;

import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Environment;
import dev.holdfast.core.Serial;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jooq.DSLContext;

/// What sight reads of the table of certificates, and its own tables.
final class SightStore {
    private static final int MOST_ROGUES = 1_000;
    /// A device's certificates that count; the one that ends last is what it lives on.
    private static final String LAST_ENDS =
            "select max(not_after) as ends from certificate where environment = ? and device is not null"
                    + " and state in ('pending','current') and not held group by device";

    private SightStore() {}

    /// How many devices' last certificates end in each hour.
    static Map<Instant, Long> endings(DSLContext sql, Environment environment, Instant now) {
        Map<Instant, Long> all = new HashMap<>();
        sql.fetch(
                        "select date_trunc('hour', ends, 'UTC'), count(*) from (" + LAST_ENDS + ") d where ends >= ?"
                                + " group by 1",
                        environment.value(),
                        utc(now))
                .forEach(row -> all.put(row.get(0, OffsetDateTime.class).toInstant(), row.get(1, Long.class)));
        return all;
    }

    static long ended(DSLContext sql, Environment environment, Instant now) {
        return sql.fetchSingle(
                        "select count(*) from (" + LAST_ENDS + ") d where ends < ?", environment.value(), utc(now))
                .get(0, Long.class);
    }

    /// The most certificates that were issued to devices within an hour.
    static long mostIssuedInAnHour(DSLContext sql, Environment environment, Instant since) {
        return Optional.ofNullable(sql.fetchSingle(
                                "select max(n) from (select count(*) as n from certificate where environment = ?"
                                        + " and device is not null and issued_at >= ?"
                                        + " group by date_trunc('hour', issued_at)) h",
                                environment.value(),
                                utc(since))
                        .get(0, Long.class))
                .orElse(0L);
    }

    /// Keys that look alike from outside: of one profile, length and beginning.
    ///
    /// @param example one of them, SubjectPublicKeyInfo
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record Alike(String profile, long certificates, byte[] example) {}

    static List<Alike> keys(DSLContext sql, Environment environment, Instant now) {
        return sql.fetch(
                        "select profile, count(*), min(public_key) from certificate where environment = ?"
                                + " and device is not null and state in ('pending','current') and not_after > ?"
                                + " group by profile, length(public_key), substring(public_key from 1 for 25)"
                                + " order by 2 desc limit 200",
                        environment.value(),
                        utc(now))
                .map(row -> new Alike(row.get(0, String.class), row.get(1, Long.class), row.get(2, byte[].class)));
    }

    /// A certificate that something is to be said about.
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record Concerned(
            Serial serial, DeviceRef device, String profile, Instant notBefore, Instant notAfter, byte[] publicKey) {}

    /// Those with keys alike, that were not told of.
    static List<Concerned> alike(
            DSLContext sql, Environment environment, Alike group, String concern, Instant now, int limit) {
        return concerned(
                sql,
                environment,
                "profile = ? and length(public_key) = ? and substring(public_key from 1 for 25) ="
                        + " substring(?::bytea from 1 for 25) and not_after > ?",
                concern,
                limit,
                group.profile(),
                group.example().length,
                group.example(),
                utc(now));
    }

    /// Devices' last certificates whose end is near by their own measure: a tenth of their life, at most a
    /// week.
    static List<Concerned> ending(DSLContext sql, Environment environment, Instant now, int limit) {
        return concerned(
                sql,
                environment,
                "not_after > ? and not_after < ?::timestamptz + least(interval '7 days', (not_after - not_before) / 10)"
                        + " and state = 'current' and not exists (select 1 from certificate newer"
                        + " where newer.environment = certificate.environment and newer.device = certificate.device"
                        + " and newer.state = 'pending' and newer.not_after > certificate.not_after)",
                Sweep.ENDING,
                limit,
                utc(now),
                utc(now));
    }

    private static List<Concerned> concerned(
            DSLContext sql, Environment environment, String which, String concern, int limit, Object... bindings) {
        Object[] all = new Object[bindings.length + 3];
        all[0] = environment.value();
        System.arraycopy(bindings, 0, all, 1, bindings.length);
        all[bindings.length + 1] = concern;
        all[bindings.length + 2] = limit;
        return sql.fetch(
                        "select serial, environment, device, profile, not_before, not_after, public_key from certificate"
                                + " where environment = ? and device is not null and state in ('pending','current')"
                                + " and not held and " + which
                                + " and not exists (select 1 from certificate_concern c where c.environment ="
                                + " certificate.environment and c.concern = ? and c.subject = certificate.serial)"
                                + " order by not_after, serial limit ?",
                        all)
                .map(row -> new Concerned(
                        new Serial(row.get(0, String.class)),
                        DeviceRef.of(row.get(1, String.class), row.get(2, String.class)),
                        row.get(3, String.class),
                        row.get(4, OffsetDateTime.class).toInstant(),
                        row.get(5, OffsetDateTime.class).toInstant(),
                        row.get(6, byte[].class)));
    }

    static void told(DSLContext sql, Environment environment, String concern, List<String> subjects, Instant now) {
        sql.execute(
                "insert into certificate_concern(environment, concern, subject, told_at)"
                        + " select ?, ?, s, ?::timestamptz from unnest(?::text[]) s"
                        + " on conflict (environment, concern, subject) do update set told_at = excluded.told_at",
                environment.value(),
                concern,
                utc(now),
                subjects.toArray(String[]::new));
    }

    static Optional<Instant> toldAt(DSLContext sql, Environment environment, String concern, String subject) {
        return sql.fetchOptional(
                        "select told_at from certificate_concern where environment = ? and concern = ? and subject = ?",
                        environment.value(),
                        concern,
                        subject)
                .map(row -> row.get(0, OffsetDateTime.class).toInstant());
    }

    /// What was told of certificates that are over is not needed any more.
    static void forget(DSLContext sql, Instant before) {
        sql.execute("delete from certificate_concern where told_at < ?", utc(before));
    }

    /// @return true when it is this caller's turn, which nobody has within the interval
    static boolean takeTurn(DSLContext sql, Instant now, Instant lastBefore) {
        boolean mine = sql.fetchOptional(
                        "select 1 from sight_turn where last_at <= ? for update skip locked", utc(lastBefore))
                .isPresent();
        return mine && sql.execute("update sight_turn set last_at = ?", utc(now)) == 1;
    }

    /// Whether it is really not one that we issued: news of a new one may be late, and one of another content
    /// under a serial of ours is as foreign as any.
    static boolean isRecorded(DSLContext sql, Serial serial, byte[] der) {
        return sql.fetchOptional("select 1 from certificate where serial = ? and der = ?", serial.hex(), der)
                .isPresent();
    }

    /// @return when it was last seen before; empty for the first time, and when there is no room for another
    static Optional<Instant> sawRogue(DSLContext sql, Environment environment, Rogue rogue, Instant now) {
        Optional<Instant> before = sql.fetchOptional(
                        "select last_seen_at from rogue_certificate where fingerprint = ? for update",
                        rogue.fingerprint())
                .map(row -> row.get(0, OffsetDateTime.class).toInstant());
        if (before.isPresent()) {
            sql.execute(
                    "update rogue_certificate set last_seen_at = ?, times = times + ?, remote_address = ?"
                            + " where fingerprint = ?",
                    utc(now),
                    rogue.times(),
                    rogue.remoteAddress(),
                    rogue.fingerprint());
            return before;
        }
        sql.execute(
                "insert into rogue_certificate(fingerprint, environment, authority, serial, subject, first_seen_at,"
                        + " last_seen_at, times, remote_address, der)"
                        + " select ?, ?, ?, ?, ?, ?::timestamptz, ?::timestamptz, ?, ?, ?"
                        + " where (select count(*) from rogue_certificate) < ?"
                        + " on conflict (fingerprint) do nothing",
                rogue.fingerprint(),
                environment.value(),
                rogue.authority(),
                rogue.serial().hex(),
                rogue.subject(),
                utc(now),
                utc(now),
                rogue.times(),
                rogue.remoteAddress(),
                rogue.der(),
                MOST_ROGUES);
        return Optional.empty();
    }

    static List<Rogue> rogues(DSLContext sql, Environment environment, int limit) {
        return sql.fetch(
                        "select fingerprint, authority, serial, subject, first_seen_at, last_seen_at, times,"
                                + " remote_address, der from rogue_certificate where environment = ?"
                                + " order by last_seen_at desc limit ?",
                        environment.value(),
                        limit)
                .map(row -> new Rogue(
                        row.get(0, String.class),
                        row.get(1, String.class),
                        new Serial(row.get(2, String.class)),
                        row.get(3, String.class),
                        row.get(4, OffsetDateTime.class).toInstant(),
                        row.get(5, OffsetDateTime.class).toInstant(),
                        row.get(6, Long.class),
                        row.get(7, String.class),
                        row.get(8, byte[].class)));
    }

    /// Findings of shared keys, newest first.
    static List<KeyCensus.Shared> shared(DSLContext sql, Environment environment, int limit) {
        return sql.fetch(
                        "select distinct on (device) device, at, seen from finding where environment = ?"
                                + " and cause = 'KEY_SHARED' order by device, at desc limit ?",
                        environment.value(),
                        limit)
                .map(row -> new KeyCensus.Shared(
                        row.get(0, String.class),
                        row.get(1, OffsetDateTime.class).toInstant(),
                        row.get(2, String.class)));
    }

    private static OffsetDateTime utc(Instant at) {
        return at.atOffset(ZoneOffset.UTC);
    }
}
