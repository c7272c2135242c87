package dev.holdfast.inventory;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectReader;
import dev.holdfast.core.DeviceId;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Environment;
import dev.holdfast.core.FirmwareVersion;
import dev.holdfast.core.Json;
import dev.holdfast.core.Labels;
import dev.holdfast.core.ModelId;
import dev.holdfast.core.Selector;
import dev.holdfast.database.PlainSql;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.jooq.Condition;
import org.jooq.DSLContext;
import org.jooq.Field;
import org.jooq.Record;
import org.jooq.impl.DSL;

/// The inventory's tables.
final class InventoryStore {
    private static final String COLUMNS = "environment, id, model, labels::text, state, state_since, state_reason,"
            + " state_until, reaches_via, registered_at, firmware, firmware_at, risk, risk_reasons::text, last_contact";

    private static final String FIND = "select " + COLUMNS + " from device where environment = ? and id = ?";
    private static final String LOCK = FIND + " for update";
    private static final String SET_STATE = "update device set state = ?, state_before = ?, state_since = ?,"
            + " state_reason = ?, state_until = ? where environment = ? and id = ? and state = ? returning " + COLUMNS;
    private static final ObjectReader LABELS = Json.mapper().readerFor(new TypeReference<Map<String, String>>() {});
    private static final ObjectReader REASONS = Json.mapper().readerFor(new TypeReference<List<String>>() {});

    private InventoryStore() {}

    static Optional<Device> find(DSLContext sql, DeviceRef ref) {
        return PlainSql.first(
                sql,
                FIND,
                InventoryStore::device,
                ref.environment().value(),
                ref.id().value());
    }

    static Optional<Device> lock(DSLContext sql, DeviceRef ref) {
        return PlainSql.first(
                sql,
                LOCK,
                InventoryStore::device,
                ref.environment().value(),
                ref.id().value());
    }

    /// @param after the id after which the page begins; empty for the first page
    /// @param search a part of an id, matched without regard to case; empty for all
    static List<Device> list(
            DSLContext sql, Environment environment, Selector selector, String search, String after, int limit) {
        Condition where = DSL.condition("environment = ?", environment.value())
                .and(DSL.condition("id > ?", after))
                .and(condition(selector));
        if (!search.isEmpty()) {
            where = where.and(DSL.condition("position(lower(?) in lower(id)) > 0", search));
        }
        return PlainSql.all(
                sql.resultQuery(
                        "select " + COLUMNS + " from device where {0} order by id limit {1}", where, DSL.val(limit)),
                InventoryStore::device);
    }

    static List<String> environments(DSLContext sql) {
        return sql.fetch("select distinct environment from device").map(row -> row.get(0, String.class));
    }

    static List<Device> behind(DSLContext sql, DeviceRef gateway) {
        return PlainSql.all(
                sql,
                "select " + COLUMNS + " from device where environment = ? and reaches_via = ? order by id",
                InventoryStore::device,
                gateway.environment().value(),
                gateway.id().value());
    }

    static List<Device> list(
            DSLContext sql,
            Environment environment,
            Selector selector,
            String search,
            DeviceOrder order,
            Optional<DeviceOrder.Position> after,
            int limit) {
        Condition where = DSL.condition("environment = ?", environment.value())
                .and(condition(selector))
                .and(searched(search));
        if (after.isPresent()) {
            where = where.and(DSL.condition(
                    "(" + order.expression() + ", id) " + (order.descending() ? "<" : ">") + " (" + order.bound()
                            + ", ?)",
                    after.get().value(),
                    after.get().id()));
        }
        String direction = order.descending() ? " desc" : "";
        String by = order.by() == DeviceOrder.By.ID ? "" : order.expression() + direction + ", ";
        return PlainSql.all(
                sql.resultQuery(
                        "select " + COLUMNS + " from device where {0} order by " + by + "id" + direction + " limit {1}",
                        where,
                        DSL.val(limit)),
                InventoryStore::device);
    }

    static long count(DSLContext sql, Environment environment, Selector selector, String search) {
        return sql.fetchSingle(
                        "select count(*) from device where {0}",
                        DSL.condition("environment = ?", environment.value())
                                .and(condition(selector))
                                .and(searched(search)))
                .get(0, Long.class);
    }

    private static Condition searched(String search) {
        return search.isEmpty() ? DSL.noCondition() : DSL.condition("position(lower(?) in lower(id)) > 0", search);
    }

    static long count(DSLContext sql, Environment environment, Selector selector) {
        Record row = sql.fetchSingle(
                "select count(*) from device where {0}",
                DSL.condition("environment = ?", environment.value()).and(condition(selector)));
        return row.get(0, Long.class);
    }

    static void insert(DSLContext sql, Device device) {
        sql.execute(
                "insert into device(environment, id, model, labels, state, state_since, state_reason, reaches_via,"
                        + " registered_at) values (?, ?, ?, ?::jsonb, ?, ?, ?, ?, ?)",
                device.ref().environment().value(),
                device.ref().id().value(),
                device.model().value(),
                Json.text(device.labels().values()),
                device.state().text(),
                utc(device.stateSince()),
                device.stateReason(),
                device.reachesVia().map(DeviceId::value).orElse(null),
                utc(device.registeredAt()));
    }

    /// @return the device as it is now; empty when it is not in the state `from`
    static Optional<Device> setState(
            DSLContext sql,
            DeviceRef ref,
            Lifecycle to,
            Lifecycle from,
            String reason,
            Instant since,
            Optional<Instant> until) {
        return PlainSql.first(
                sql,
                SET_STATE,
                InventoryStore::device,
                to.text(),
                from.text(),
                since,
                reason,
                until.orElse(null),
                ref.environment().value(),
                ref.id().value(),
                from.text());
    }

    static Optional<Lifecycle> stateBefore(DSLContext sql, DeviceRef ref) {
        return sql.fetchOptional(
                        "select state_before from device where environment = ? and id = ?",
                        ref.environment().value(),
                        ref.id().value())
                .map(row -> row.get(0, String.class))
                .map(Lifecycle::of);
    }

    static void setFirmware(DSLContext sql, DeviceRef ref, FirmwareVersion version, Instant at) {
        sql.execute(
                "update device set firmware = ?, firmware_at = ? where environment = ? and id = ?",
                version.value(),
                utc(at),
                ref.environment().value(),
                ref.id().value());
    }

    static void setLabels(DSLContext sql, DeviceRef ref, Labels labels) {
        sql.execute(
                "update device set labels = ?::jsonb where environment = ? and id = ?",
                Json.text(labels.values()),
                ref.environment().value(),
                ref.id().value());
    }

    static void setRisk(DSLContext sql, DeviceRef ref, Risk risk) {
        sql.execute(
                "update device set risk = ?, risk_reasons = ?::jsonb where environment = ? and id = ?",
                risk.level().name().toLowerCase(Locale.ROOT),
                Json.text(risk.reasons()),
                ref.environment().value(),
                ref.id().value());
    }

    static List<DeviceRef> setLastContact(DSLContext sql, Map<DeviceRef, Instant> contacts) {
        String[] environments = new String[contacts.size()];
        String[] ids = new String[contacts.size()];
        OffsetDateTime[] times = new OffsetDateTime[contacts.size()];
        int i = 0;
        for (Map.Entry<DeviceRef, Instant> contact : contacts.entrySet()) {
            environments[i] = contact.getKey().environment().value();
            ids[i] = contact.getKey().id().value();
            times[i++] = utc(contact.getValue());
        }
        // A device that a decision holds locked is left for the next time: waiting for it while holding others would
        // make a deadlock with the journal's writer, which locks devices in the order of its operations.
        return sql.fetch(
                        "with free as (select d.environment, d.id, c.at from device d"
                                + " join unnest(?::text[], ?::text[], ?::timestamptz[]) as c(environment, id, at)"
                                + " on d.environment = c.environment and d.id = c.id for update of d skip locked)"
                                + " update device d set last_contact = greatest(coalesce(d.last_contact, free.at), free.at)"
                                + " from free where d.environment = free.environment and d.id = free.id"
                                + " returning d.environment, d.id",
                        environments,
                        ids,
                        times)
                .map(row -> DeviceRef.of(row.get(0, String.class), row.get(1, String.class)));
    }

    static Map<DeviceRef, Instant> lastContacts(DSLContext sql, Collection<DeviceRef> devices) {
        return sql.fetch(
                        "select d.environment, d.id, d.last_contact from device d"
                                + " join unnest(?::text[], ?::text[]) as u(environment, id)"
                                + " on d.environment = u.environment and d.id = u.id where d.last_contact is not null",
                        devices.stream().map(ref -> ref.environment().value()).toArray(String[]::new),
                        devices.stream().map(ref -> ref.id().value()).toArray(String[]::new))
                .intoMap(
                        row -> DeviceRef.of(row.get(0, String.class), row.get(1, String.class)),
                        row -> row.get(2, OffsetDateTime.class).toInstant());
    }

    static void putModel(DSLContext sql, Model model, Instant now) {
        sql.execute(
                "insert into model(environment, id, definition, updated_at) values (?, ?, ?::jsonb, ?)"
                        + " on conflict (environment, id) do update set definition = excluded.definition,"
                        + " updated_at = excluded.updated_at",
                model.environment().value(),
                model.id().value(),
                Json.text(model),
                utc(now));
    }

    static List<Model> models(DSLContext sql, Environment environment) {
        return sql.fetch("select definition::text from model where environment = ? order by id", environment.value())
                .map(InventoryStore::model);
    }

    static List<Model> allModels(DSLContext sql) {
        return sql.fetch("select definition::text from model").map(InventoryStore::model);
    }

    private static Model model(Record row) {
        try {
            return Json.read(row.get(0, String.class), Model.class);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a stored model can't be read", e);
        }
    }

    static Condition condition(Selector selector) {
        Condition all = DSL.noCondition();
        for (Selector.Requirement requirement : selector.requirements()) {
            Field<String> value = attribute(requirement.key());
            all = all.and(
                    switch (requirement) {
                        case Selector.Requirement.In in -> value.in(in.values());
                        case Selector.Requirement.NotIn notIn -> value.isNull().or(value.notIn(notIn.values()));
                        case Selector.Requirement.Present _ -> value.isNotNull();
                        case Selector.Requirement.Absent _ -> value.isNull();
                    });
        }
        return all;
    }

    private static Field<String> attribute(String key) {
        return switch (key) {
            case "id", "model", "state", "firmware", "risk" -> DSL.field(key, String.class);
            default -> DSL.field("labels ->> {0}", String.class, DSL.inline(key));
        };
    }

    private static Device device(PlainSql.Row row) throws SQLException {
        return new Device(
                DeviceRef.of(row.text(1), row.text(2)),
                new ModelId(row.text(3)),
                labels(row.text(4)),
                Lifecycle.of(row.text(5)),
                row.time(6),
                row.text(7),
                row.optionalTime(8),
                row.optionalText(9).map(DeviceId::new),
                row.time(10),
                row.optionalText(11).map(FirmwareVersion::new),
                row.optionalTime(12),
                new Risk(Risk.Level.valueOf(row.text(13).toUpperCase(Locale.ROOT)), reasons(row.text(14))),
                row.optionalTime(15));
    }

    static OffsetDateTime utc(Instant at) {
        return at.atOffset(ZoneOffset.UTC);
    }

    private static Labels labels(String json) {
        try {
            Map<String, String> values = LABELS.readValue(json);
            return new Labels(values);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a stored device's labels can't be read", e);
        }
    }

    private static List<String> reasons(String json) {
        try {
            return REASONS.readValue(json);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a stored device's risk can't be read", e);
        }
    }
}
