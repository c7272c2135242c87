package dev.holdfast.identity;

import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Environment;
import dev.holdfast.database.PlainSql;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jooq.DSLContext;
import org.jooq.Record;
import org.jspecify.annotations.Nullable;

/// The table of requests that wait for a person.
final class HeldRequestStore {
    private static final String COLUMNS = "id, environment, device, key_fingerprint, cause, credential, detail, state,"
            + " first_asked_at, last_asked_at, times_asked, decided_at, decided_by, reason, expires_at, anchor, product";
    private static final String FROM = " from held_request h left join held_product p on p.request = h.id";

    private HeldRequestStore() {}

    static void insert(DSLContext sql, HeldRequests.Held held) {
        sql.execute(
                "insert into held_request(id, environment, device, key_fingerprint, cause, credential, detail, state,"
                        + " first_asked_at, last_asked_at, times_asked, expires_at)"
                        + " values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                held.id(),
                held.environment().value(),
                held.device(),
                held.about(),
                held.cause().text(),
                held.credential(),
                held.detail(),
                held.state().text(),
                utc(held.firstAskedAt()),
                utc(held.lastAskedAt()),
                held.timesAsked(),
                utc(held.expiresAt()));
        held.product()
                .ifPresent(product -> sql.execute(
                        "insert into held_product(request, anchor, product) values (?, ?, ?)",
                        held.id(),
                        product.anchor(),
                        product.serial()));
    }

    static void askedAgain(DSLContext sql, String id, Instant now) {
        sql.execute(
                "update held_request set last_asked_at = ?, times_asked = times_asked + 1 where id = ?", utc(now), id);
    }

    static void forget(DSLContext sql, String id) {
        sql.execute("delete from held_request where id = ?", id);
    }

    static long waiting(DSLContext sql, Environment environment) {
        return sql.fetchOne(
                        "select count(*) from held_request where environment = ? and state = 'waiting'",
                        environment.value())
                .get(0, Long.class);
    }

    static long waiting(DSLContext sql, Environment environment, String device) {
        return sql.fetchOne(
                        "select count(*) from held_request where environment = ? and device = ? and state = 'waiting'",
                        environment.value(),
                        device)
                .get(0, Long.class);
    }

    static void decide(DSLContext sql, String id, HeldRequests.State state, String by, String reason, Instant now) {
        sql.execute(
                "update held_request set state = ?, decided_by = ?, reason = ?, decided_at = ? where id = ?",
                state.text(),
                by,
                reason,
                utc(now),
                id);
    }

    static Map<HeldRequests.Cause, HeldRequests.State> decisions(
            DSLContext sql, DeviceRef device, String about, Instant now) {
        Map<HeldRequests.Cause, HeldRequests.State> decisions = new EnumMap<>(HeldRequests.Cause.class);
        PlainSql.all(
                        sql,
                        "select cause, state from held_request where environment = ? and device = ?"
                                + " and key_fingerprint = ? and expires_at > ?",
                        row -> Map.entry(HeldRequests.Cause.of(row.text(1)), HeldRequests.State.of(row.text(2))),
                        device.environment().value(),
                        device.id().value(),
                        about,
                        now)
                .forEach(decided -> decisions.put(decided.getKey(), decided.getValue()));
        return decisions;
    }

    static Optional<HeldRequests.Held> find(
            DSLContext sql, Environment environment, String device, String about, HeldRequests.Cause cause) {
        return sql.fetchOptional(
                        "select " + COLUMNS + FROM + " where environment = ? and device = ?"
                                + " and key_fingerprint = ? and cause = ?",
                        environment.value(),
                        device,
                        about,
                        cause.text())
                .map(HeldRequestStore::held);
    }

    static Optional<HeldRequests.Held> byId(DSLContext sql, Environment environment, String id, boolean lock) {
        return sql.fetchOptional(
                        "select " + COLUMNS + FROM + " where environment = ? and id = ?"
                                + (lock ? " for update of h" : ""),
                        environment.value(),
                        id)
                .map(HeldRequestStore::held);
    }

    static List<HeldRequests.Held> list(
            DSLContext sql, Environment environment, Optional<HeldRequests.State> state, int limit) {
        String wanted = state.map(HeldRequests.State::text).orElse("");
        return sql.fetch(
                        "select " + COLUMNS + FROM + " where environment = ? and (? = '' or state = ?)"
                                + " order by first_asked_at desc, id limit ?",
                        environment.value(),
                        wanted,
                        wanted,
                        limit)
                .map(HeldRequestStore::held);
    }

    private static HeldRequests.Held held(Record row) {
        return new HeldRequests.Held(
                row.get(0, String.class),
                new Environment(row.get(1, String.class)),
                row.get(2, String.class),
                row.get(3, String.class),
                HeldRequests.Cause.of(row.get(4, String.class)),
                row.get(5, String.class),
                row.get(6, String.class),
                HeldRequests.State.of(row.get(7, String.class)),
                row.get(8, OffsetDateTime.class).toInstant(),
                row.get(9, OffsetDateTime.class).toInstant(),
                row.get(10, Long.class),
                instant(row.get(11, OffsetDateTime.class)),
                Optional.ofNullable(row.get(12, String.class)),
                Optional.ofNullable(row.get(13, String.class)),
                row.get(14, OffsetDateTime.class).toInstant(),
                Optional.ofNullable(row.get(15, String.class))
                        .map(anchor -> new HeldRequests.Product(anchor, row.get(16, String.class))));
    }

    private static Optional<Instant> instant(@Nullable OffsetDateTime time) {
        return Optional.ofNullable(time).map(OffsetDateTime::toInstant);
    }

    private static OffsetDateTime utc(Instant at) {
        return at.atOffset(ZoneOffset.UTC);
    }
}
