package dev.holdfast.response;

import com.fasterxml.jackson.core.type.TypeReference;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Environment;
import dev.holdfast.core.Json;
import dev.holdfast.inventory.Lifecycle;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jooq.Condition;
import org.jooq.DSLContext;
import org.jooq.Record;
import org.jooq.impl.DSL;

/// The actions' table.
final class ActionStore {
    private static final String COLUMNS = "id, incident, environment, device, kind, status, reason, waits_because,"
            + " actor, automatic, duration_s, until, state_before, weight, first_observed_at, finding_at, intent_at,"
            + " session_cut_at, network_enforced_at, legs::text, approved::text, ended::text";
    private static final String LIVE = "status in ('AWAITING_APPROVAL','IN_FORCE')";

    private ActionStore() {}

    static Optional<Action> lock(DSLContext sql, Environment environment, ActionId id) {
        return sql.fetchOptional(
                        "select " + COLUMNS + " from response_action where environment = ? and id = ? for update",
                        environment.value(),
                        id.value())
                .map(ActionStore::action);
    }

    static Optional<Action> find(DSLContext sql, ActionId id) {
        return sql.fetchOptional("select " + COLUMNS + " from response_action where id = ?", id.value())
                .map(ActionStore::action);
    }

    static List<Action> ofIncident(DSLContext sql, IncidentId incident) {
        return sql.fetch(
                        "select " + COLUMNS + " from response_action where incident = ? order by id desc",
                        incident.value())
                .map(ActionStore::action);
    }

    static Map<IncidentId, List<Action>> ofIncidents(DSLContext sql, List<IncidentId> incidents) {
        Map<IncidentId, List<Action>> all = new HashMap<>();
        sql.fetch("select " + COLUMNS + " from response_action where incident = any (?) order by id desc", (Object)
                        incidents.stream().map(IncidentId::value).toArray(Long[]::new))
                .map(ActionStore::action)
                .forEach(action -> action.incident()
                        .ifPresent(id ->
                                all.computeIfAbsent(id, _ -> new ArrayList<>()).add(action)));
        return all;
    }

    /// Those in force or waiting, oldest first, locked.
    static List<Action> lockLive(DSLContext sql, DeviceRef device) {
        return sql.fetch(
                        "select " + COLUMNS + " from response_action where environment = ? and device = ? and " + LIVE
                                + " order by id for update",
                        device.environment().value(),
                        device.id().value())
                .map(ActionStore::action);
    }

    static List<Action> list(
            DSLContext sql,
            Environment environment,
            boolean onlyLive,
            Optional<DeviceRef> device,
            long before,
            int limit) {
        Condition where = DSL.condition("environment = ?", environment.value()).and(DSL.condition("id < ?", before));
        if (onlyLive) {
            where = where.and(DSL.condition(LIVE));
        }
        if (device.isPresent()) {
            where = where.and(DSL.condition("device = ?", device.get().id().value()));
        }
        return sql.resultQuery(
                        "select " + COLUMNS + " from response_action where {0} order by id desc limit {1}",
                        where,
                        DSL.val(limit))
                .fetch()
                .map(ActionStore::action);
    }

    /// Those whose time limit has been reached.
    static List<Action> due(DSLContext sql, Instant now, int limit) {
        return sql.fetch(
                        "select " + COLUMNS + " from response_action where status = 'IN_FORCE' and until <= ?"
                                + " order by until limit ?",
                        IncidentStore.utc(now),
                        limit)
                .map(ActionStore::action);
    }

    /// Those of which a leg is still pending.
    static List<Action> unsettled(DSLContext sql, int limit) {
        return sql.fetch(
                        "select " + COLUMNS + " from response_action where not settled"
                                + " and status <> 'AWAITING_APPROVAL' order by id desc limit ?",
                        limit)
                .map(ActionStore::action);
    }

    /// When a person last undid an isolation of the device.
    static Optional<Instant> lastUndone(DSLContext sql, DeviceRef device) {
        return sql.fetchOptional(
                        "select ended::text from response_action where environment = ? and device = ?"
                                + " and status = 'UNDONE' order by (ended ->> 'at') desc limit 1",
                        device.environment().value(),
                        device.id().value())
                .flatMap(row -> IncidentStore.handling(row.get(0, String.class)))
                .map(Incident.Handling::at);
    }

    /// The weight of isolations that came into force automatically since a time; those a person approved don't
    /// count.
    ///
    /// @param site empty for the whole environment
    static int automaticWeight(DSLContext sql, Environment environment, Optional<String> site, Instant since) {
        Condition where = DSL.condition("environment = ?", environment.value())
                .and(DSL.condition("automatic and approved is null"))
                .and(DSL.condition("status in ('IN_FORCE','UNDONE','EXPIRED','HEALED','OVERTAKEN')"))
                .and(DSL.condition("intent_at > ?", IncidentStore.utc(since)));
        if (site.isPresent()) {
            where = where.and(DSL.condition("site = ?", site.get()));
        }
        return sql.resultQuery("select coalesce(sum(weight), 0)::int from response_action where {0}", where)
                .fetchSingle()
                .get(0, Integer.class);
    }

    static Action insert(DSLContext sql, Action a, Optional<String> site) {
        long id = sql.fetchSingle(
                        "insert into response_action(incident, environment, device, site, kind, status, reason,"
                                + " waits_because, actor, automatic, duration_s, until, state_before,"
                                + " first_observed_at, finding_at, intent_at, weight, legs, settled, approved)"
                                + " values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?::jsonb, ?, ?::jsonb)"
                                + " returning id",
                        a.incident().map(IncidentId::value).orElse(null),
                        a.device().environment().value(),
                        a.device().id().value(),
                        site.orElse(null),
                        a.kind().name(),
                        a.status().name(),
                        a.reason(),
                        a.waitsBecause(),
                        a.actor(),
                        a.automatic(),
                        a.limit().toSeconds(),
                        a.until().map(IncidentStore::utc).orElse(null),
                        a.stateBefore().map(Lifecycle::text).orElse(null),
                        a.times().firstObservedAt().map(IncidentStore::utc).orElse(null),
                        a.times().findingAt().map(IncidentStore::utc).orElse(null),
                        IncidentStore.utc(a.times().intentAt()),
                        a.weight(),
                        Json.text(a.legs()),
                        a.legs().settled(),
                        a.approved().map(Json::text).orElse(null))
                .get(0, Long.class);
        return a.numbered(new ActionId(id));
    }

    static void update(DSLContext sql, Action a) {
        sql.execute(
                "update response_action set status = ?, until = ?, state_before = ?, intent_at = ?,"
                        + " session_cut_at = ?, network_enforced_at = ?, legs = ?::jsonb, settled = ?, approved = ?::jsonb, ended = ?::jsonb where id = ?",
                a.status().name(),
                a.until().map(IncidentStore::utc).orElse(null),
                a.stateBefore().map(Lifecycle::text).orElse(null),
                IncidentStore.utc(a.times().intentAt()),
                a.times().sessionCutAt().map(IncidentStore::utc).orElse(null),
                a.times().networkEnforcedAt().map(IncidentStore::utc).orElse(null),
                Json.text(a.legs()),
                a.legs().settled(),
                a.approved().map(Json::text).orElse(null),
                a.ended().map(Json::text).orElse(null),
                a.id().value());
    }

    private static Action action(Record row) {
        return new Action(
                new ActionId(row.get(0, Long.class)),
                Optional.ofNullable(row.get(1, Long.class)).map(IncidentId::new),
                DeviceRef.of(row.get(2, String.class), row.get(3, String.class)),
                Action.Kind.valueOf(row.get(4, String.class)),
                Action.Status.valueOf(row.get(5, String.class)),
                row.get(6, String.class),
                row.get(7, String.class),
                row.get(8, String.class),
                row.get(9, Boolean.class),
                Duration.ofSeconds(row.get(10, Long.class)),
                IncidentStore.optionalInstant(row, 11),
                Optional.ofNullable(row.get(12, String.class)).map(Lifecycle::of),
                row.get(13, Integer.class),
                new Action.Times(
                        IncidentStore.optionalInstant(row, 14),
                        IncidentStore.optionalInstant(row, 15),
                        IncidentStore.instant(row, 16),
                        IncidentStore.optionalInstant(row, 17),
                        IncidentStore.optionalInstant(row, 18)),
                IncidentStore.read(row.get(19, String.class), new TypeReference<Action.Legs>() {}),
                IncidentStore.handling(row.get(20, String.class)),
                IncidentStore.handling(row.get(21, String.class)));
    }
}
