package dev.holdfast.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// The public API of one server, as one operator.
final class ApiClient {
    static final ObjectMapper JSON = new ObjectMapper();
    private final HttpClient http =
            HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(10)).build();
    private final String base;
    private final @Nullable String token;
    private final @Nullable String environment;

    /// @param url of the operator plane, such as `http://localhost:8080`
    /// @param environment empty for the server's default
    ApiClient(String url, @Nullable String token, @Nullable String environment) {
        this.base = url.replaceAll("/+$", "");
        if (!base.matches("https?://[^/?#\\s]+(/\\S*)?")) {
            throw new ApiException(2, "not a URL of a server: '" + url + "'; it looks like http://localhost:8080");
        }
        if (token != null && !token.matches("[\\x21-\\x7e]{1,500}")) {
            throw new ApiException(
                    2, "that is no API token: one is a single word. What was given instead is neither sent nor shown");
        }
        this.token = token;
        this.environment = environment;
    }

    String url() {
        return base;
    }

    JsonNode get(String path, Map<String, String> query) {
        return json(send(request(path, query).GET()));
    }

    JsonNode get(String path) {
        return get(path, Map.of());
    }

    JsonNode post(String path, Object body) {
        return json(send(json(path, "POST", body)));
    }

    JsonNode put(String path, Object body) {
        return json(send(json(path, "PUT", body)));
    }

    JsonNode patch(String path, Object body) {
        return json(send(json(path, "PATCH", body)));
    }

    void delete(String path) {
        send(request(path, Map.of()).DELETE());
    }

    String text(String path, Map<String, String> query) {
        return send(request(path, query).GET());
    }

    JsonNode upload(String path, Map<String, String> query, String mediaType, Path file) {
        try {
            return json(send(request(path, query)
                    .timeout(Duration.ofHours(1))
                    .header("Content-Type", mediaType)
                    .POST(HttpRequest.BodyPublishers.ofFile(file))));
        } catch (FileNotFoundException e) {
            throw new ApiException(3, "no file " + file);
        }
    }

    /// Every page of a list, up to that many rows.
    ///
    /// @param field the array's name in each page
    List<JsonNode> pages(String path, Map<String, String> query, String field, int most) {
        Map<String, String> asked = new LinkedHashMap<>(query);
        List<JsonNode> rows = new ArrayList<>();
        while (true) {
            asked.put("limit", String.valueOf(Math.min(500, most - rows.size())));
            JsonNode page = get(path, asked);
            page.path(field).forEach(rows::add);
            if (!page.has("next") || rows.size() >= most) {
                return rows;
            }
            asked.put("cursor", page.path("next").asText());
        }
    }

    /// A query without the parameters that are empty.
    ///
    /// @param pairs name, value, name, value...
    static Map<String, String> query(String... pairs) {
        Map<String, String> query = new LinkedHashMap<>();
        for (int i = 0; i < pairs.length; i += 2) {
            if (!pairs[i + 1].isEmpty()) {
                query.put(pairs[i], pairs[i + 1]);
            }
        }
        return query;
    }

    static List<JsonNode> rows(JsonNode array) {
        List<JsonNode> rows = new ArrayList<>();
        array.forEach(rows::add);
        return rows;
    }

    static ObjectNode object() {
        return JSON.createObjectNode();
    }

    private HttpRequest.Builder json(String path, String method, Object body) {
        try {
            return request(path, Map.of())
                    .header("Content-Type", "application/json")
                    .method(method, HttpRequest.BodyPublishers.ofByteArray(JSON.writeValueAsBytes(body)));
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    private HttpRequest.Builder request(String path, Map<String, String> query) {
        Map<String, String> all = new LinkedHashMap<>(query);
        if (environment != null && takesEnvironment(path)) {
            all.putIfAbsent("environment", environment);
        }
        String text = all.entrySet().stream()
                .map(e -> encode(e.getKey()) + "=" + encode(e.getValue()))
                .collect(Collectors.joining("&"));
        HttpRequest.Builder request = HttpRequest.newBuilder(
                        URI.create(base + "/api/v1" + path + (text.isEmpty() ? "" : "?" + text)))
                .timeout(Duration.ofSeconds(60))
                .header("Accept", "application/json, application/problem+json, */*;q=0.1");
        if (token != null) {
            request.header("Authorization", "Bearer " + token);
        }
        return request;
    }

    private static boolean takesEnvironment(String path) {
        return !path.matches("/(me|server|freeze|tokens|accounts|invitations|journal/.*)(/.*)?");
    }

    static String encode(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
    }

    private String send(HttpRequest.Builder request) {
        HttpRequest built = request.build();
        try {
            HttpResponse<String> response = http.send(built, HttpResponse.BodyHandlers.ofString());
            if (response.statusCode() / 100 != 2) {
                throw ApiException.problem(response.statusCode(), explain(response));
            }
            return response.body();
        } catch (ConnectException e) {
            throw new ApiException(
                    1,
                    "no server answers at " + base + ". Is it running (holdfast serve)? Another one: --url or"
                            + " HOLDFAST_CLI_URL");
        } catch (HttpTimeoutException e) {
            throw new ApiException(7, "the server at " + base + " did not answer in time");
        } catch (IOException e) {
            throw new ApiException(
                    1,
                    "talking to " + base + " failed: " + e.getMessage()
                            + ". Is it the port of the console? Those of devices (8443, 8883) are others");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ApiException(1, "interrupted");
        }
    }

    /// Cause, fix, and the reference to quote: what RFC 9457 problems of this server carry.
    private String explain(HttpResponse<String> response) {
        try {
            return ProblemText.of(response.statusCode(), JSON.readTree(response.body()));
        } catch (JsonProcessingException notAProblem) {
            return "HTTP " + response.statusCode() + " from " + base;
        }
    }

    /// @throws ApiException when it is not JSON
    static JsonNode parse(String text) {
        try {
            return JSON.readTree(text);
        } catch (JsonProcessingException e) {
            throw new ApiException(
                    1,
                    "not JSON, from line " + e.getLocation().getLineNr() + ", column "
                            + e.getLocation().getColumnNr() + " on");
        }
    }

    private static JsonNode json(String body) {
        try {
            return body.isEmpty() ? JSON.createObjectNode() : JSON.readTree(body);
        } catch (JsonProcessingException e) {
            throw new ApiException(1, "the server's answer is not JSON; is this Holdfast's operator plane?");
        }
    }
}
