package dev.holdfast.attestation;

import com.fasterxml.jackson.core.JsonProcessingException;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Environment;
import dev.holdfast.core.FirmwareVersion;
import dev.holdfast.core.Json;
import dev.holdfast.core.ModelId;
import dev.holdfast.protocol.tpm.PcrSelection;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.jooq.DSLContext;
import org.jooq.Record;

/// The tables of reference values.
final class ReferenceStore {
    private static final String COLUMNS =
            "select generation, origin, name, firmware, content, superseded from tpm_reference ";

    private ReferenceStore() {}

    static Optional<PcrPolicy> policy(DSLContext sql, Environment environment, ModelId model) {
        return sql.fetchOptional(
                        "select pcrs, first_use, every_s from tpm_policy where environment = ? and model = ?",
                        environment.value(),
                        model.value())
                .map(row -> new PcrPolicy(
                        PcrSelection.parse(row.get(0, String.class)),
                        row.get(1, Boolean.class),
                        Optional.ofNullable(row.get(2, Long.class)).map(Duration::ofSeconds)));
    }

    /// The interval counts from when it was set, or a fleet would be late at once.
    static void putPolicy(DSLContext sql, Environment environment, ModelId model, PcrPolicy policy, Instant now) {
        sql.execute(
                "insert into tpm_policy as p(environment, model, pcrs, first_use, every_s, set_at)"
                        + " values (?, ?, ?, ?, ?, ?) on conflict (environment, model) do update set"
                        + " pcrs = excluded.pcrs, first_use = excluded.first_use, every_s = excluded.every_s,"
                        + " set_at = case when p.every_s = excluded.every_s then p.set_at else excluded.set_at end",
                environment.value(),
                model.value(),
                policy.selection().text(),
                policy.firstUse(),
                policy.every().map(Duration::toSeconds).orElse(null),
                EndorsementStore.utc(now));
    }

    /// Oldest first.
    static List<PcrReference> ofModel(DSLContext sql, Environment environment, ModelId model) {
        return sql.fetch(
                        COLUMNS + "where environment = ? and model = ? order by generation",
                        environment.value(),
                        model.value())
                .map(ReferenceStore::reference);
    }

    static List<PcrReference> ofDevice(DSLContext sql, DeviceRef device) {
        return sql.fetch(
                        COLUMNS + "where environment = ? and device = ? order by generation",
                        device.environment().value(),
                        device.id().value())
                .map(ReferenceStore::reference);
    }

    static void insertForModel(
            DSLContext sql, Environment environment, ModelId model, References.Wish wish, Instant now) {
        sql.execute(
                "insert into tpm_reference(environment, model, origin, name, firmware, content, superseded, created_at)"
                        + " values (?, ?, 'model', ?, ?, ?, ?, ?)",
                environment.value(),
                model.value(),
                wish.name(),
                wish.firmware().map(FirmwareVersion::value).orElse(null),
                Json.text(wish.values()),
                wish.superseded(),
                EndorsementStore.utc(now));
    }

    static void setFirmware(DSLContext sql, long generation, Optional<FirmwareVersion> firmware) {
        sql.execute(
                "update tpm_reference set firmware = ? where generation = ?",
                firmware.map(FirmwareVersion::value).orElse(null),
                generation);
    }

    static void insertForDevice(
            DSLContext sql,
            DeviceRef device,
            PcrReference.Origin origin,
            String name,
            Map<String, String> values,
            Instant now) {
        sql.execute(
                "insert into tpm_reference(environment, device, origin, name, content, superseded, created_at)"
                        + " values (?, ?, ?, ?, ?, false, ?)",
                device.environment().value(),
                device.id().value(),
                text(origin),
                name,
                Json.text(values),
                EndorsementStore.utc(now));
    }

    /// The measured events that lead to its values, where a log has shown them.
    static Optional<MeasuredEvents> events(DSLContext sql, long generation) {
        return sql.fetchOptional("select events from tpm_reference where generation = ?", generation)
                .flatMap(row -> Optional.ofNullable(row.get(0, String.class)))
                .map(MeasuredEvents::parse);
    }

    static void learnEvents(DSLContext sql, long generation, MeasuredEvents events) {
        sql.execute(
                "update tpm_reference set events = ? where generation = ? and events is null",
                events.json(),
                generation);
    }

    static void supersede(DSLContext sql, long generation) {
        sql.execute("update tpm_reference set superseded = true where generation = ?", generation);
    }

    static String text(PcrReference.Origin origin) {
        return origin.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    private static PcrReference reference(Record row) {
        String origin = row.get(1, String.class);
        Map<String, String> values = new HashMap<>();
        try {
            Json.tree(row.get(4, String.class))
                    .properties()
                    .forEach(e -> values.put(e.getKey(), e.getValue().asText()));
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("stored reference values can't be read", e);
        }
        return new PcrReference(
                row.get(0, Long.class),
                PcrReference.Origin.valueOf(origin.toUpperCase(Locale.ROOT).replace('-', '_')),
                row.get(2, String.class),
                Optional.ofNullable(row.get(3, String.class)).map(FirmwareVersion::new),
                values,
                row.get(5, Boolean.class));
    }
}
