package dev.holdfast.telemetry;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Environment;
import dev.holdfast.core.Json;
import dev.holdfast.database.Database;
import java.sql.SQLTransientConnectionException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jooq.Condition;
import org.jooq.DSLContext;
import org.jooq.Record;
import org.jooq.exception.DataAccessException;
import org.jooq.impl.DSL;
import org.jspecify.annotations.Nullable;

/// The tables of log lines, events and reported configurations.
final class KeptStore {
    private final Database database;

    KeptStore(Database database) {
        this.database = database;
    }

    /// The tries to keep one batch. When a connection breaks in the commit, whoever sent it can't know whether it
    /// counted; PostgreSQL remembers, by the transaction's number.
    static final class Attempt {
        private @Nullable String transaction;

        private void begin(DSLContext sql) {
            transaction = sql.fetchSingle("select pg_current_xact_id()::text").get(0, String.class);
        }

        /// @throws DataAccessException when the database is away, or still busy with the try before
        private boolean counted(Database database) {
            if (transaction == null) {
                return false;
            }
            String last = transaction;
            String status =
                    database.read(sql -> sql.fetchSingle("select coalesce(pg_xact_status(?::xid8), 'unknown')", last)
                            .get(0, String.class));
            if (status.equals("in progress")) {
                throw new DataAccessException(
                        "the transaction before is not decided yet",
                        new SQLTransientConnectionException("transaction " + last + " is in progress"));
            }
            return status.equals("committed");
        }
    }

    /// All in one transaction, and once, however many tries it takes.
    void append(List<Observation.Kept> batch, Attempt attempt) {
        if (attempt.counted(database)) {
            return;
        }
        List<Observation.LogLine> lines = new ArrayList<>();
        List<Observation.Event> events = new ArrayList<>();
        Map<DeviceRef, Observation.ConfigurationReport> reports = new LinkedHashMap<>();
        for (Observation.Kept kept : batch) {
            switch (kept) {
                case Observation.LogLine line -> lines.add(line);
                case Observation.Event event -> events.add(event);
                case Observation.ConfigurationReport report -> reports.put(report.device(), report);
            }
        }
        database.run(sql -> {
            attempt.begin(sql);
            appendLines(sql, lines);
            appendEvents(sql, events);
            putConfigurations(sql, List.copyOf(reports.values()));
        });
    }

    private static void appendLines(DSLContext sql, List<Observation.LogLine> lines) {
        if (lines.isEmpty()) {
            return;
        }
        String[] texts = new String[lines.size()];
        Short[] severities = new Short[lines.size()];
        for (int i = 0; i < lines.size(); i++) {
            texts[i] = lines.get(i).text();
            severities[i] = (short) Severity.parse(lines.get(i).severity())
                    .orElse(Severity.NOTICE)
                    .number();
        }
        sql.execute(
                "insert into log_line(environment, device, at, severity, text)"
                        + " select * from unnest(?::text[], ?::text[], ?::timestamptz[], ?::smallint[], ?::text[])",
                environments(lines),
                devices(lines),
                times(lines),
                severities,
                texts);
    }

    static void appendEvents(DSLContext sql, List<Observation.Event> events) {
        if (events.isEmpty()) {
            return;
        }
        String[] names = new String[events.size()];
        String[] details = new String[events.size()];
        for (int i = 0; i < events.size(); i++) {
            names[i] = events.get(i).name();
            details[i] = Json.text(events.get(i).details());
        }
        sql.execute(
                "insert into device_event(environment, device, at, name, details)"
                        + " select e, d, t, n, j::jsonb"
                        + " from unnest(?::text[], ?::text[], ?::timestamptz[], ?::text[], ?::text[]) as u(e, d, t, n, j)",
                environments(events),
                devices(events),
                times(events),
                names,
                details);
    }

    private static void putConfigurations(DSLContext sql, List<Observation.ConfigurationReport> reports) {
        if (reports.isEmpty()) {
            return;
        }
        String[] settings = new String[reports.size()];
        for (int i = 0; i < reports.size(); i++) {
            settings[i] = Json.text(reports.get(i).settings());
        }
        sql.execute(
                "insert into reported_configuration as r (environment, device, at, settings)"
                        + " select e, d, t, j::jsonb"
                        + " from unnest(?::text[], ?::text[], ?::timestamptz[], ?::text[]) as u(e, d, t, j)"
                        + " on conflict (environment, device) do update set at = excluded.at,"
                        + " settings = excluded.settings where r.at <= excluded.at",
                environments(reports),
                devices(reports),
                times(reports),
                settings);
    }

    List<LogQuery.Line> search(LogQuery query) {
        Condition where = DSL.condition("environment = ?", query.environment().value())
                .and(DSL.condition("at >= ?::timestamptz and at < ?::timestamptz", utc(query.from()), utc(query.to())));
        if (query.device().isPresent()) {
            where = where.and(DSL.condition("device = ?", query.device().get().value()));
        }
        if (query.atLeast().isPresent()) {
            where = where.and(
                    DSL.condition("severity <= ?", query.atLeast().get().number()));
        }
        if (!query.text().isEmpty()) {
            where = where.and(DSL.condition("position(lower(?) in lower(text)) > 0", query.text()));
        }
        if (query.before().isPresent()) {
            LogQuery.Cursor cursor = query.before().get();
            where = where.and(DSL.condition("(at, number) < (?::timestamptz, ?)", utc(cursor.at()), cursor.number()));
        }
        Condition all = where;
        return database.transact(sql -> {
            // A search over much and for little must not hold a connection for ever.
            sql.execute("set local statement_timeout = '5s'");
            return sql.resultQuery(
                            "select number, environment, device, at, severity, text from log_line where {0}"
                                    + " order by at desc, number desc limit {1}",
                            all, DSL.val(query.limit()))
                    .fetch()
                    .map(row -> new LogQuery.Line(
                            new LogQuery.Cursor(instant(row, 3), row.get(0, Long.class)),
                            DeviceRef.of(row.get(1, String.class), row.get(2, String.class)),
                            instant(row, 3),
                            Severity.of(row.get(4, Integer.class)),
                            row.get(5, String.class)));
        });
    }

    /// Newest first.
    List<Observation.Event> events(DeviceRef device, Instant before, int limit) {
        return database.read(sql -> sql.fetch(
                        "select at, name, details::text from device_event where environment = ? and device = ?"
                                + " and at < ?::timestamptz order by at desc, number desc limit ?",
                        device.environment().value(),
                        device.id().value(),
                        utc(before),
                        limit)
                .map(row -> new Observation.Event(
                        device, instant(row, 0), row.get(1, String.class), map(row.get(2, String.class)))));
    }

    Optional<Observation.ConfigurationReport> configuration(DeviceRef device) {
        return database.read(sql -> sql.fetchOptional(
                        "select at, settings::text from reported_configuration where environment = ? and device = ?",
                        device.environment().value(),
                        device.id().value())
                .map(row ->
                        new Observation.ConfigurationReport(device, instant(row, 0), map(row.get(1, String.class)))));
    }

    /// @return how many rows
    int expire(Instant logsBefore, Instant eventsBefore) {
        return database.transact(sql -> sql.execute("delete from log_line where at < ?::timestamptz", utc(logsBefore))
                + sql.execute("delete from device_event where at < ?::timestamptz", utc(eventsBefore)));
    }

    private static Map<String, String> map(String json) {
        try {
            return Json.mapper().readValue(json, new TypeReference<Map<String, String>>() {});
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a stored record can't be read", e);
        }
    }

    private static String[] environments(List<? extends Observation> all) {
        return all.stream()
                .map(o -> o.device().environment())
                .map(Environment::value)
                .toArray(String[]::new);
    }

    private static String[] devices(List<? extends Observation> all) {
        return all.stream().map(o -> o.device().id().value()).toArray(String[]::new);
    }

    private static OffsetDateTime[] times(List<? extends Observation> all) {
        return all.stream().map(o -> utc(o.receivedAt())).toArray(OffsetDateTime[]::new);
    }

    private static Instant instant(Record row, int column) {
        return row.get(column, OffsetDateTime.class).toInstant();
    }

    private static OffsetDateTime utc(Instant at) {
        return at.atOffset(ZoneOffset.UTC);
    }
}
