package dev.holdfast.firmware;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import dev.holdfast.core.Digest;
import dev.holdfast.core.Environment;
import dev.holdfast.core.FirmwareVersion;
import dev.holdfast.core.Json;
import dev.holdfast.core.ModelId;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Optional;
import org.jooq.DSLContext;
import org.jooq.Record;

/// The firmware room's tables.
final class FirmwareStore {
    private static final String RELEASE = "id, environment, model, version, hardware::text, security_counter,"
            + " irreversible, format, signed_by, artifacts::text, state, state_reason, registrar, notes, registered_at";

    private FirmwareStore() {}

    static void putKey(DSLContext sql, Environment environment, SigningKey key) {
        sql.execute(
                "insert into firmware_key(environment, id, kind, name, pem, registered_at) values (?,?,?,?,?,?)"
                        + " on conflict (environment, id) do update set retired_at = null, name = excluded.name",
                environment.value(),
                key.id(),
                key.kind().text(),
                key.name(),
                key.pem(),
                utc(key.registeredAt()));
    }

    static boolean retireKey(DSLContext sql, Environment environment, String id, Instant at) {
        return sql.execute(
                        "update firmware_key set retired_at = ? where environment = ? and id = ? and retired_at is null",
                        utc(at),
                        environment.value(),
                        id)
                == 1;
    }

    static List<SigningKey> keys(DSLContext sql, Environment environment) {
        return sql.fetch(
                        "select id, kind, name, pem, registered_at, retired_at from firmware_key"
                                + " where environment = ? order by registered_at, id",
                        environment.value())
                .map(row -> new SigningKey(
                        row.get(0, String.class),
                        SigningKey.Kind.of(row.get(1, String.class)),
                        row.get(2, String.class),
                        row.get(3, String.class),
                        row.get(4, OffsetDateTime.class).toInstant(),
                        Optional.ofNullable(row.get(5, OffsetDateTime.class)).map(OffsetDateTime::toInstant)));
    }

    static boolean putArtifact(DSLContext sql, Environment environment, Artifact artifact, Instant at) {
        return sql.execute(
                        "insert into firmware_artifact(environment, sha256, file_name, size, sha1, md5, uploaded_at)"
                                + " values (?,?,?,?,?,?,?) on conflict do nothing",
                        environment.value(),
                        artifact.sha256().hex(),
                        artifact.fileName(),
                        artifact.size(),
                        artifact.sha1(),
                        artifact.md5(),
                        utc(at))
                == 1;
    }

    static Optional<Artifact> artifact(DSLContext sql, Environment environment, Digest digest) {
        return sql.fetchOptional(
                        "select sha256, file_name, size, sha1, md5 from firmware_artifact"
                                + " where environment = ? and sha256 = ?",
                        environment.value(),
                        digest.hex())
                .map(FirmwareStore::artifact);
    }

    static List<Artifact> artifacts(DSLContext sql, Environment environment, int limit) {
        return sql.fetch(
                        "select sha256, file_name, size, sha1, md5 from firmware_artifact where environment = ?"
                                + " order by uploaded_at desc, sha256 limit ?",
                        environment.value(),
                        limit)
                .map(FirmwareStore::artifact);
    }

    private static Artifact artifact(Record row) {
        return new Artifact(
                new Digest(row.get(0, String.class)),
                row.get(1, String.class),
                row.get(2, Long.class),
                row.get(3, String.class),
                row.get(4, String.class));
    }

    /// One registration of a model's releases at a time.
    static void lockModel(DSLContext sql, Environment environment, ModelId model) {
        sql.execute(
                "select pg_advisory_xact_lock(hashtextextended(?, 7))",
                "firmware/" + environment + "/" + model.value());
    }

    static long insert(DSLContext sql, Release release) {
        return sql.fetchSingle(
                        "insert into firmware_release(environment, model, version, hardware, security_counter,"
                                + " irreversible, format, signed_by, artifacts, state, state_reason, registrar, notes,"
                                + " registered_at)"
                                + " values (?,?,?,?::jsonb,?,?,?,?,?::jsonb,?,?,?,?,?) returning id",
                        release.environment().value(),
                        release.model().value(),
                        release.version().value(),
                        Json.text(release.hardware()),
                        release.securityCounter(),
                        release.irreversible(),
                        release.format().text(),
                        release.signedBy(),
                        Json.text(release.artifacts()),
                        release.state().text(),
                        release.stateReason(),
                        release.registrar(),
                        release.notes(),
                        utc(release.registeredAt()))
                .get(0, Long.class);
    }

    static Optional<Release> find(DSLContext sql, long id) {
        return sql.fetchOptional("select " + RELEASE + " from firmware_release where id = ?", id)
                .map(FirmwareStore::release);
    }

    static Optional<Release> lock(DSLContext sql, long id) {
        return sql.fetchOptional("select " + RELEASE + " from firmware_release where id = ? for update", id)
                .map(FirmwareStore::release);
    }

    static Optional<Release> find(DSLContext sql, Environment environment, ModelId model, FirmwareVersion version) {
        return sql.fetchOptional(
                        "select " + RELEASE
                                + " from firmware_release where environment = ? and model = ? and version = ?",
                        environment.value(),
                        model.value(),
                        version.value())
                .map(FirmwareStore::release);
    }

    static List<Release> list(DSLContext sql, Environment environment, long before, int limit) {
        return sql.fetch(
                        "select " + RELEASE + " from firmware_release where environment = ? and id < ?"
                                + " order by id desc limit ?",
                        environment.value(),
                        before,
                        limit)
                .map(FirmwareStore::release);
    }

    static void setState(DSLContext sql, long id, Release.State state, String reason) {
        sql.execute("update firmware_release set state = ?, state_reason = ? where id = ?", state.text(), reason, id);
    }

    static Optional<Long> floor(DSLContext sql, Environment environment, ModelId model) {
        return sql.fetchOptional(
                        "select floor from firmware_counter_floor where environment = ? and model = ?",
                        environment.value(),
                        model.value())
                .map(row -> row.get(0, Long.class));
    }

    static void raiseFloor(DSLContext sql, Environment environment, ModelId model, long floor) {
        sql.execute(
                "insert into firmware_counter_floor(environment, model, floor) values (?,?,?)"
                        + " on conflict (environment, model) do update"
                        + " set floor = greatest(firmware_counter_floor.floor, excluded.floor)",
                environment.value(),
                model.value(),
                floor);
    }

    private static Release release(Record row) {
        return new Release(
                row.get(0, Long.class),
                new Environment(row.get(1, String.class)),
                new ModelId(row.get(2, String.class)),
                new FirmwareVersion(row.get(3, String.class)),
                read(row.get(4, String.class), new TypeReference<List<String>>() {}),
                row.get(5, Long.class),
                row.get(6, Boolean.class),
                Release.Format.of(row.get(7, String.class)),
                row.get(8, String.class),
                read(row.get(9, String.class), new TypeReference<List<Artifact>>() {}),
                Release.State.of(row.get(10, String.class)),
                row.get(11, String.class),
                row.get(12, String.class),
                row.get(13, String.class),
                row.get(14, OffsetDateTime.class).toInstant());
    }

    private static <T> T read(String json, TypeReference<T> type) {
        try {
            return Json.mapper().readValue(json, type);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a stored release can't be read", e);
        }
    }

    private static OffsetDateTime utc(Instant at) {
        return at.atOffset(ZoneOffset.UTC);
    }
}
