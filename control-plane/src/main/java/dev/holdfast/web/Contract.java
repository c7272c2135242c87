package dev.holdfast.web;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.BooleanNode;
import com.fasterxml.jackson.databind.node.DoubleNode;
import com.fasterxml.jackson.databind.node.LongNode;
import com.fasterxml.jackson.databind.node.TextNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/// `openapi.yaml`, which is not only a description: requests are routed and checked by it.
public final class Contract {
    private static final Set<String> METHODS = Set.of("get", "put", "post", "patch", "delete");

    private final byte[] document;
    private final Schema schema;
    private final List<Operation> operations = new ArrayList<>();

    /// @param segments of the path; those in braces are parameters
    /// @param anonymous needs nobody signed in
    /// @param mediaType of the request's body; empty where there is none
    public record Operation(
            String id,
            String method,
            List<String> segments,
            boolean anonymous,
            Map<String, JsonNode> pathParameters,
            Map<String, JsonNode> queryParameters,
            Set<String> requiredQuery,
            Map<String, JsonNode> headers,
            Optional<String> mediaType,
            Optional<JsonNode> bodySchema,
            boolean bodyRequired) {}

    /// An operation found for a path, with the path's parameters decoded.
    public record Match(Operation operation, Map<String, String> path) {}

    private Contract(byte[] document) throws IOException {
        this.document = document.clone();
        JsonNode root = new YAMLMapper().readTree(document);
        this.schema = new Schema(root);
        root.get("paths")
                .properties()
                .forEach(path -> path.getValue().properties().stream()
                        .filter(entry -> METHODS.contains(entry.getKey()))
                        .forEach(entry -> operations.add(
                                operation(path.getKey(), path.getValue(), entry.getKey(), entry.getValue()))));
        operations.sort(Comparator.comparingLong(
                o -> o.segments().stream().filter(s -> s.startsWith("{")).count()));
    }

    public static Contract load() {
        try (InputStream in = Contract.class.getResourceAsStream("/openapi.yaml")) {
            if (in == null) {
                throw new IllegalStateException("openapi.yaml is missing from the jar");
            }
            return new Contract(in.readAllBytes());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public byte[] document() {
        return document.clone();
    }

    public List<Operation> operations() {
        return List.copyOf(operations);
    }

    private Operation operation(String path, JsonNode pathItem, String method, JsonNode operation) {
        Map<String, JsonNode> inPath = new HashMap<>();
        Map<String, JsonNode> inQuery = new TreeMap<>();
        Map<String, JsonNode> inHeader = new HashMap<>();
        Set<String> required = new TreeSet<>();
        List<JsonNode> parameters = new ArrayList<>();
        pathItem.path("parameters").forEach(parameters::add);
        operation.path("parameters").forEach(parameters::add);
        for (JsonNode reference : parameters) {
            JsonNode parameter = schema.resolve(reference);
            String name = parameter.get("name").asText();
            JsonNode form = parameter.get("schema");
            schema.prepare(form);
            switch (parameter.get("in").asText()) {
                case "path" -> inPath.put(name, form);
                case "query" -> {
                    inQuery.put(name, form);
                    if (parameter.path("required").asBoolean()) {
                        required.add(name);
                    }
                }
                case "header" -> inHeader.put(name, form);
                default -> throw new IllegalStateException("openapi.yaml: parameter " + name + " is nowhere");
            }
        }
        JsonNode body = schema.resolve(operation.path("requestBody"));
        Optional<String> mediaType = Optional.ofNullable(
                body.path("content").isObject()
                        ? body.path("content").fieldNames().next()
                        : null);
        Optional<JsonNode> bodySchema =
                mediaType.map(type -> body.path("content").path(type).path("schema"));
        bodySchema.ifPresent(schema::prepare);
        boolean anonymous =
                operation.has("security") && operation.get("security").isEmpty();
        return new Operation(
                operation.get("operationId").asText(),
                method.toUpperCase(java.util.Locale.ROOT),
                List.of(path.substring(1).split("/", -1)),
                anonymous,
                inPath,
                inQuery,
                required,
                inHeader,
                mediaType,
                bodySchema,
                body.path("required").asBoolean());
    }

    /// The operation for a method and a path (already percent-decoded segment by segment).
    ///
    /// @throws Problem NOT_FOUND or METHOD_NOT_ALLOWED
    Match match(String method, List<String> segments) {
        boolean pathExists = false;
        for (Operation operation : operations) {
            if (!fits(operation.segments(), segments)) {
                continue;
            }
            pathExists = true;
            if (operation.method().equals(method)) {
                Map<String, String> values = new HashMap<>();
                List<Problem.Fault> faults = new ArrayList<>();
                for (int i = 0; i < segments.size(); i++) {
                    String form = operation.segments().get(i);
                    if (form.startsWith("{")) {
                        String name = form.substring(1, form.length() - 1);
                        values.put(name, segments.get(i));
                        JsonNode known = operation.pathParameters().get(name);
                        if (known != null) {
                            faults.addAll(schema.check(known, TextNode.valueOf(segments.get(i)), name));
                        }
                    }
                }
                if (!faults.isEmpty()) {
                    throw Problem.malformed(faults);
                }
                return new Match(operation, values);
            }
        }
        throw pathExists
                ? new Problem(ProblemType.METHOD_NOT_ALLOWED, "the path exists, but not with " + method)
                : Problem.notFound("such path in the API");
    }

    private static boolean fits(List<String> forms, List<String> segments) {
        if (forms.size() != segments.size()) {
            return false;
        }
        for (int i = 0; i < forms.size(); i++) {
            if (!forms.get(i).startsWith("{") && !forms.get(i).equals(segments.get(i))) {
                return false;
            }
        }
        return true;
    }

    /// @throws Problem MALFORMED_REQUEST for an unknown, repeated, missing or ill-formed parameter
    void checkQuery(Operation operation, Map<String, List<String>> query) {
        List<Problem.Fault> faults = new ArrayList<>();
        query.forEach((name, values) -> {
            JsonNode form = operation.queryParameters().get(name);
            if (form == null) {
                faults.add(new Problem.Fault(
                        "?" + Schema.shown(name),
                        "is not known here; known: "
                                + (operation.queryParameters().isEmpty()
                                        ? "none"
                                        : String.join(
                                                ", ",
                                                operation.queryParameters().keySet()))));
            } else if (values.size() > 1) {
                faults.add(new Problem.Fault("?" + name, "is given more than once"));
            } else {
                faults.addAll(schema.check(form, typed(schema.resolve(form), values.getFirst()), "?" + name));
            }
        });
        operation.requiredQuery().stream()
                .filter(name -> !query.containsKey(name))
                .forEach(name -> faults.add(new Problem.Fault("?" + name, "is missing")));
        if (!faults.isEmpty()) {
            throw Problem.malformed(faults);
        }
    }

    void checkHeader(Operation operation, String name, String value) {
        JsonNode form = operation.headers().get(name);
        if (form != null) {
            List<Problem.Fault> faults = schema.check(form, TextNode.valueOf(value), name);
            if (!faults.isEmpty()) {
                throw Problem.malformed(faults);
            }
        }
    }

    /// @throws Problem MALFORMED_REQUEST naming every place where the body breaks the contract
    void checkBody(Operation operation, JsonNode body) {
        List<Problem.Fault> faults =
                operation.bodySchema().map(s -> schema.check(s, body, "")).orElse(List.of());
        if (!faults.isEmpty()) {
            throw Problem.malformed(faults);
        }
    }

    /// The default that the contract states for a query parameter.
    Optional<String> defaultOf(Operation operation, String name) {
        JsonNode form = operation.queryParameters().get(name);
        return form == null || !form.has("default")
                ? Optional.empty()
                : Optional.of(form.get("default").asText());
    }

    private static JsonNode typed(JsonNode form, String value) {
        try {
            return switch (form.path("type").asText()) {
                case "integer" -> LongNode.valueOf(Long.parseLong(value));
                case "number" -> DoubleNode.valueOf(Double.parseDouble(value));
                case "boolean" ->
                    value.equals("true") || value.equals("false")
                            ? BooleanNode.valueOf(value.equals("true"))
                            : TextNode.valueOf(value);
                default -> TextNode.valueOf(value);
            };
        } catch (NumberFormatException e) {
            return TextNode.valueOf(value);
        }
    }
}
