package dev.holdfast.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// From a hostile act, three messages to another device's topic, to the end of the session, as the device sees it.
/// The session is ended by the isolation alone: finding, incident and quarantine are committed before. Each device is
/// asked for afterwards through the public API, and must be quarantined.
final class CutRow {
    /// As many as make the act a repeated one, and fewer than the listener itself would end the session for.
    private static final int MESSAGES = 3;

    private CutRow() {}

    static List<Row> measure(Bench bench, Fleet fleet, ServerProcess server) throws IOException {
        List<Double> millis = new ArrayList<>();
        for (Meter meter : fleet.hostile()) {
            try (DeviceConnection session = meter.mqtt(fleet, server.port("MQTT"))) {
                meter.measure(session, 1, 1);
                Load.pause(50);
                long act = System.nanoTime();
                meter.publish(session, "d/another/telemetry", MESSAGES, MESSAGES);
                millis.add((session.awaitEnd() - act) / 1e6);
            }
        }
        Load.pause(1_000);
        List<String> others = notQuarantined(fleet, server);
        if (!others.isEmpty()) {
            throw new IOException("cut, but not quarantined: " + others);
        }
        Map<String, Double> distribution = Spread.distribution(millis);
        Spread spread = new Spread(
                distribution.getOrDefault("p50", Double.NaN),
                distribution.getOrDefault("min", Double.NaN),
                distribution.getOrDefault("max", Double.NaN));
        double p99 = distribution.getOrDefault("p99", Double.NaN);
        bench.say("cut: median " + spread.text() + " ms, p99 " + Spread.figure(p99) + " ms");
        return List.of(new Row(
                "cut",
                "hostile act -> session cut (" + millis.size() + " devices; median)",
                "ms",
                spread,
                "",
                Spread.NONE,
                Optional.of(new Row.Promise("p99 <= 100", p99 <= 100)),
                true,
                Map.of("milliseconds", distribution)));
    }

    private static List<String> notQuarantined(Fleet fleet, ServerProcess server) throws IOException {
        String token =
                Files.readString(fleet.data().resolve("secrets/first-token")).strip();
        List<String> others = new ArrayList<>();
        try (HttpClient client = HttpClient.newHttpClient()) {
            for (Meter meter : fleet.hostile()) {
                HttpRequest request = HttpRequest.newBuilder(URI.create(
                                "http://localhost:" + server.port("OPERATOR") + "/api/v1/devices/" + meter.id()))
                        .header("Authorization", "Bearer " + token)
                        .build();
                HttpResponse<String> answer = client.send(request, HttpResponse.BodyHandlers.ofString());
                JsonNode device = new ObjectMapper().readTree(answer.body());
                if (!device.path("state").asText().equals("quarantined")) {
                    others.add(
                            meter.id() + " is " + (answer.statusCode() == 200 ? device.path("state") : answer.body()));
                }
            }
            return others;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException(e);
        }
    }
}
