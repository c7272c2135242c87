package dev.holdfast.operator;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import com.networknt.schema.JsonSchema;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SpecVersion;
import dev.holdfast.core.Json;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// Holds answers against `openapi.yaml`, by somebody else's validator, and closed: a property that the contract does
/// not name is a fault as much as one that is missing.
final class ContractCheck {
    private static final JsonSchemaFactory SCHEMAS = JsonSchemaFactory.getInstance(SpecVersion.VersionFlag.V202012);
    private final JsonNode contract;

    ContractCheck() {
        try (InputStream in = Objects.requireNonNull(ContractCheck.class.getResourceAsStream("/openapi.yaml"))) {
            contract = new YAMLMapper().readTree(in);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    void check(String method, String path, int status, @Nullable String mediaType, String body) {
        JsonNode operation = operation(method, path.replaceAll("\\?.*", ""));
        JsonNode responses = operation == null ? null : operation.path("responses");
        JsonNode response = responses == null
                ? contract.at("/components/responses/Problem")
                : responses.path(Integer.toString(status));
        if (response.isMissingNode()) {
            assertThat(status).as("status of %s %s: %s", method, path, body).isGreaterThanOrEqualTo(400);
            response = contract.at("/components/responses/Problem");
        }
        if (!response.has("content")) {
            assertThat(body).as("%s %s", method, path).isEmpty();
            return;
        }
        String type = mediaType == null ? "" : mediaType.replaceAll(";.*", "");
        assertThat(response.get("content").has(type))
                .as("media type %s of %s %s: %s", type, method, path, body)
                .isTrue();
        if (type.endsWith("json")) {
            JsonNode schema = response.get("content").get(type).get("schema");
            try {
                var faults = schema(schema).validate(Json.mapper().readTree(body));
                assertThat(faults).as("%s %s answers %s", method, path, body).isEmpty();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    private JsonSchema schema(JsonNode schema) {
        ObjectNode root = Json.mapper().createObjectNode();
        root.set("allOf", Json.mapper().createArrayNode().add(schema));
        root.put("unevaluatedProperties", false);
        ObjectNode components = contract.get("components").deepCopy();
        ObjectNode all = root.putObject("components");
        all.set("schemas", closed(components.get("schemas")));
        return SCHEMAS.getSchema(root);
    }

    /// Objects that are not part of an `allOf` take no further properties.
    private static JsonNode closed(JsonNode schemas) {
        java.util.Set<String> parts = new java.util.TreeSet<>();
        schemas.properties()
                .forEach(s -> s.getValue().path("allOf").forEach(part -> {
                    String reference = part.path("$ref").asText();
                    parts.add(reference.substring(reference.lastIndexOf('/') + 1));
                }));
        parts.addAll(java.util.Set.of("Invitation", "Token", "NotificationChannel"));
        schemas.properties().forEach(s -> {
            if (!parts.contains(s.getKey())) {
                close(s.getValue());
            }
        });
        return schemas;
    }

    private static void close(JsonNode node) {
        if (node instanceof ObjectNode object
                && object.path("type").asText().equals("object")
                && object.has("properties")
                && !object.has("additionalProperties")
                && !object.has("allOf")) {
            object.put("additionalProperties", false);
        }
        if (!node.has("allOf")) {
            for (JsonNode child : node) {
                close(child);
            }
        } else if (node instanceof ObjectNode object) {
            object.put("unevaluatedProperties", false);
        }
    }

    private @Nullable JsonNode operation(String method, String path) {
        String[] segments = path.substring(1).split("/", -1);
        @Nullable JsonNode found = null;
        for (Map.Entry<String, JsonNode> entry : contract.get("paths").properties()) {
            String[] forms = entry.getKey().substring(1).split("/", -1);
            boolean fits = forms.length == segments.length;
            boolean literal = true;
            for (int i = 0; fits && i < forms.length; i++) {
                fits = forms[i].startsWith("{") || forms[i].equals(segments[i]);
                literal &= !forms[i].startsWith("{");
            }
            JsonNode operation = entry.getValue().get(method.toLowerCase(java.util.Locale.ROOT));
            if (fits && operation != null && (found == null || literal)) {
                found = operation;
            }
        }
        return found;
    }
}
