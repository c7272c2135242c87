package dev.holdfast.identity;

import dev.holdfast.core.DeviceRef;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.Optional;
import org.jooq.DSLContext;

/// The table of shared secrets, which holds no secret.
final class SharedSecretStore {
    private SharedSecretStore() {}

    record Row(String id, DeviceRef device, Instant expiresAt, Optional<String> usedBy, boolean withdrawn) {}

    static void insert(DSLContext sql, String id, DeviceRef device, Instant now, Instant expires) {
        sql.execute(
                "insert into shared_secret(id, environment, device, created_at, expires_at) values (?, ?, ?, ?, ?)",
                id,
                device.environment().value(),
                device.id().value(),
                utc(now),
                utc(expires));
    }

    static Optional<Row> find(DSLContext sql, String id, boolean lock) {
        return sql.fetchOptional(
                        "select id, environment, device, expires_at, used_by, withdrawn_at is not null from shared_secret"
                                + " where id = ?" + (lock ? " for update" : ""),
                        id)
                .map(row -> new Row(
                        row.get(0, String.class),
                        DeviceRef.of(row.get(1, String.class), row.get(2, String.class)),
                        row.get(3, OffsetDateTime.class).toInstant(),
                        Optional.ofNullable(row.get(4, String.class)),
                        row.get(5, Boolean.class)));
    }

    static void use(DSLContext sql, String id, String by, Instant now) {
        sql.execute("update shared_secret set used_at = ?, used_by = ? where id = ?", utc(now), by, id);
    }

    static void withdraw(DSLContext sql, DeviceRef device, Instant now) {
        sql.execute(
                "update shared_secret set withdrawn_at = ? where environment = ? and device = ?"
                        + " and used_at is null and withdrawn_at is null",
                utc(now),
                device.environment().value(),
                device.id().value());
    }

    private static OffsetDateTime utc(Instant at) {
        return at.atOffset(ZoneOffset.UTC);
    }
}
