package dev.holdfast.detection;

import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Environment;
import dev.holdfast.telemetry.Provenance;
import java.sql.PreparedStatement;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiConsumer;
import org.jooq.DSLContext;
import org.jooq.Record;

/// The tables of findings and of baselines.
final class DetectionStore {
    private static final String COLUMNS =
            "id, environment, device, cause, severity, provenance, score, since, at, expected, seen, incident";

    private DetectionStore() {}

    static long insert(DSLContext sql, Finding f) {
        return sql.fetchSingle(
                        "insert into finding(environment, device, cause, severity, provenance, score, since, at,"
                                + " expected, seen) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) returning id",
                        f.device().environment().value(),
                        f.device().id().value(),
                        f.cause().name(),
                        f.severity().name(),
                        f.provenance().name(),
                        f.score(),
                        utc(f.since()),
                        utc(f.at()),
                        f.expected(),
                        f.seen())
                .get(0, Long.class);
    }

    static List<Detection.Stored> ofDevice(DSLContext sql, DeviceRef device, long before, int limit) {
        return sql.fetch(
                        "select " + COLUMNS + " from finding where environment = ? and device = ? and id < ?"
                                + " order by id desc limit ?",
                        device.environment().value(),
                        device.id().value(),
                        before,
                        limit)
                .map(DetectionStore::stored);
    }

    static List<Detection.Stored> ofAll(DSLContext sql, Environment environment, long before, int limit) {
        return sql.fetch(
                        "select " + COLUMNS + " from finding where environment = ? and id < ? order by id desc limit ?",
                        environment.value(),
                        before,
                        limit)
                .map(DetectionStore::stored);
    }

    static Optional<Finding> firstSince(DSLContext sql, DeviceRef device, Instant time, List<String> excluded) {
        return sql.fetchOptional(
                        "select " + COLUMNS + " from finding where environment = ? and device = ? and since >= ?"
                                + " and cause <> all (?) order by since limit 1",
                        device.environment().value(),
                        device.id().value(),
                        utc(time),
                        excluded.toArray(String[]::new))
                .map(row -> stored(row).finding());
    }

    static List<Long> unhandled(DSLContext sql, int limit) {
        return sql.fetch("select id from finding where not handled order by id limit ?", limit)
                .map(row -> row.get(0, Long.class));
    }

    /// Claims the finding: exactly one caller gets it.
    static Optional<Detection.Stored> claim(DSLContext sql, long id) {
        return sql.fetchOptional(
                        "update finding set handled = true where id = ? and not handled returning " + COLUMNS, id)
                .map(DetectionStore::stored);
    }

    static void setIncident(DSLContext sql, long id, long incident) {
        sql.execute("update finding set incident = ? where id = ?", incident, id);
    }

    /// One statement for all of them. The arrays go to the database in its binary form, as the octets they are:
    /// as text, which is what jOOQ would make of them, they would be twice as long and be written and read
    /// digit by digit.
    static void checkpoint(DSLContext sql, Map<DeviceRef, Baseline> baselines, Instant now) {
        String[] environments = new String[baselines.size()];
        String[] devices = new String[baselines.size()];
        byte[][] states = new byte[baselines.size()][];
        int i = 0;
        for (Map.Entry<DeviceRef, Baseline> entry : baselines.entrySet()) {
            environments[i] = entry.getKey().environment().value();
            devices[i] = entry.getKey().id().value();
            states[i++] = BaselineCodec.encode(entry.getValue());
        }
        sql.connection(connection -> {
            try (PreparedStatement insert = connection.prepareStatement(
                    "insert into baseline(environment, device, state, at)"
                            + " select u.environment, u.device, u.state, ?"
                            + " from unnest(?, ?, ?) as u(environment, device, state)"
                            + " on conflict (environment, device) do update set state = excluded.state, at = excluded.at")) {
                insert.setObject(1, utc(now));
                insert.setArray(2, connection.createArrayOf("text", environments));
                insert.setArray(3, connection.createArrayOf("text", devices));
                insert.setArray(4, connection.createArrayOf("bytea", states));
                insert.executeUpdate();
            }
        });
    }

    static void restore(DSLContext sql, int most, BiConsumer<DeviceRef, Baseline> each) {
        sql
                .resultQuery("select environment, device, state from baseline order by at desc limit ?", most)
                .fetchSize(1_000)
                .stream()
                .forEach(row -> each.accept(
                        DeviceRef.of(row.get(0, String.class), row.get(1, String.class)),
                        BaselineCodec.decode(row.get(2, byte[].class))));
    }

    static Optional<Baseline> find(DSLContext sql, DeviceRef device) {
        return sql.fetchOptional(
                        "select state from baseline where environment = ? and device = ?",
                        device.environment().value(),
                        device.id().value())
                .map(row -> BaselineCodec.decode(row.get(0, byte[].class)));
    }

    private static Detection.Stored stored(Record row) {
        return new Detection.Stored(
                row.get(0, Long.class),
                new Finding(
                        DeviceRef.of(row.get(1, String.class), row.get(2, String.class)),
                        Finding.Cause.valueOf(row.get(3, String.class)),
                        Finding.Severity.valueOf(row.get(4, String.class)),
                        Provenance.valueOf(row.get(5, String.class)),
                        row.get(6, Double.class),
                        row.get(7, OffsetDateTime.class).toInstant(),
                        row.get(8, OffsetDateTime.class).toInstant(),
                        row.get(9, String.class),
                        row.get(10, String.class)),
                Optional.ofNullable(row.get(11, Long.class)));
    }

    private static OffsetDateTime utc(Instant at) {
        return at.atOffset(ZoneOffset.UTC);
    }
}
