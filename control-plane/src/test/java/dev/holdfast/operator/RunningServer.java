package dev.holdfast.operator;

import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.Server;
import dev.holdfast.TestServer;
import dev.holdfast.config.Configuration;
import dev.holdfast.config.ConfigurationException;
import dev.holdfast.core.Json;
import dev.holdfast.database.Database;
import dev.holdfast.database.TestDatabase;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// The whole server on free ports of loopback and a database of its own, and an HTTP client that holds every
/// answer against the contract.
public final class RunningServer implements AutoCloseable {
    private final HttpClient http =
            HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(10)).build();
    private final ContractCheck contract = new ContractCheck();
    private final Server server;
    private final Path folder;
    private final String token;

    private RunningServer(Server server, Path folder, String token) {
        this.server = server;
        this.folder = folder;
        this.token = token;
    }

    public static RunningServer start() {
        return start(Map.of());
    }

    /// @param settings further `HOLDFAST_...` variables
    public static RunningServer start(Map<String, String> settings) {
        try {
            Path folder = Files.createTempDirectory("holdfast-operator");
            return start(folder, TestDatabase.freshAddress(), settings);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static RunningServer start(Path folder, Database.Address database, Map<String, String> settings) {
        try {
            Path password = folder.resolve("database-password");
            Files.writeString(password, database.password());
            Map<String, String> variables = new TreeMap<>(Map.of(
                    "HOLDFAST_DATABASE_URL",
                    database.url(),
                    "HOLDFAST_DATABASE_USER",
                    database.user(),
                    "HOLDFAST_DATABASE_PASSWORD_FILE",
                    password.toString(),
                    "HOLDFAST_DATABASE_CONNECTIONS",
                    "8",
                    "HOLDFAST_ACCESS_FIRST_TOKEN",
                    "true",
                    "HOLDFAST_PUBLIC_HOST_NAME",
                    "localhost"));
            for (String listener :
                    new String[] {"OPERATOR", "DEVICE", "CHANNEL_BOUND", "MQTT", "PKI", "SYSLOG", "IPFIX"}) {
                variables.put("HOLDFAST_LISTENERS_" + listener + "_PORT", "0");
                variables.put("HOLDFAST_LISTENERS_" + listener + "_HOST", "127.0.0.1");
            }
            variables.putAll(settings);
            Server server = Server.start(
                    Configuration.load(Optional.empty(), variables),
                    folder.resolve("data"),
                    InstantSource.system(),
                    new SecureRandom());
            String token =
                    Files.readString(folder.resolve("data/secrets/first-token")).strip();
            return new RunningServer(server, folder, token);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (ConfigurationException e) {
            throw new IllegalStateException(e);
        }
    }

    /// The API of a server that a test of an edge has started, with `HOLDFAST_ACCESS_FIRST_TOKEN`; not to be
    /// closed.
    public static RunningServer over(TestServer server) {
        try {
            return new RunningServer(
                    server.server(),
                    server.folder(),
                    Files.readString(server.folder().resolve("data/secrets/first-token"))
                            .strip());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public Server server() {
        return server;
    }

    public Path folder() {
        return folder;
    }

    /// The first token: every scope.
    public String token() {
        return token;
    }

    public int port() {
        return server.operator().port();
    }

    /// Such as `http://localhost:40123`.
    public String url() {
        return server.operator().url();
    }

    /// An answer, already held against the contract.
    public record Answer(int status, Map<String, String> headers, String text) {
        public JsonNode json() {
            try {
                return Json.tree(text);
            } catch (com.fasterxml.jackson.core.JsonProcessingException e) {
                throw new AssertionError("not JSON: " + text, e);
            }
        }

        /// The last part of the problem's page.
        public String problem() {
            String type = json().path("type").asText();
            return type.substring(type.lastIndexOf('/') + 1);
        }
    }

    public Answer get(String path) {
        return send("GET", path, null, Map.of());
    }

    public Answer post(String path, String json) {
        return send("POST", path, json, Map.of());
    }

    public Answer put(String path, String json) {
        return send("PUT", path, json, Map.of());
    }

    public Answer patch(String path, String json) {
        return send("PATCH", path, json, Map.of());
    }

    public Answer delete(String path) {
        return send("DELETE", path, null, Map.of());
    }

    /// With the first token, unless the headers say otherwise (`authorization: -` for none).
    public Answer send(
            String method, String path, @org.jspecify.annotations.Nullable String body, Map<String, String> headers) {
        HttpRequest.Builder request = HttpRequest.newBuilder(
                        URI.create("http://localhost:" + port() + "/api/v1" + path))
                .timeout(Duration.ofSeconds(60))
                .method(
                        method,
                        body == null ? HttpRequest.BodyPublishers.noBody() : HttpRequest.BodyPublishers.ofString(body));
        Map<String, String> all = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
        all.put("authorization", "Bearer " + token);
        if (body != null) {
            all.put("content-type", "application/json");
        }
        all.putAll(headers);
        all.values().removeIf("-"::equals);
        all.forEach(request::header);
        try {
            HttpResponse<String> response = http.send(request.build(), HttpResponse.BodyHandlers.ofString());
            Map<String, String> received = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
            response.headers().map().forEach((name, values) -> received.put(name, String.join("\n", values)));
            contract.check(method, path, response.statusCode(), received.get("content-type"), response.body());
            return new Answer(response.statusCode(), received, response.body());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    /// A model `meter`, so that devices can be registered.
    public void withMeterModel() {
        put("/models/meter", """
                {"vendor":"Acme","hardware":"m1","expectedInterval":"PT1M",
                 "bands":{"kwh":{"min":0,"max":100,"unit":"kWh"}},
                 "desiredConfiguration":{"interval":"60"}}
                """);
    }

    @Override
    public void close() {
        server.close();
        try (var files = Files.walk(folder)) {
            files.sorted(java.util.Comparator.reverseOrder()).forEach(file -> {
                try {
                    Files.deleteIfExists(file);
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
