package dev.holdfast.operator;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/// The inventory over the public API; each answer is held against the contract on its way.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class DevicesApiTest {
    private RunningServer server;

    @BeforeAll
    void start() {
        server = RunningServer.start();
        server.withMeterModel();
    }

    @AfterAll
    void stop() {
        server.close();
    }

    private JsonNode registered(String id, String district) {
        RunningServer.Answer answer = server.post(
                "/devices",
                "{\"id\":\"%s\",\"model\":\"meter\",\"labels\":{\"district\":\"%s\"}}".formatted(id, district));
        assertThat(answer.status()).as(answer.text()).isEqualTo(201);
        return answer.json();
    }

    @Test
    void registersFindsLabelsSuspendsReinstatesAndRetires() {
        registered("life-1", "north");

        JsonNode labelled = server.patch("/devices/life-1", "{\"labels\":{\"floor\":\"3\",\"district\":null}}")
                .json();
        assertThat(labelled.path("labels").path("floor").asText()).isEqualTo("3");
        assertThat(labelled.path("labels").has("district")).isFalse();

        assertThat(server.post("/devices/life-1/suspend", "{\"reason\":\"key may be stolen\"}")
                        .json()
                        .path("state")
                        .asText())
                .isEqualTo("suspended");
        assertThat(server.post("/devices/life-1/reinstate", "{\"reason\":\"found again\"}")
                        .json()
                        .path("state")
                        .asText())
                .isEqualTo("registered");
        assertThat(server.post("/devices/life-1/retire", "{\"reason\":\"scrapped\"}")
                        .json()
                        .path("state")
                        .asText())
                .isEqualTo("retired");
        assertThat(server.post("/devices/life-1/reinstate", "{\"reason\":\"changed my mind\"}")
                        .problem())
                .isEqualTo("conflict");

        JsonNode timeline = server.get("/devices/life-1/timeline").json();
        assertThat(timeline.path("items")).anySatisfy(item -> {
            assertThat(item.path("title").asText()).isEqualTo("retired");
            assertThat(item.path("detail").asText()).isEqualTo("scrapped");
        });
    }

    @Test
    void refusesWhatTheContractDoesNotNameAndSaysWhere() {
        RunningServer.Answer unknownField =
                server.post("/devices", "{\"id\":\"x-1\",\"model\":\"meter\",\"colour\":\"red\"}");
        assertThat(unknownField.status()).isEqualTo(400);
        assertThat(unknownField.json().at("/errors/0/at").asText()).isEqualTo("/colour");
        assertThat(unknownField.json().path("fix").asText()).isNotBlank();

        assertThat(server.get("/devices?colour=red").json().at("/errors/0/at").asText())
                .isEqualTo("?colour");
        assertThat(server.get("/devices?limit=0").problem()).isEqualTo("malformed-request");
        assertThat(server.get("/devices?limit=501").problem()).isEqualTo("malformed-request");
        assertThat(server.get("/devices?limit=5&limit=6").problem()).isEqualTo("malformed-request");
        assertThat(server.get("/devices?cursor=nonsense").problem()).isEqualTo("malformed-request");
        assertThat(server.get("/devices?selector=%3D%3D").problem()).isEqualTo("malformed-request");
        assertThat(server.get("/devices/..%2F..%2Fetc").status()).isEqualTo(400);
        assertThat(server.get("/devices/nobody").problem()).isEqualTo("not-found");
        assertThat(server.get("/nothing").problem()).isEqualTo("not-found");
        assertThat(server.delete("/devices").problem()).isEqualTo("method-not-allowed");
        assertThat(server.post("/devices", "{\"id\":\"x-1\",\"id\":\"x-2\",\"model\":\"meter\"}")
                        .problem())
                .isEqualTo("malformed-request");
        assertThat(server.post("/devices", "not json").problem()).isEqualTo("malformed-request");
        assertThat(server.post("/devices", "[".repeat(100_000)).problem()).isEqualTo("malformed-request");
        assertThat(server.send(
                                "POST",
                                "/devices",
                                "{\"id\":\"x-1\",\"model\":\"meter\"}",
                                Map.of("content-type", "text/plain"))
                        .problem())
                .isEqualTo("wrong-media-type");
        assertThat(server.post("/devices", "{\"id\":\"" + "x".repeat(2_000_000) + "\"}")
                        .problem())
                .isEqualTo("too-large");
    }

    @Test
    void refusesNamesThatCarryMarkupControlOrDirectionCharacters() {
        for (String name : new String[] {"<script>", "a\\r\\nb", "a\\u001b[31m", "\\u202eabc", "a b", "", "-a"}) {
            assertThat(server.post("/devices", "{\"id\":\"" + name + "\",\"model\":\"meter\"}")
                            .problem())
                    .as(name)
                    .isEqualTo("malformed-request");
        }
        RunningServer.Answer label = server.post(
                "/devices", "{\"id\":\"x-9\",\"model\":\"meter\",\"labels\":{\"note\":\"<b>\\u202e</b>\"}}");
        assertThat(label.problem()).isEqualTo("malformed-request");
        assertThat(label.text()).doesNotContain("<b>");
    }

    private void awaitRiskAssessed(String search) {
        Instant deadline = Instant.now().plusSeconds(60);
        while (server.get("/devices?limit=500&search=" + search).text().contains("\"level\":\"unknown\"")) {
            assertThat(Instant.now()).as("risk is assessed").isBefore(deadline);
            LockSupport.parkNanos(20_000_000);
        }
    }

    @Test
    void pagesThroughEveryDeviceOnceInEveryOrder() {
        for (int i = 0; i < 23; i++) {
            registered("page-%02d".formatted(i), i % 2 == 0 ? "east" : "west");
        }
        awaitRiskAssessed("page-"); // it moves a device in the order by risk
        for (String sort : new String[] {"id", "-id", "lastContact", "-stateSince", "risk"}) {
            List<String> seen = new ArrayList<>();
            String cursor = "";
            do {
                JsonNode page = server.get("/devices?search=PAGE-&limit=5&sort=" + sort + cursor)
                        .json();
                assertThat(page.path("total").asInt()).isEqualTo(23);
                page.path("devices").forEach(d -> seen.add(d.path("id").asText()));
                cursor = page.has("next") ? "&cursor=" + page.path("next").asText() : "";
            } while (!cursor.isEmpty());
            assertThat(seen).as(sort).hasSize(23).doesNotHaveDuplicates();
        }
        assertThat(server.get("/devices?selector=district%3Deast&search=page-")
                        .json()
                        .path("total")
                        .asInt())
                .isEqualTo(12);
        assertThat(server.get("/devices?health=unknown&search=page-&limit=500")
                        .json()
                        .path("devices")
                        .size())
                .isEqualTo(23);
    }

    @Test
    void aChangeWithAnOldETagIsRefused() {
        registered("etag-1", "north");
        String old = server.get("/devices/etag-1").headers().getOrDefault("etag", "");
        server.patch("/devices/etag-1", "{\"labels\":{\"floor\":\"1\"}}");

        RunningServer.Answer late =
                server.send("PATCH", "/devices/etag-1", "{\"labels\":{\"floor\":\"2\"}}", Map.of("if-match", old));

        assertThat(late.problem()).isEqualTo("changed-meanwhile");
        assertThat(server.get("/devices/etag-1").json().at("/labels/floor").asText())
                .isEqualTo("1");
    }

    @Test
    void theSameKeyGivesTheSameAnswerAndNothingTwice() {
        Map<String, String> key = Map.of("idempotency-key", "one");
        String wish = "{\"id\":\"idem-1\",\"model\":\"meter\"}";

        RunningServer.Answer first = server.send("POST", "/devices", wish, key);
        RunningServer.Answer again = server.send("POST", "/devices", wish, key);

        assertThat(first.status()).isEqualTo(201);
        assertThat(again.status()).isEqualTo(201);
        assertThat(again.text()).isEqualTo(first.text());
        assertThat(again.headers()).containsKey("idempotent-replay");
        assertThat(server.send("POST", "/devices", "{\"id\":\"idem-2\",\"model\":\"meter\"}", key)
                        .problem())
                .isEqualTo("idempotency-key-reused");
        assertThat(server.post("/devices", wish).problem()).isEqualTo("conflict");
    }

    @Test
    void importsGoodLinesNamesBadOnesAndCanBeRepeated() {
        String csv = """
                id,model,label.district,label.site
                csv-1,meter,north,"Mill Lane"
                csv-2,meter,south,
                csv 3,meter,south,x
                csv-4,toaster,south,x
                csv-5,meter
                csv-1,meter,north,x
                """;
        Map<String, String> type = Map.of("content-type", "text/csv");
        JsonNode dry =
                server.send("POST", "/imports/devices?dryRun=true", csv, type).json();
        assertThat(dry.path("accepted").asInt()).isEqualTo(2);
        assertThat(server.get("/devices/csv-1").status()).isEqualTo(404);

        JsonNode done = server.send("POST", "/imports/devices", csv, type).json();
        assertThat(done.path("read").asInt()).isEqualTo(6);
        assertThat(done.path("accepted").asInt()).isEqualTo(2);
        assertThat(done.path("rejected").asInt()).isEqualTo(4);
        List<Integer> lines = new ArrayList<>();
        done.path("errors").forEach(e -> lines.add(e.path("line").asInt()));
        assertThat(lines).containsExactlyInAnyOrder(4, 5, 6, 7);

        JsonNode again = server.send("POST", "/imports/devices", csv, type).json();
        assertThat(again.path("unchanged").asInt()).isEqualTo(2);
        assertThat(server.send("POST", "/imports/devices", "id,model,colour\n", type)
                        .problem())
                .isEqualTo("malformed-request");
        String exported = server.send("GET", "/exports/devices?selector=site%3DMill%20Lane", null, Map.of())
                .text();
        assertThat(exported).startsWith("id,model,state,").contains("csv-1,meter,registered");
    }

    @Test
    void takesHistoryWithItsTrueTimesFromAnAuthorisedOperatorOnly() {
        registered("hist-1", "north");
        String lines = """
                {"device":"hist-1","at":"2026-01-01T00:00:00Z","values":{"kwh":1.5}}
                {"device":"hist-1","at":"2026-01-01T00:15:00Z","values":{"kwh":1.75}}
                {"device":"nobody","at":"2026-01-01T00:15:00Z","values":{"kwh":1}}
                {"device":"hist-1","at":"2999-01-01T00:15:00Z","values":{"kwh":1}}
                {"device":"hist-1","at":"2026-01-01T00:15:00Z","values":{"kwh":1e999}}
                {"device":"hist-1","at":"2026-01-01T00:15:00Z","values":{"kwh":NaN}}
                """;
        Map<String, String> type = Map.of("content-type", "application/x-ndjson");

        JsonNode done = server.send("POST", "/imports/telemetry", lines, type).json();

        assertThat(done.path("accepted").asInt()).as(done.toString()).isEqualTo(2);
        assertThat(done.path("rejected").asInt()).isEqualTo(4);
        JsonNode series = server.get(
                        "/devices/hist-1/series?metric=kwh&from=2025-12-31T00:00:00Z&to=2026-01-03T00:00:00Z")
                .json();
        assertThat(series.at("/series/0/imported/0").asBoolean()).isTrue();
        String reader = server.post("/tokens", "{\"name\":\"reader\",\"scopes\":[\"read\"],\"expiresIn\":\"PT1H\"}")
                .json()
                .path("secret")
                .asText();
        assertThat(server.send(
                                "POST",
                                "/imports/telemetry",
                                lines,
                                Map.of("content-type", "application/x-ndjson", "authorization", "Bearer " + reader))
                        .problem())
                .isEqualTo("not-allowed");
    }

    @Test
    void aTokenHasItsScopesAndNoMore() {
        String reader = server.post("/tokens", "{\"name\":\"reader\",\"scopes\":[\"read\"],\"expiresIn\":\"PT1H\"}")
                .json()
                .path("secret")
                .asText();
        Map<String, String> asReader = Map.of("authorization", "Bearer " + reader);

        assertThat(server.send("GET", "/devices", null, asReader).status()).isEqualTo(200);
        assertThat(server.send("POST", "/devices", "{\"id\":\"t-1\",\"model\":\"meter\"}", asReader)
                        .problem())
                .isEqualTo("not-allowed");
        assertThat(server.send(
                                "POST",
                                "/tokens",
                                "{\"name\":\"more\",\"scopes\":[\"devices:write\"],\"expiresIn\":\"PT1H\"}",
                                asReader)
                        .problem())
                .isEqualTo("not-allowed");
        assertThat(server.send("GET", "/devices", null, Map.of("authorization", "Bearer hf_wrong"))
                        .problem())
                .isEqualTo("not-signed-in");
        assertThat(server.send("GET", "/devices", null, Map.of("authorization", "-"))
                        .problem())
                .isEqualTo("not-signed-in");
    }

    @Test
    void theCopyPasteEnrolmentTokenIsMadeOnceAndShownOnce() {
        registered("enrol-1", "north");
        JsonNode token = server.post("/devices/enrol-1/enrolment-token", "{}").json();
        assertThat(token.path("commands").asText()).contains("simpleenroll").contains("enrol-1");
        assertThat(server.get("/journal/chain?limit=5000").text())
                .doesNotContain(token.path("token").asText());
        assertThat(server.get("/ca.pem").text()).contains("BEGIN CERTIFICATE");
    }

    @Test
    void isolatesByHandWithAPreviewAndUndoesIt() {
        registered("iso-1", "north");
        server.server()
                .inventory()
                .transition(
                        new dev.holdfast.core.DeviceRef(
                                new dev.holdfast.core.Environment("development"),
                                new dev.holdfast.core.DeviceId("iso-1")),
                        dev.holdfast.inventory.Lifecycle.ENROLLED,
                        "as if enrolled",
                        java.util.Optional.empty(),
                        new dev.holdfast.core.Actor.Holdfast("test"));
        JsonNode preview = server.get("/devices/iso-1/isolate/preview").json();
        assertThat(preview.path("sentence").asText()).contains("iso-1");

        RunningServer.Answer isolated =
                server.post("/devices/iso-1/isolate", "{\"reason\":\"behaves oddly\",\"for\":\"PT1H\"}");
        assertThat(isolated.status()).as(isolated.text()).isEqualTo(200);
        assertThat(server.get("/devices/iso-1").json().path("state").asText()).isEqualTo("quarantined");
        assertThat(server.get("/devices/iso-1")
                        .json()
                        .at("/legs/identity/state")
                        .asText())
                .isNotBlank();

        String id = isolated.json().path("id").asText();
        assertThat(server.get("/incidents?open=true&device=iso-1")
                        .json()
                        .at("/incidents/0/id")
                        .asText())
                .isEqualTo(id);
        RunningServer.Answer undone = server.post("/incidents/" + id + "/undo", "{\"reason\":\"false alarm\"}");
        assertThat(undone.status()).as(undone.text()).isEqualTo(200);
        assertThat(server.get("/devices/iso-1").json().path("state").asText()).isEqualTo("enrolled");
        assertThat(undone.json().path("state").asText())
                .as("nothing is left to do")
                .isEqualTo("closed");
        assertThat(server.get("/incidents?open=true&device=iso-1").json().path("incidents"))
                .isEmpty();
    }
}
