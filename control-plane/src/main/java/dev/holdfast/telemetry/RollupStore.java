package dev.holdfast.telemetry;

import dev.holdfast.core.DeviceRef;
import dev.holdfast.database.Database;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jooq.DSLContext;
import org.jooq.Record;
import org.postgresql.PGConnection;
import org.postgresql.copy.CopyIn;

/// The tables of rolled-up measurements: appended by COPY, added up by readers.
final class RollupStore {
    private static final int HOUR = 3_600;
    private static final String COLUMNS =
            "(environment, device, metric, bucket, count, min, max, sum, last, last_at," + " imported)";
    private final Database database;

    RollupStore(Database database) {
        this.database = database;
    }

    /// Appends one-minute buckets; those of hours that were added up already also to their hours.
    ///
    /// @param minutesSince older buckets go to the hours only
    void append(Collection<Rollup> minutes, boolean imported, Instant minutesSince) throws SQLException {
        try (Connection connection = database.connection()) {
            connection.setAutoCommit(false);
            try {
                append(connection, minutes, imported, minutesSince);
                connection.commit();
            } catch (SQLException | RuntimeException e) {
                connection.rollback();
                throw e;
            } finally {
                connection.setAutoCommit(true);
            }
        }
    }

    /// As [#append], as part of another change.
    static void append(DSLContext sql, Collection<Rollup> minutes, boolean imported, Instant minutesSince) {
        sql.connection(connection -> append(connection, minutes, imported, minutesSince));
    }

    private static void append(
            Connection connection, Collection<Rollup> minutes, boolean imported, Instant minutesSince)
            throws SQLException {
        // Shared, so that hours are not added up between our reading of the mark and our commit.
        Instant hoursUntil = Database.on(connection)
                .fetchSingle("select hours_until from measurement_rollup for share")
                .get(0, OffsetDateTime.class)
                .toInstant();
        List<Rollup> kept = new ArrayList<>(minutes.size());
        Map<Rollup.Key, Rollup> hours = new HashMap<>();
        for (Rollup minute : minutes) {
            if (minute.key.bucket() >= minutesSince.getEpochSecond()) {
                kept.add(minute);
            }
            if (minute.key.bucket() < hoursUntil.getEpochSecond()) {
                Rollup.Key key = new Rollup.Key(
                        minute.key.device(), minute.key.metric(), Math.floorDiv(minute.key.bucket(), HOUR) * HOUR);
                hours.computeIfAbsent(key, Rollup::new).add(minute);
            }
        }
        copy(connection, "measurement_minute", kept, imported);
        copy(connection, "measurement_hour", hours.values(), imported);
    }

    private static void copy(Connection connection, String table, Collection<Rollup> rows, boolean imported)
            throws SQLException {
        if (rows.isEmpty()) {
            return;
        }
        CopyIn copy =
                connection.unwrap(PGConnection.class).getCopyAPI().copyIn("copy " + table + COLUMNS + " from stdin");
        try {
            StringBuilder text = new StringBuilder(70_000);
            for (Rollup row : rows) {
                line(text, row, imported);
                if (text.length() > 64_000) {
                    send(copy, text);
                }
            }
            send(copy, text);
            copy.endCopy();
        } finally {
            if (copy.isActive()) {
                copy.cancelCopy();
            }
        }
    }

    /// Names need no escaping for COPY: ids and metrics are of forms without backslash, tab or line break.
    private static void line(StringBuilder text, Rollup row, boolean imported) {
        DeviceRef device = row.key.device();
        text.append(device.environment().value()).append('\t');
        text.append(device.id().value()).append('\t');
        text.append(row.key.metric()).append('\t');
        text.append(Instant.ofEpochSecond(row.key.bucket())).append('\t');
        text.append(row.count).append('\t');
        text.append(row.min).append('\t');
        text.append(row.max).append('\t');
        text.append(row.sum).append('\t');
        text.append(row.last).append('\t');
        text.append(row.lastAt).append('\t');
        text.append(imported ? 't' : 'f').append('\n');
    }

    private static void send(CopyIn copy, StringBuilder text) throws SQLException {
        byte[] bytes = text.toString().getBytes(StandardCharsets.UTF_8);
        copy.writeToCopy(bytes, 0, bytes.length);
        text.setLength(0);
    }

    /// Adds up the minutes of hours that ended before `until`; any node may, one at a time does.
    void addUpHours(Instant until) {
        database.run(sql -> {
            Instant from = sql.fetchSingle("select hours_until from measurement_rollup for update")
                    .get(0, OffsetDateTime.class)
                    .toInstant();
            Instant to = Instant.ofEpochSecond(RollupBuffer.bucket(until, HOUR));
            if (!to.isAfter(from)) {
                return;
            }
            sql.execute(
                    "insert into measurement_hour" + COLUMNS
                            + " select environment, device, metric, date_trunc('hour', bucket), sum(count), min(min),"
                            + " max(max), sum(sum),"
                            + " (array_agg(last order by last_at desc))[1], max(last_at), bool_or(imported)"
                            + " from measurement_minute where bucket >= ?::timestamptz and bucket < ?::timestamptz"
                            + " group by environment, device, metric, date_trunc('hour', bucket)",
                    utc(from),
                    utc(to));
            sql.execute("update measurement_rollup set hours_until = ?::timestamptz", utc(to));
        });
    }

    /// Removes what is older than it is to be kept.
    ///
    /// @return how many rows
    int expire(Instant minutesBefore, Instant hoursBefore) {
        return database.transact(
                sql -> sql.execute("delete from measurement_minute where bucket < ?::timestamptz", utc(minutesBefore))
                        + sql.execute("delete from measurement_hour where bucket < ?::timestamptz", utc(hoursBefore)));
    }

    List<Series.Point> series(DeviceRef device, String metric, Instant from, Instant to, boolean hours, int most) {
        return database.read(sql -> rows(sql, device, metric, from, to, hours, most));
    }

    private static List<Series.Point> rows(
            DSLContext sql, DeviceRef device, String metric, Instant from, Instant to, boolean hours, int most) {
        List<Series.Point> points = new ArrayList<>();
        // Hours not added up yet are read from their minutes.
        String table = hours
                ? "(select * from measurement_hour union all select environment, device, metric,"
                        + " date_trunc('hour', bucket), count, min, max, sum, last, last_at, imported"
                        + " from measurement_minute where bucket >= (select hours_until from measurement_rollup)) m"
                : "measurement_minute m";
        for (Record row : sql.fetch(
                "select bucket, sum(count), min(min), max(max), sum(sum),"
                        + " (array_agg(last order by last_at desc))[1], bool_or(imported) from " + table
                        + " where environment = ? and device = ? and metric = ? and bucket >= ?::timestamptz and bucket < ?::timestamptz"
                        + " group by bucket order by bucket limit ?",
                device.environment().value(),
                device.id().value(),
                metric,
                utc(from),
                utc(to),
                most)) {
            points.add(new Series.Point(
                    row.get(0, OffsetDateTime.class).toInstant(),
                    row.get(1, Long.class),
                    row.get(2, Double.class),
                    row.get(3, Double.class),
                    row.get(4, Double.class),
                    row.get(5, Double.class),
                    row.get(6, Boolean.class)));
        }
        return points;
    }

    /// The last value of each metric, looked for in ever longer times back.
    Map<String, Series.Latest> latest(DeviceRef device, Instant now) {
        return database.read(sql -> {
            Map<String, Series.Latest> found = new TreeMap<>();
            for (Duration back : List.of(Duration.ofMinutes(30), Duration.ofHours(6))) {
                if (found.isEmpty()) {
                    latest(sql, "measurement_minute", device, now.minus(back), found);
                }
            }
            if (found.isEmpty()) {
                latest(sql, "measurement_minute", device, Instant.EPOCH, found);
            }
            if (found.isEmpty()) {
                latest(sql, "measurement_hour", device, Instant.EPOCH, found);
            }
            return found;
        });
    }

    private static void latest(
            DSLContext sql, String table, DeviceRef device, Instant since, Map<String, Series.Latest> into) {
        sql.fetch(
                        "select distinct on (metric) metric, last, last_at from " + table
                                + " where environment = ? and device = ? and bucket >= ?::timestamptz"
                                + " order by metric, bucket desc, last_at desc",
                        device.environment().value(),
                        device.id().value(),
                        utc(since))
                .forEach(row -> into.put(
                        row.get(0, String.class),
                        new Series.Latest(
                                row.get(1, Double.class),
                                row.get(2, OffsetDateTime.class).toInstant())));
    }

    private static OffsetDateTime utc(Instant at) {
        return at.atOffset(ZoneOffset.UTC);
    }
}
