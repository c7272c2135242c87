package dev.holdfast.simulator;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

/// The public API (`/api/v1`) with a token: all that the demo and its checker know of the server.
final class OperatorClient implements AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final HttpClient http = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(Duration.ofSeconds(10))
            .build();
    private final String base;
    private final String token;

    /// The server said no.
    static final class RefusedException extends IOException {
        private static final long serialVersionUID = 1L;
        private final int status;

        RefusedException(int status, String message) {
            super(message);
            this.status = status;
        }

        int status() {
            return status;
        }
    }

    /// @param origin such as `http://localhost:8080`
    OperatorClient(String origin, String token) {
        this.base = origin + "/api/v1";
        this.token = token;
    }

    static ObjectNode object() {
        return JSON.createObjectNode();
    }

    static JsonNode parse(String text) throws IOException {
        return JSON.readTree(text);
    }

    static String encoded(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8);
    }

    JsonNode get(String path) throws IOException, InterruptedException {
        return parse(send("GET", path, "application/json", BodyPublishers.noBody()));
    }

    String text(String path) throws IOException, InterruptedException {
        return send("GET", path, "application/json", BodyPublishers.noBody());
    }

    JsonNode post(String path, JsonNode body) throws IOException, InterruptedException {
        return parse(send("POST", path, "application/json", BodyPublishers.ofString(body.toString())));
    }

    JsonNode put(String path, JsonNode body) throws IOException, InterruptedException {
        return parse(send("PUT", path, "application/json", BodyPublishers.ofString(body.toString())));
    }

    JsonNode post(String path, String contentType, byte[] body) throws IOException, InterruptedException {
        return parse(send("POST", path, contentType, BodyPublishers.ofByteArray(body)));
    }

    /// Every item of a paged list.
    List<JsonNode> all(String path, String field) throws IOException, InterruptedException {
        List<JsonNode> found = new ArrayList<>();
        String cursor = "";
        do {
            String separator = path.contains("?") ? "&" : "?";
            JsonNode page =
                    get(path + separator + "limit=500" + (cursor.isEmpty() ? "" : "&cursor=" + encoded(cursor)));
            page.path(field).forEach(found::add);
            cursor = page.path("next").asText("");
        } while (!cursor.isEmpty());
        return found;
    }

    /// Asks again and again until the answer is as wanted, or the time is over; gives the last answer.
    JsonNode await(String path, Duration atMost, Predicate<JsonNode> wanted) throws IOException, InterruptedException {
        long deadline = System.nanoTime() + atMost.toNanos();
        while (true) {
            JsonNode answer = get(path);
            if (wanted.test(answer) || System.nanoTime() > deadline) {
                return answer;
            }
            Thread.sleep(250);
        }
    }

    private String send(String method, String path, String contentType, BodyPublisher body)
            throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(URI.create(base + path))
                .timeout(Duration.ofMinutes(2))
                .header("authorization", "Bearer " + token)
                .header("content-type", contentType)
                .method(method, body)
                .build();
        HttpResponse<String> response = http.send(request, HttpResponse.BodyHandlers.ofString());
        if (response.statusCode() >= 300) {
            String said = response.body();
            throw new RefusedException(
                    response.statusCode(),
                    method + " " + path + " was answered " + response.statusCode() + ": "
                            + said.substring(0, Math.min(said.length(), 600)));
        }
        return response.body().isEmpty() ? "{}" : response.body();
    }

    @Override
    public void close() {
        http.close();
    }
}
