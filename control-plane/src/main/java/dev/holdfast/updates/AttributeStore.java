package dev.holdfast.updates;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Json;
import dev.holdfast.protocol.ddi.DdiAttributes;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jooq.DSLContext;

/// The table of what devices say of themselves.
final class AttributeStore {
    private AttributeStore() {}

    static Map<String, String> read(DSLContext sql, DeviceRef device) {
        Optional<String> stored = sql.fetchOptional(
                        "select attributes::text from update_attributes where environment = ? and device = ?",
                        device.environment().value(),
                        device.id().value())
                .map(row -> row.get(0, String.class));
        try {
            return stored.isEmpty()
                    ? Map.of()
                    : Json.mapper().readValue(stored.get(), new TypeReference<Map<String, String>>() {});
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("stored attributes can't be read", e);
        }
    }

    static void put(DSLContext sql, DeviceRef device, DdiAttributes said, Instant now) {
        Map<String, String> merged =
                said.mode() == DdiAttributes.Mode.REPLACE ? new TreeMap<>() : new TreeMap<>(read(sql, device));
        if (said.mode() == DdiAttributes.Mode.REMOVE) {
            said.data().keySet().forEach(merged::remove);
        } else {
            said.data().forEach((key, value) -> {
                if (merged.containsKey(key) || merged.size() < DdiAttributes.MOST) {
                    merged.put(key, value);
                }
            });
        }
        sql.execute(
                "insert into update_attributes(environment, device, attributes, at) values (?, ?, ?::jsonb, ?)"
                        + " on conflict (environment, device) do update set attributes = excluded.attributes,"
                        + " at = excluded.at",
                device.environment().value(),
                device.id().value(),
                Json.text(merged),
                now.atOffset(ZoneOffset.UTC));
    }
}
