package dev.holdfast.attestation;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Json;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jooq.DSLContext;

/// The tables of verdicts and of each TPM's state.
final class VerdictStore {
    private static final int KEPT = 20;

    private VerdictStore() {}

    /// @param said the journal has it, too
    static void insert(DSLContext sql, Verdict verdict, boolean said) {
        String environment = verdict.device().environment().value();
        String device = verdict.device().id().value();
        sql.execute(
                "insert into tpm_verdict(environment, device, at, occasion, passed, said, content)"
                        + " values (?, ?, ?, ?, ?, ?, ?)",
                environment,
                device,
                EndorsementStore.utc(verdict.at()),
                verdict.occasion().text(),
                verdict.passed(),
                said,
                Json.text(content(verdict)));
        sql.execute(
                "delete from tpm_verdict where environment = ? and device = ? and id not in (select id from tpm_verdict"
                        + " where environment = ? and device = ? order by id desc limit ?)",
                environment,
                device,
                environment,
                device,
                KEPT);
    }

    private static Map<String, Object> content(Verdict verdict) {
        Map<String, Object> fields = new TreeMap<>();
        fields.put("faults", verdict.faults());
        verdict.because().ifPresent(why -> fields.put("because", why));
        fields.put("software", verdict.software());
        fields.put("endorsement", verdict.endorsement());
        verdict.reference().ifPresent(name -> fields.put("reference", name));
        verdict.expected().ifPresent(name -> fields.put("expected", name));
        verdict.eventLog().ifPresent(said -> fields.put("eventLog", said));
        fields.put(
                "differences",
                verdict.differences().stream().map(VerdictStore::content).toList());
        fields.put("registers", new TreeMap<>(verdict.registers()));
        verdict.life()
                .ifPresent(life -> fields.put(
                        "life",
                        Map.of(
                                "clock", life.clock(),
                                "resets", life.resets(),
                                "restarts", life.restarts(),
                                "firmware", life.firmware())));
        return fields;
    }

    private static Map<String, Object> content(Verdict.Difference difference) {
        return Map.of(
                "register", difference.register(),
                "expected", difference.expected(),
                "seen", difference.seen(),
                "events",
                        difference.events().stream()
                                .map(change -> {
                                    Map<String, Object> both = new TreeMap<>();
                                    change.expected().ifPresent(text -> both.put("expected", text));
                                    change.seen().ifPresent(text -> both.put("seen", text));
                                    return both;
                                })
                                .toList());
    }

    private static List<Verdict.Difference> differences(JsonNode json) {
        List<Verdict.Difference> all = new ArrayList<>();
        for (JsonNode each : json) {
            List<Verdict.Change> events = new ArrayList<>();
            each.path("events")
                    .forEach(change -> events.add(new Verdict.Change(text(change, "expected"), text(change, "seen"))));
            all.add(new Verdict.Difference(
                    each.path("register").asText(),
                    each.path("expected").asText(),
                    each.path("seen").asText(),
                    events));
        }
        return all;
    }

    /// Newest first.
    static List<Verdict> of(DSLContext sql, DeviceRef device, int limit) {
        return sql.fetch(
                        "select at, occasion, passed, content from tpm_verdict where environment = ? and device = ?"
                                + " order by id desc limit ?",
                        device.environment().value(),
                        device.id().value(),
                        limit)
                .map(row -> verdict(
                        device,
                        row.get(0, OffsetDateTime.class).toInstant(),
                        row.get(1, String.class),
                        row.get(2, Boolean.class),
                        row.get(3, String.class)));
    }

    private static Verdict verdict(DeviceRef device, Instant at, String occasion, boolean passed, String content) {
        try {
            JsonNode json = Json.tree(content);
            List<String> faults = new ArrayList<>();
            json.path("faults").forEach(fault -> faults.add(fault.asText()));
            Map<String, String> registers = new HashMap<>();
            json.path("registers")
                    .properties()
                    .forEach(e -> registers.put(e.getKey(), e.getValue().asText()));
            JsonNode life = json.path("life");
            return new Verdict(
                    device,
                    at,
                    Verdict.Occasion.of(occasion),
                    passed,
                    faults,
                    text(json, "because"),
                    json.path("software").asBoolean(),
                    json.path("endorsement").asText(),
                    text(json, "reference"),
                    text(json, "expected"),
                    differences(json.path("differences")),
                    text(json, "eventLog"),
                    registers,
                    life.isObject()
                            ? Optional.of(new Verdict.Life(
                                    life.path("clock").asLong(),
                                    life.path("resets").asLong(),
                                    life.path("restarts").asLong(),
                                    life.path("firmware").asText()))
                            : Optional.empty());
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a stored verdict can't be read", e);
        }
    }

    private static Optional<String> text(JsonNode json, String field) {
        return json.hasNonNull(field) ? Optional.of(json.path(field).asText()) : Optional.empty();
    }

    /// When the journal was last told of a verdict that is still kept.
    static Optional<Instant> lastSaid(DSLContext sql, DeviceRef device) {
        return sql.fetchOptional(
                        "select max(at) from tpm_verdict where environment = ? and device = ? and said",
                        device.environment().value(),
                        device.id().value())
                .flatMap(row -> Optional.ofNullable(row.get(0, OffsetDateTime.class)))
                .map(OffsetDateTime::toInstant);
    }

    // ------------------------------------------------------------------ each TPM's state

    /// @param endorsement fingerprint
    /// @param software it is a program that imitates a TPM, or nothing said that it is not
    /// @param attestation TPMT_PUBLIC, hexadecimal
    /// @param generation of the model's references that it had last; 0 for none
    record State(String endorsement, boolean software, String attestation, TpmLife life, long generation) {}

    static Optional<State> lock(DSLContext sql, DeviceRef device) {
        return state(sql, device, " for update");
    }

    static Optional<State> find(DSLContext sql, DeviceRef device) {
        return state(sql, device, "");
    }

    private static Optional<State> state(DSLContext sql, DeviceRef device, String lock) {
        return sql.fetchOptional(
                        "select endorsement, software, attestation, attestation_name, genuine, clock, resets, restarts, firmware,"
                                + " generation from tpm_state where environment = ? and device = ?" + lock,
                        device.environment().value(),
                        device.id().value())
                .map(row -> new State(
                        row.get(0, String.class),
                        row.get(1, Boolean.class),
                        row.get(2, String.class),
                        new TpmLife(
                                row.get(3, String.class),
                                row.get(4, Boolean.class),
                                row.get(5, Long.class),
                                true,
                                row.get(6, Long.class),
                                row.get(7, Long.class),
                                row.get(8, Long.class)),
                        row.get(9, Long.class)));
    }

    static void put(DSLContext sql, DeviceRef device, State state, Instant now) {
        sql.execute(
                "insert into tpm_state(environment, device, endorsement, software, attestation, attestation_name,"
                        + " genuine, clock, resets, restarts, firmware, generation, updated_at)"
                        + " values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict (environment, device) do update set"
                        + " endorsement = excluded.endorsement, software = excluded.software, attestation = excluded.attestation,"
                        + " attestation_name = excluded.attestation_name, genuine = excluded.genuine,"
                        + " clock = excluded.clock, resets = excluded.resets, restarts = excluded.restarts,"
                        + " firmware = excluded.firmware, generation = excluded.generation,"
                        + " updated_at = excluded.updated_at",
                device.environment().value(),
                device.id().value(),
                state.endorsement(),
                state.software(),
                state.attestation(),
                state.life().attestationKey(),
                state.life().genuine(),
                state.life().clock(),
                state.life().resets(),
                state.life().restarts(),
                state.life().firmware(),
                state.generation(),
                EndorsementStore.utc(now));
    }

    /// An operator accepts that a TPM's life began anew (it was cleared, or its firmware replaced).
    static void forgetLife(DSLContext sql, DeviceRef device) {
        sql.execute(
                "update tpm_state set clock = 0, resets = 0, restarts = 0, firmware = 0, generation = 0"
                        + " where environment = ? and device = ?",
                device.environment().value(),
                device.id().value());
    }
}
