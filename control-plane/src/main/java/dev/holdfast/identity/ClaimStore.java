package dev.holdfast.identity;

import com.fasterxml.jackson.core.JsonProcessingException;
import dev.holdfast.core.DeviceId;
import dev.holdfast.core.Environment;
import dev.holdfast.core.Json;
import dev.holdfast.core.Labels;
import dev.holdfast.core.ModelId;
import dev.holdfast.core.Serial;
import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.protocol.x509.X509FormatException;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jooq.DSLContext;
import org.jooq.Record;

/// The tables of batches that claim.
final class ClaimStore {
    private static final String BATCH = "select id, environment, name, certificate, profile, model, labels, id_pattern,"
            + " (select count(*) from claim_device d where d.batch = b.id), most, used, created_at, expires_at, closed_at"
            + " from claim_batch b";

    private ClaimStore() {}

    static void insert(DSLContext sql, Claims.Batch batch, Set<DeviceId> devices) {
        sql.execute(
                "insert into claim_batch(id, environment, name, certificate, fingerprint, profile, model, labels,"
                        + " id_pattern, most, created_at, expires_at) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                batch.id(),
                batch.environment().value(),
                batch.name(),
                Certificates.der(batch.certificate()),
                Certificates.fingerprint(batch.certificate()),
                batch.profile(),
                batch.model().value(),
                Json.text(batch.labels().values()),
                batch.pattern().orElse(null),
                batch.most(),
                utc(batch.createdAt()),
                utc(batch.expiresAt()));
        if (!devices.isEmpty()) {
            sql.execute(
                    "insert into claim_device(batch, device) select ?, unnest(?::text[])",
                    batch.id(),
                    devices.stream().map(DeviceId::value).toArray(String[]::new));
        }
    }

    /// Of every batch there ever was.
    static List<X509Certificate> certificates(DSLContext sql) {
        return sql.fetch("select certificate from claim_batch").map(row -> certificate(row.get(0, byte[].class)));
    }

    private static X509Certificate certificate(byte[] der) {
        try {
            return Certificates.parse(der);
        } catch (X509FormatException e) {
            throw new IllegalStateException("a stored claim certificate can't be read", e);
        }
    }

    static Optional<Claims.Batch> lock(DSLContext sql, String fingerprint) {
        return sql.fetchOptional(BATCH + " where fingerprint = ? for update of b", fingerprint)
                .map(ClaimStore::batch);
    }

    static Optional<Claims.Batch> byId(DSLContext sql, Environment environment, String id, boolean lock) {
        return sql.fetchOptional(
                        BATCH + " where environment = ? and id = ?" + (lock ? " for update of b" : ""),
                        environment.value(),
                        id)
                .map(ClaimStore::batch);
    }

    static List<Claims.Batch> list(DSLContext sql, Environment environment, int limit) {
        return sql.fetch(
                        BATCH + " where environment = ? order by created_at desc, id limit ?",
                        environment.value(),
                        limit)
                .map(ClaimStore::batch);
    }

    static boolean names(DSLContext sql, String batch, DeviceId device) {
        return sql.fetchOptional("select 1 from claim_device where batch = ? and device = ?", batch, device.value())
                .isPresent();
    }

    static boolean hasClaimed(DSLContext sql, String batch, DeviceId device) {
        return sql.fetchOptional("select 1 from claim_use where batch = ? and device = ?", batch, device.value())
                .isPresent();
    }

    static List<DeviceId> claimed(DSLContext sql, String batch, int limit) {
        return sql.fetch("select device from claim_use where batch = ? order by at, device limit ?", batch, limit)
                .map(row -> new DeviceId(row.get(0, String.class)));
    }

    static void use(DSLContext sql, String batch, DeviceId device, Serial serial, Instant now) {
        sql.execute(
                "insert into claim_use(batch, device, serial, at) values (?, ?, ?, ?)",
                batch,
                device.value(),
                serial.hex(),
                utc(now));
        sql.execute("update claim_batch set used = used + 1 where id = ?", batch);
    }

    static void close(DSLContext sql, String id, Instant now) {
        sql.execute("update claim_batch set closed_at = ? where id = ?", utc(now), id);
    }

    private static Claims.Batch batch(Record row) {
        try {
            return new Claims.Batch(
                    row.get(0, String.class),
                    new Environment(row.get(1, String.class)),
                    row.get(2, String.class),
                    Certificates.parse(row.get(3, byte[].class)),
                    row.get(4, String.class),
                    new ModelId(row.get(5, String.class)),
                    labels(row.get(6, String.class)),
                    Optional.ofNullable(row.get(7, String.class)),
                    row.get(8, Long.class),
                    row.get(9, Integer.class),
                    row.get(10, Integer.class),
                    row.get(11, OffsetDateTime.class).toInstant(),
                    row.get(12, OffsetDateTime.class).toInstant(),
                    Optional.ofNullable(row.get(13, OffsetDateTime.class)).map(OffsetDateTime::toInstant));
        } catch (X509FormatException | JsonProcessingException e) {
            throw new IllegalStateException("a stored batch can't be read", e);
        }
    }

    private static Labels labels(String json) throws JsonProcessingException {
        return new Labels(Json.mapper()
                .readValue(
                        json, new com.fasterxml.jackson.core.type.TypeReference<java.util.Map<String, String>>() {}));
    }

    private static OffsetDateTime utc(Instant at) {
        return at.atOffset(ZoneOffset.UTC);
    }
}
