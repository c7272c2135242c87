package dev.holdfast.response;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Environment;
import dev.holdfast.core.Json;
import dev.holdfast.detection.Finding;
import dev.holdfast.response.Incident.Subject;
import dev.holdfast.telemetry.Provenance;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.jooq.Condition;
import org.jooq.DSLContext;
import org.jooq.Record;
import org.jooq.impl.DSL;
import org.jspecify.annotations.Nullable;

/// The incidents' table.
final class IncidentStore {
    private static final String COLUMNS = "id, environment, subject, family, status, severity, provenance,"
            + " causes::text, summary, opened_at, updated_at, first_observed_at, last_finding_at, findings,"
            + " evidence::text, acknowledged::text, closed::text";

    private IncidentStore() {}

    static Optional<Incident> find(DSLContext sql, Environment environment, IncidentId id) {
        return sql.fetchOptional(
                        "select " + COLUMNS + " from incident where environment = ? and id = ?",
                        environment.value(),
                        id.value())
                .map(IncidentStore::incident);
    }

    static Optional<Incident> lock(DSLContext sql, Environment environment, IncidentId id) {
        return sql.fetchOptional(
                        "select " + COLUMNS + " from incident where environment = ? and id = ? for update",
                        environment.value(),
                        id.value())
                .map(IncidentStore::incident);
    }

    static List<Incident> lockOpen(DSLContext sql, Subject subject) {
        return sql.fetch(
                        "select " + COLUMNS + " from incident where environment = ? and subject = ?"
                                + " and status <> 'CLOSED' for update",
                        subject.environment().value(),
                        subject.text())
                .map(IncidentStore::incident);
    }

    static List<Incident> list(
            DSLContext sql,
            Environment environment,
            boolean onlyOpen,
            Optional<DeviceRef> device,
            long before,
            int limit) {
        Condition where = DSL.condition("environment = ?", environment.value()).and(DSL.condition("id < ?", before));
        if (onlyOpen) {
            where = where.and(DSL.condition("status <> 'CLOSED'"));
        }
        if (device.isPresent()) {
            where = where.and(DSL.condition("subject = ?", new Subject.OfDevice(device.get()).text()));
        }
        return sql.resultQuery(
                        "select " + COLUMNS + " from incident where {0} order by id desc limit {1}",
                        where,
                        DSL.val(limit))
                .fetch()
                .map(IncidentStore::incident);
    }

    static long countOpen(DSLContext sql, Environment environment) {
        return sql.fetchSingle(
                        "select count(*) from incident where environment = ? and status <> 'CLOSED'",
                        environment.value())
                .get(0, Long.class);
    }

    /// The open incidents of a device, for its risk class.
    static List<Incident> open(DSLContext sql, DeviceRef device) {
        return sql.fetch(
                        "select " + COLUMNS + " from incident where environment = ? and subject = ?"
                                + " and status <> 'CLOSED'",
                        device.environment().value(),
                        new Subject.OfDevice(device).text())
                .map(IncidentStore::incident);
    }

    /// Inserts or updates, and gives a new incident its number.
    static Incident save(DSLContext sql, Incident i) {
        if (i.id().equals(Correlation.UNNUMBERED)) {
            long id = sql.fetchSingle(
                            "insert into incident(environment, subject, family, status, severity, provenance, causes,"
                                    + " summary, opened_at, updated_at, first_observed_at, last_finding_at, findings,"
                                    + " evidence) values (?, ?, ?, ?, ?, ?, ?::jsonb, ?, ?, ?, ?, ?, ?, ?::jsonb)"
                                    + " returning id",
                            i.subject().environment().value(),
                            i.subject().text(),
                            i.family().name(),
                            i.status().name(),
                            i.severity().name(),
                            i.provenance().name(),
                            Json.text(new TreeSet<>(i.causes())),
                            i.summary(),
                            utc(i.openedAt()),
                            utc(i.updatedAt()),
                            utc(i.firstObservedAt()),
                            utc(i.lastFindingAt()),
                            i.findings(),
                            Json.text(i.evidence()))
                    .get(0, Long.class);
            return i.numbered(new IncidentId(id));
        }
        sql.execute(
                "update incident set status = ?, severity = ?, provenance = ?, causes = ?::jsonb, summary = ?,"
                        + " updated_at = ?, first_observed_at = ?, last_finding_at = ?, findings = ?,"
                        + " evidence = ?::jsonb, acknowledged = ?::jsonb, closed = ?::jsonb where id = ?",
                i.status().name(),
                i.severity().name(),
                i.provenance().name(),
                Json.text(new TreeSet<>(i.causes())),
                i.summary(),
                utc(i.updatedAt()),
                utc(i.firstObservedAt()),
                utc(i.lastFindingAt()),
                i.findings(),
                Json.text(i.evidence()),
                i.acknowledged().map(Json::text).orElse(null),
                i.closed().map(Json::text).orElse(null),
                i.id().value());
        return i;
    }

    private static Incident incident(Record row) {
        return new Incident(
                new IncidentId(row.get(0, Long.class)),
                subject(new Environment(row.get(1, String.class)), row.get(2, String.class)),
                Incident.Family.valueOf(row.get(3, String.class)),
                Incident.Status.valueOf(row.get(4, String.class)),
                Finding.Severity.valueOf(row.get(5, String.class)),
                Provenance.valueOf(row.get(6, String.class)),
                read(row.get(7, String.class), new TypeReference<Set<String>>() {}),
                row.get(8, String.class),
                instant(row, 9),
                instant(row, 10),
                instant(row, 11),
                instant(row, 12),
                row.get(13, Integer.class),
                read(row.get(14, String.class), new TypeReference<List<Incident.Evidence>>() {}),
                handling(row.get(15, String.class)),
                handling(row.get(16, String.class)));
    }

    private static Subject subject(Environment environment, String text) {
        int colon = text.indexOf(':');
        String id = text.substring(colon + 1);
        return switch (text.substring(0, colon)) {
            case "rollout" -> new Subject.OfRollout(environment, id);
            case "authority" -> new Subject.OfAuthority(environment, id);
            default -> new Subject.OfDevice(DeviceRef.of(environment.value(), id));
        };
    }

    static Optional<Incident.Handling> handling(@Nullable String json) {
        return Optional.ofNullable(json).map(text -> read(text, new TypeReference<Incident.Handling>() {}));
    }

    static Instant instant(Record row, int column) {
        return row.get(column, OffsetDateTime.class).toInstant();
    }

    static Optional<Instant> optionalInstant(Record row, int column) {
        return Optional.ofNullable(row.get(column, OffsetDateTime.class)).map(OffsetDateTime::toInstant);
    }

    static OffsetDateTime utc(Instant at) {
        return at.atOffset(ZoneOffset.UTC);
    }

    static <T> T read(String json, TypeReference<T> type) {
        try {
            return Json.mapper().readValue(json, type);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a stored incident or action can't be read", e);
        }
    }
}
