package dev.holdfast.web;

import com.fasterxml.jackson.databind.JsonNode;
import com.google.re2j.Pattern;
import java.math.BigDecimal;
import java.time.DateTimeException;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/// The subset of JSON Schema 2020-12 that our contract uses, with messages for people.
///
/// A keyword we don't know fails at start, so that the contract can't promise a check that is not made.
public final class Schema {
    private static final Set<String> KNOWN = Set.of(
            "$ref",
            "type",
            "enum",
            "properties",
            "required",
            "additionalProperties",
            "minProperties",
            "maxProperties",
            "items",
            "minItems",
            "maxItems",
            "minLength",
            "maxLength",
            "pattern",
            "format",
            "minimum",
            "maximum",
            "exclusiveMinimum",
            "allOf",
            "default",
            "description",
            "examples");
    private static final int MOST_FAULTS = 20;

    private final JsonNode root;
    private final Map<String, Pattern> patterns = new HashMap<>();

    /// @param contract the whole OpenAPI document, in which `$ref` points
    Schema(JsonNode contract) {
        this.root = contract;
        contract.at("/components/schemas").forEach(this::prepare);
    }

    /// Compiles patterns and refuses unknown keywords.
    void prepare(JsonNode schema) {
        schema.fieldNames().forEachRemaining(keyword -> {
            if (!KNOWN.contains(keyword)) {
                throw new IllegalStateException("openapi.yaml uses a keyword that is not checked: " + keyword);
            }
        });
        if (schema.has("pattern")) {
            String pattern = schema.get("pattern").asText();
            patterns.computeIfAbsent(pattern, Pattern::compile);
        }
        schema.path("properties").forEach(this::prepare);
        schema.path("allOf").forEach(this::prepare);
        if (schema.has("items")) {
            prepare(schema.get("items"));
        }
        if (schema.path("additionalProperties").isObject()) {
            prepare(schema.get("additionalProperties"));
        }
    }

    List<Problem.Fault> check(JsonNode schema, JsonNode value, String at) {
        List<Problem.Fault> faults = new ArrayList<>();
        check(schema, value, at, faults);
        return faults;
    }

    JsonNode resolve(JsonNode schema) {
        JsonNode resolved = schema;
        while (resolved.has("$ref")) {
            resolved = root.at(resolved.get("$ref").asText().substring(1));
        }
        return resolved;
    }

    private void check(JsonNode unresolved, JsonNode value, String at, List<Problem.Fault> faults) {
        JsonNode schema = resolve(unresolved);
        if (faults.size() >= MOST_FAULTS) {
            return;
        }
        String place = at.isEmpty() ? "/" : at;
        if (schema.has("type") && !ofType(schema.get("type"), value)) {
            faults.add(new Problem.Fault(
                    place, "should be " + schema.get("type").toString().replace("\"", "") + ", is " + typeOf(value)));
            return;
        }
        if (schema.has("enum") && !contains(schema.get("enum"), value)) {
            faults.add(new Problem.Fault(
                    place, "should be one of " + schema.get("enum").toString().replace("\"", "")));
        }
        schema.path("allOf").forEach(part -> check(part, value, at, faults));
        if (value.isTextual()) {
            checkText(schema, value.asText(), place, faults);
        } else if (value.isFloatingPointNumber() && !Double.isFinite(value.doubleValue())) {
            faults.add(new Problem.Fault(place, "is too large a number"));
        } else if (value.isNumber()) {
            checkNumber(schema, value.decimalValue(), place, faults);
        } else if (value.isArray()) {
            checkArray(schema, value, at, faults);
        } else if (value.isObject()) {
            checkObject(schema, value, at, faults);
        }
    }

    private void checkText(JsonNode schema, String text, String place, List<Problem.Fault> faults) {
        int length = text.codePointCount(0, text.length());
        if (length < schema.path("minLength").asInt(0)) {
            faults.add(new Problem.Fault(place, "is empty or too short"));
        }
        if (length > schema.path("maxLength").asInt(Integer.MAX_VALUE)) {
            faults.add(new Problem.Fault(place, "is longer than " + schema.get("maxLength") + " characters"));
        } else if (schema.has("pattern")) {
            String pattern = schema.get("pattern").asText();
            Pattern compiled = patterns.computeIfAbsent(pattern, Pattern::compile);
            if (!compiled.matcher(text).find()) {
                faults.add(new Problem.Fault(place, "is not of the form " + pattern));
            }
        }
        if (schema.path("format").asText().equals("date-time")) {
            try {
                OffsetDateTime.parse(text);
            } catch (DateTimeException e) {
                faults.add(new Problem.Fault(place, "is not an RFC 3339 time such as 2026-03-01T12:00:00Z"));
            }
        }
    }

    private static void checkNumber(JsonNode schema, BigDecimal number, String place, List<Problem.Fault> faults) {
        if (schema.has("minimum") && number.compareTo(schema.get("minimum").decimalValue()) < 0) {
            faults.add(new Problem.Fault(place, "is less than " + schema.get("minimum")));
        }
        if (schema.has("maximum") && number.compareTo(schema.get("maximum").decimalValue()) > 0) {
            faults.add(new Problem.Fault(place, "is more than " + schema.get("maximum")));
        }
        if (schema.has("exclusiveMinimum")
                && number.compareTo(schema.get("exclusiveMinimum").decimalValue()) <= 0) {
            faults.add(new Problem.Fault(place, "is not more than " + schema.get("exclusiveMinimum")));
        }
    }

    private void checkArray(JsonNode schema, JsonNode value, String at, List<Problem.Fault> faults) {
        if (value.size() < schema.path("minItems").asInt(0)) {
            faults.add(new Problem.Fault(at, "has fewer than " + schema.get("minItems") + " items"));
        }
        if (value.size() > schema.path("maxItems").asInt(Integer.MAX_VALUE)) {
            faults.add(new Problem.Fault(at, "has more than " + schema.get("maxItems") + " items"));
            return;
        }
        for (int i = 0; schema.has("items") && i < value.size(); i++) {
            check(schema.get("items"), value.get(i), at + "/" + i, faults);
        }
    }

    private void checkObject(JsonNode schema, JsonNode value, String at, List<Problem.Fault> faults) {
        for (JsonNode name : schema.path("required")) {
            if (!value.has(name.asText())) {
                faults.add(new Problem.Fault(at + "/" + name.asText(), "is missing"));
            }
        }
        if (value.size() < schema.path("minProperties").asInt(0)) {
            faults.add(new Problem.Fault(at, "has fewer than " + schema.get("minProperties") + " properties"));
        }
        if (value.size() > schema.path("maxProperties").asInt(Integer.MAX_VALUE)) {
            faults.add(new Problem.Fault(at, "has more than " + schema.get("maxProperties") + " properties"));
            return;
        }
        JsonNode others = schema.path("additionalProperties");
        JsonNode known = schema.path("properties");
        for (Map.Entry<String, JsonNode> property : value.properties()) {
            String place = at + "/" + shown(property.getKey());
            if (known.has(property.getKey())) {
                check(known.get(property.getKey()), property.getValue(), place, faults);
            } else if (others.isObject()) {
                check(others, property.getValue(), place, faults);
            } else if (others.isBoolean() && !others.asBoolean()) {
                Set<String> names = new TreeSet<>();
                known.fieldNames().forEachRemaining(names::add);
                faults.add(new Problem.Fault(
                        place, "is not known here; known: " + (names.isEmpty() ? "none" : String.join(", ", names))));
            }
        }
    }

    /// A name somebody sent, safe and short enough for a message.
    public static String shown(String name) {
        String plain = name.replaceAll("[^\\x20-\\x7e]", "?");
        return plain.length() > 60 ? plain.substring(0, 60) + "..." : plain;
    }

    private static boolean ofType(JsonNode type, JsonNode value) {
        if (type.isArray()) {
            for (JsonNode one : type) {
                if (ofType(one, value)) {
                    return true;
                }
            }
            return false;
        }
        return switch (type.asText()) {
            case "object" -> value.isObject();
            case "array" -> value.isArray();
            case "string" -> value.isTextual();
            case "boolean" -> value.isBoolean();
            case "number" -> value.isNumber();
            case "integer" -> value.isIntegralNumber();
            case "null" -> value.isNull();
            default -> throw new IllegalStateException("openapi.yaml: unknown type " + type);
        };
    }

    private static String typeOf(JsonNode value) {
        return value.isIntegralNumber() ? "integer" : value.getNodeType().name().toLowerCase(java.util.Locale.ROOT);
    }

    private static boolean contains(JsonNode values, JsonNode value) {
        for (JsonNode one : values) {
            if (one.equals(value)) {
                return true;
            }
        }
        return false;
    }
}
