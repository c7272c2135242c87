package dev.holdfast.operator;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.web.Contract;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/// The contract promises nothing that is not there, and everything that is there keeps to it.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class EveryOperationTest {
    private RunningServer server;

    @BeforeAll
    void start() {
        server = RunningServer.start();
        server.withMeterModel();
        for (int i = 0; i < 3; i++) {
            server.post(
                    "/devices",
                    "{\"id\":\"m-%d\",\"model\":\"meter\",\"labels\":{\"district\":\"d%d\"}}".formatted(i, i));
        }
    }

    @AfterAll
    void stop() {
        server.close();
    }

    @Test
    void everyReadAnswersAsTheContractSays() {
        for (Contract.Operation operation : Contract.load().operations()) {
            if (!operation.method().equals("GET") || operation.id().equals("stream")) {
                continue;
            }
            String path = "/" + String.join("/", operation.segments());
            path = path.startsWith("/models/")
                    ? path.replace("{id}", "meter")
                    : path.replace("{id}", path.startsWith("/devices/") ? "m-1" : "1")
                            .replace("{serial}", "ab12");
            RunningServer.Answer answer = server.get(path);
            assertThat(answer.status()).as(path + ": " + answer.text()).isIn(200, 403, 404, 409);
            assertThat(answer.text()).as(path).isNotBlank();
        }
    }

    @Test
    void everyOperationHasAHandler() {
        for (Contract.Operation operation : Contract.load().operations()) {
            if (operation.method().equals("GET")) {
                continue;
            }
            String path = "/" + String.join("/", operation.segments());
            path = path.replace("{id}", "none-such").replace("{serial}", "ab12");
            String type = operation.mediaType().orElse("application/json");
            RunningServer.Answer answer = server.send(
                    operation.method(), path, type.endsWith("json") ? "{}" : "", Map.of("content-type", type));
            assertThat(answer.status())
                    .as(operation.id() + ": " + answer.text())
                    .isNotEqualTo(501)
                    .isLessThan(500);
        }
    }

    @Test
    void theOverviewSaysInASentenceWhatTheMapShows() {
        JsonNode overview = server.get("/fleet/overview").json();
        JsonNode map = server.get("/fleet/map").json();

        assertThat(overview.at("/answer/sentence").asText()).isNotBlank();
        assertThat(overview.at("/counters/devices").asInt()).isEqualTo(3);
        assertThat(map.path("ids").size()).isEqualTo(3);
        assertThat(map.path("health").asText()).isEqualTo("uuu");
        assertThat(map.path("state").asText()).isEqualTo("rrr");
        assertThat(map.path("districts").size()).isEqualTo(3);
        assertThat(overview.path("development").asBoolean()).isTrue();
    }

    @Test
    void theJournalIsReadPagedAndVerified() {
        JsonNode page = server.get("/journal?limit=2&kind=device.").json();
        assertThat(page.path("entries").size()).isEqualTo(2);
        assertThat(page.at("/entries/0/kind").asText()).startsWith("device.");
        JsonNode next = server.get("/journal?limit=2&kind=device.&cursor="
                        + page.path("next").asText())
                .json();
        assertThat(next.at("/entries/0/number").asLong())
                .isLessThan(page.at("/entries/1/number").asLong());
        assertThat(server.get("/journal/verify").json().path("intact").asBoolean())
                .isTrue();
    }

    @Test
    void pagesProbesAndHeadersAreThere() throws Exception {
        for (String path : new String[] {
            "/", "/livez", "/readyz", "/metrics", "/api/v1/openapi.yaml", "/docs/problems/not-found", "/devices/m-1"
        }) {
            HttpResponse<String> response = HttpClient.newHttpClient()
                    .send(
                            HttpRequest.newBuilder(URI.create("http://localhost:" + server.port() + path))
                                    .build(),
                            HttpResponse.BodyHandlers.ofString());
            assertThat(response.statusCode()).as(path).isEqualTo(200);
            assertThat(response.headers().firstValue("content-security-policy").orElse(""))
                    .contains("default-src 'none'")
                    .doesNotContain("unsafe");
            assertThat(response.headers().firstValue("x-content-type-options")).contains("nosniff");
        }
    }
}
