package dev.holdfast.operator;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.core.Json;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;

@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(120)
class StreamTest {
    private RunningServer server;

    @BeforeAll
    void start() {
        server = RunningServer.start();
        server.withMeterModel();
        server.post("/devices", "{\"id\":\"m-1\",\"model\":\"meter\"}");
    }

    @AfterAll
    void stop() {
        server.close();
    }

    private record Event(String name, long id, JsonNode data) {}

    private BufferedReader open(String lastEventId) throws IOException, InterruptedException {
        HttpRequest.Builder request = HttpRequest.newBuilder(
                        URI.create("http://localhost:" + server.port() + "/api/v1/stream?journal=true"))
                .header("authorization", "Bearer " + server.token());
        if (!lastEventId.isEmpty()) {
            request.header("last-event-id", lastEventId);
        }
        HttpResponse<java.io.InputStream> response =
                HttpClient.newHttpClient().send(request.build(), HttpResponse.BodyHandlers.ofInputStream());
        assertThat(response.statusCode()).isEqualTo(200);
        assertThat(response.headers().firstValue("content-type").orElse("")).startsWith("text/event-stream");
        return new BufferedReader(new InputStreamReader(response.body(), StandardCharsets.UTF_8));
    }

    private static Event next(BufferedReader in, Predicate<Event> wanted) throws IOException {
        String name = "";
        long id = 0;
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            if (line.startsWith("event: ")) {
                name = line.substring(7);
            } else if (line.startsWith("id: ")) {
                id = Long.parseLong(line.substring(4));
            } else if (line.startsWith("data: ")) {
                Event event = new Event(name, id, Json.tree(line.substring(6)));
                if (wanted.test(event)) {
                    return event;
                }
            }
        }
        throw new AssertionError("the stream ended");
    }

    @Test
    void aChangeArrivesAndAReconnectedPageMissesNothing() throws Exception {
        long seen;
        try (BufferedReader in = open("")) {
            Event hello = next(in, e -> e.name().equals("hello"));
            assertThat(hello.data().path("resync").asBoolean()).isFalse();

            server.post("/devices/m-1/suspend", "{\"reason\":\"testing the stream\"}");

            Event changed = next(
                    in,
                    e -> e.name().equals("device-changed")
                            && e.data().at("/devices/0/state").asText().equals("suspended"));
            assertThat(changed.data().at("/devices/0/health").asText()).isEqualTo("bad");
            seen = changed.id();
        }
        server.post("/devices/m-1/reinstate", "{\"reason\":\"while nobody looked\"}");

        try (BufferedReader in = open(Long.toString(seen))) {
            Event entry = next(
                    in,
                    e -> e.name().equals("entry")
                            && e.data().path("reason").asText().equals("while nobody looked"));
            assertThat(entry.data().path("kind").asText()).isEqualTo("device.registered");
        }
    }

    @Test
    void aPageThatWasAwayTooLongIsToldToFetchAgain() throws Exception {
        try (BufferedReader in = open("999999999")) {
            assertThat(next(in, e -> e.name().equals("hello"))
                            .data()
                            .path("resync")
                            .asBoolean())
                    .isTrue();
        }
        try (BufferedReader in = open("rubbish")) {
            assertThat(next(in, e -> e.name().equals("hello"))
                            .data()
                            .path("resync")
                            .asBoolean())
                    .isTrue();
        }
    }
}
