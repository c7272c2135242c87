package dev.holdfast.web;

import dev.holdfast.core.Json;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// A JSON object for an answer. Absent values ([Optional#empty], null) are left out, never written as null.
public final class Fields {
    private final Map<String, Object> values = new LinkedHashMap<>();

    public static Fields of(String name, @Nullable Object value) {
        return new Fields().with(name, value);
    }

    public Fields with(String name, @Nullable Object value) {
        Object plain = plain(value);
        if (plain != null) {
            values.put(name, plain);
        }
        return this;
    }

    public Fields with(Fields others) {
        values.putAll(others.values);
        return this;
    }

    public byte[] bytes() {
        return Json.bytes(values);
    }

    /// For [com.fasterxml.jackson.databind.ObjectMapper].
    public Map<String, Object> values() {
        return values;
    }

    private static @Nullable Object plain(@Nullable Object value) {
        return switch (value) {
            case null -> null;
            case Optional<?> optional -> plain(optional.orElse(null));
            case Instant instant -> instant.truncatedTo(ChronoUnit.MILLIS).toString();
            case Fields fields -> fields.values;
            case List<?> list -> list.stream().map(Fields::plain).toList();
            case Collection<?> others -> others.stream().map(Fields::plain).toList();
            case Map<?, ?> map -> {
                Map<String, Object> copy = new LinkedHashMap<>();
                map.forEach((key, each) -> {
                    Object inner = plain(each);
                    if (inner != null) {
                        copy.put(key.toString(), inner);
                    }
                });
                yield copy;
            }
            case String text -> text;
            case Number number -> number;
            case Boolean flag -> flag;
            case com.fasterxml.jackson.databind.JsonNode node -> node;
            default -> value.toString();
        };
    }
}
