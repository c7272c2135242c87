package dev.holdfast.sight;

import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Environment;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jooq.DSLContext;
import org.jooq.Record;

/// The tables of who did not come in, and of whence devices come.
final class FailedAttemptStore {
    private static final String COLUMNS = "environment, device, host, stage, cause, shelf, subject, detail,"
            + " remote_address, first_at, last_at, times";

    private FailedAttemptStore() {}

    /// @param attempts each key once, in the order of their keys, so that two nodes can't wait for each other
    static void write(DSLContext sql, Collection<FailedAttempt> attempts) {
        int count = attempts.size();
        String[][] texts = new String[8][count];
        Integer[] shelves = new Integer[count];
        OffsetDateTime[][] at = new OffsetDateTime[2][count];
        Long[] times = new Long[count];
        int i = 0;
        for (FailedAttempt a : attempts) {
            String[] row = {
                a.environment().value(),
                a.device(),
                a.host(),
                a.stage().name(),
                a.cause(),
                a.subject(),
                a.detail(),
                a.remoteAddress()
            };
            for (int column = 0; column < row.length; column++) {
                texts[column][i] = row[column];
            }
            shelves[i] = a.shelf().stored;
            at[0][i] = utc(a.firstAt());
            at[1][i] = utc(a.lastAt());
            times[i++] = a.times();
        }
        sql.execute(
                "insert into failed_attempt as f (environment, device, host, stage, cause, subject, detail,"
                        + " remote_address, shelf, first_at, last_at, times)"
                        + " select * from unnest(?::text[], ?::text[], ?::text[], ?::text[], ?::text[], ?::text[],"
                        + " ?::text[], ?::text[], ?::smallint[], ?::timestamptz[], ?::timestamptz[], ?::bigint[])"
                        + " on conflict (environment, device, host, stage, cause) do update set"
                        + " shelf = least(f.shelf, excluded.shelf), subject = excluded.subject,"
                        + " detail = excluded.detail, remote_address = excluded.remote_address,"
                        + " first_at = least(f.first_at, excluded.first_at),"
                        + " last_at = greatest(f.last_at, excluded.last_at), times = f.times + excluded.times",
                texts[0],
                texts[1],
                texts[2],
                texts[3],
                texts[4],
                texts[5],
                texts[6],
                texts[7],
                shelves,
                at[0],
                at[1],
                times);
    }

    /// Takes away the oldest lines of a device or a host that are too many on their shelf. Lines that another node is
    /// writing are left for the next time.
    ///
    /// @param subjects devices, or hosts where no device is named
    static void trimEach(DSLContext sql, Collection<String> environments, Shelf shelf, Collection<String> subjects) {
        boolean hosts = shelf == Shelf.STRANGER;
        for (boolean byHost : hosts ? List.of(true) : List.of(false, true)) {
            String subject = byHost ? "host" : "device";
            sql.execute(
                    "delete from failed_attempt where (environment, device, host, stage, cause) in ("
                            + "select environment, device, host, stage, cause from failed_attempt where ctid in ("
                            + "select id from (select ctid as id, row_number() over (partition by environment, "
                            + subject
                            + " order by last_at desc) as place from failed_attempt where environment = any(?)"
                            + " and shelf = ? and " + subject + " = any(?) and device " + (byHost ? "=" : "<>")
                            + " '') ranked where place > ?) for update skip locked)",
                    environments.toArray(String[]::new),
                    shelf.stored,
                    subjects.toArray(String[]::new),
                    shelf.mostEach);
        }
    }

    /// Takes away what is too old, and the oldest of each shelf that holds too many.
    static void trimAll(DSLContext sql, Instant linesBefore, Instant hostsBefore) {
        sql.execute("delete from failed_attempt where last_at < ?", utc(linesBefore));
        sql.execute("delete from device_host where at < ?", utc(hostsBefore));
        for (Shelf shelf : Shelf.values()) {
            sql.execute(
                    "delete from failed_attempt where shelf = ? and last_at <= (select last_at from failed_attempt"
                            + " where shelf = ? order by last_at desc offset ? limit 1)",
                    shelf.stored,
                    shelf.stored,
                    shelf.mostOverAll);
        }
    }

    /// Whether this node takes lines away now: one of them does so, every so often.
    static boolean takeTurn(DSLContext sql, Instant now, Instant lastBefore) {
        return sql.execute(
                        "update failed_attempt_turn set last_at = ? where ctid in (select ctid from"
                                + " failed_attempt_turn where last_at < ? for update skip locked)",
                        utc(now),
                        utc(lastBefore))
                > 0;
    }

    /// Of the device, and those that name nobody from one of its hosts; newest first.
    static List<FailedAttempt> of(DSLContext sql, DeviceRef device, Collection<String> hosts, int limit) {
        return sql.fetch(
                        "select " + COLUMNS + " from failed_attempt where environment = ? and (device = ?"
                                + " or (device = '' and host = any(?))) order by last_at desc limit ?",
                        device.environment().value(),
                        device.id().value(),
                        hosts.toArray(String[]::new),
                        limit)
                .map(FailedAttemptStore::attempt);
    }

    /// Newest first.
    ///
    /// @param host only of this one; empty for all
    static List<FailedAttempt> last(DSLContext sql, Environment environment, String host, int limit) {
        return sql.fetch(
                        "select " + COLUMNS + " from failed_attempt where environment = ?"
                                + " and (? = '' or host = ?) order by last_at desc limit ?",
                        environment.value(),
                        host,
                        host,
                        limit)
                .map(FailedAttemptStore::attempt);
    }

    private static FailedAttempt attempt(Record row) {
        return new FailedAttempt(
                new Environment(row.get(0, String.class)),
                row.get(1, String.class),
                row.get(2, String.class),
                Attempt.Stage.valueOf(row.get(3, String.class)),
                row.get(4, String.class),
                Shelf.of(row.get(5, Integer.class)),
                row.get(6, String.class),
                row.get(7, String.class),
                row.get(8, String.class),
                row.get(9, OffsetDateTime.class).toInstant(),
                row.get(10, OffsetDateTime.class).toInstant(),
                row.get(11, Long.class));
    }

    static void writeHosts(DSLContext sql, List<DeviceHosts.Seen> seen, Instant afresh) {
        sql.execute(
                "insert into device_host as h (environment, device, host, at)"
                        + " select * from unnest(?::text[], ?::text[], ?::text[], ?::timestamptz[])"
                        + " on conflict (environment, device) do update set host = excluded.host, at = excluded.at"
                        + " where h.host <> excluded.host or h.at < ?",
                seen.stream().map(s -> s.device().environment().value()).toArray(String[]::new),
                seen.stream().map(s -> s.device().id().value()).toArray(String[]::new),
                seen.stream().map(DeviceHosts.Seen::host).toArray(String[]::new),
                seen.stream().map(s -> utc(s.at())).toArray(OffsetDateTime[]::new),
                utc(afresh));
    }

    static Optional<String> host(DSLContext sql, DeviceRef device) {
        return sql.fetchOptional(
                        "select host from device_host where environment = ? and device = ?",
                        device.environment().value(),
                        device.id().value())
                .map(row -> row.get(0, String.class));
    }

    /// Which of these are hosts of devices of ours.
    static Set<String> homes(DSLContext sql, Environment environment, Collection<String> hosts) {
        return new HashSet<>(sql.fetch(
                        "select h.host from unnest(?::text[]) h(host) where exists (select from device_host d"
                                + " where d.environment = ? and d.host = h.host)",
                        hosts.toArray(String[]::new),
                        environment.value())
                .map(row -> row.get(0, String.class)));
    }

    /// Which of these are a device at its own host, each as [#place] says it.
    static Set<String> atHome(DSLContext sql, List<FailedAttempt> named) {
        return new HashSet<>(sql.fetch(
                        "select d.environment || ' ' || d.device || ' ' || d.host"
                                + " from unnest(?::text[], ?::text[], ?::text[]) a(environment, device, host)"
                                + " join device_host d on d.environment = a.environment and d.device = a.device"
                                + " and d.host = a.host",
                        named.stream().map(a -> a.environment().value()).toArray(String[]::new),
                        named.stream().map(FailedAttempt::device).toArray(String[]::new),
                        named.stream().map(FailedAttempt::host).toArray(String[]::new))
                .map(row -> row.get(0, String.class)));
    }

    static String place(FailedAttempt attempt) {
        return attempt.environment().value() + ' ' + attempt.device() + ' ' + attempt.host();
    }

    private static OffsetDateTime utc(Instant at) {
        return at.atOffset(ZoneOffset.UTC);
    }
}
