package dev.holdfast.simulator;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.holdfast.agent.DeviceIdentity;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// What a utility does before its first meter is switched on: models, the inventory, whom to trust, and the
/// week of readings from the system it had before. All through the public API.
final class Preparation {
    private static final int SERIALS_AT_ONCE = 1_000;
    private static final int LINES_AT_ONCE = 15_000;

    private final OperatorClient api;
    private final CityPlan plan;
    private final Factory factory;

    Preparation(OperatorClient api, CityPlan plan, Factory factory) {
        this.api = api;
        this.plan = plan;
        this.factory = factory;
    }

    /// @param telemetry how often a meter speaks; the model allows twice that, since this one machine is a
    /// whole city
    void models(Duration telemetry, DemoServer server) throws IOException, InterruptedException {
        ObjectNode meter = OperatorClient.object()
                .put("vendor", "Kelp Instruments")
                .put("hardware", CityPlan.HARDWARE)
                .put("expectedInterval", telemetry.multipliedBy(2).toString());
        ObjectNode bands = meter.putObject("bands");
        Map<String, String> units = Map.of("powerKw", "kW", "voltage", "V", "temperature", "Cel");
        CityPlan.BANDS.forEach((metric, range) -> bands.putObject(metric)
                .put("min", range[0])
                .put("max", range[1])
                .put("unit", units.getOrDefault(metric, "")));
        ArrayNode flows = meter.putArray("allowedFlows");
        for (int port : List.of(server.devicePort(), server.mqttPort())) {
            flows.addObject()
                    .put("network", "127.0.0.1/32")
                    .put("protocol", "tcp")
                    .put("port", port);
        }
        api.put("/models/" + CityPlan.MODEL, meter);
        ObjectNode gateway = OperatorClient.object()
                .put("vendor", "Kelp Instruments")
                .put("hardware", CityPlan.HARDWARE)
                .put("expectedInterval", "PT10S");
        api.put("/models/" + CityPlan.GATEWAY_MODEL, gateway);
    }

    /// The maker's CA, and which of its serial numbers is which device of ours.
    ///
    /// @return what each device left the factory with, by device id
    Map<String, DeviceIdentity> identities() throws IOException, InterruptedException {
        api.post(
                "/manufacturer-anchors",
                OperatorClient.object().put("name", "Kelp Instruments").put("pem", factory.anchorPem()));
        Map<String, String> serials = new TreeMap<>();
        plan.gateways().forEach(id -> serials.put(id, "KG1-" + id));
        plan.meters().forEach(meter -> serials.put(meter.id(), meter.serialNumber()));
        List<Map.Entry<String, String>> all = new ArrayList<>(serials.entrySet());
        for (int from = 0; from < all.size(); from += SERIALS_AT_ONCE) {
            ObjectNode body = OperatorClient.object();
            ArrayNode list = body.putArray("serials");
            all.subList(from, Math.min(all.size(), from + SERIALS_AT_ONCE))
                    .forEach(e ->
                            list.addObject().put("serialNumber", e.getValue()).put("device", e.getKey()));
            require(api.post("/manufacturer-serials", body), "serial numbers");
        }
        Map<String, DeviceIdentity> made = new TreeMap<>();
        serials.forEach((id, serial) -> made.put(id, factory.make(serial)));
        return made;
    }

    void inventory() throws IOException, InterruptedException {
        StringBuilder gateways = new StringBuilder("id,model,label.district,label.role\n");
        plan.districts()
                .forEach(d -> d.gateways()
                        .forEach(id ->
                                gateways.append(id + "," + CityPlan.GATEWAY_MODEL + "," + d.name() + ",gateway\n")));
        require(api.post("/imports/devices", "text/csv", utf8(gateways)), "gateways");
        StringBuilder meters = new StringBuilder(
                "id,model,reachesVia,label.district,label.site,label.street," + "label.address,label.x,label.y\n");
        for (CityPlan.Meter meter : plan.meters()) {
            meters.append(String.join(
                            ",",
                            meter.id(),
                            CityPlan.MODEL,
                            meter.gateway(),
                            meter.district().name(),
                            meter.site(),
                            meter.street(),
                            meter.address(),
                            Integer.toString(meter.x()),
                            Integer.toString(meter.y())))
                    .append('\n');
        }
        require(api.post("/imports/devices", "text/csv", utf8(meters)), "meters");
    }

    void signingKey() throws IOException, InterruptedException {
        api.post(
                "/signing-keys",
                OperatorClient.object().put("name", "Kelp Instruments firmware").put("pem", factory.releaseKeyPem()));
    }

    /// The week of readings before today, with their true times.
    ///
    /// @return how many readings
    int history(Instant now, Duration step, Narrator narrator) throws IOException, InterruptedException {
        List<Instant> times = CityPlan.history(now.minusSeconds(60), step);
        StringBuilder lines = new StringBuilder(1 << 20);
        int inBatch = 0;
        int sent = 0;
        long all = (long) times.size() * plan.meters().size();
        for (Instant filed : times) {
            for (CityPlan.Meter meter : plan.meters()) {
                Instant at = CityPlan.readingTime(meter, filed);
                lines.append("{\"device\":\"")
                        .append(meter.id())
                        .append("\",\"at\":\"")
                        .append(at)
                        .append("\",\"values\":{");
                String separator = "";
                for (Map.Entry<String, Double> value :
                        CityPlan.measure(meter, at).entrySet()) {
                    lines.append(separator)
                            .append('"')
                            .append(value.getKey())
                            .append("\":")
                            .append(value.getValue());
                    separator = ",";
                }
                lines.append("}}\n");
                if (++inBatch == LINES_AT_ONCE) {
                    sent += flush(lines, inBatch);
                    inBatch = 0;
                    narrator.progress("a week of history: " + sent * 100L / all + " %");
                }
            }
        }
        if (inBatch > 0) {
            sent += flush(lines, inBatch);
        }
        return sent;
    }

    private int flush(StringBuilder lines, int count) throws IOException, InterruptedException {
        require(api.post("/imports/telemetry", "application/x-ndjson", utf8(lines)), "readings");
        lines.setLength(0);
        return count;
    }

    private static byte[] utf8(StringBuilder text) {
        return text.toString().getBytes(StandardCharsets.UTF_8);
    }

    private static void require(JsonNode result, String what) throws IOException {
        if (result.path("rejected").asInt() > 0) {
            throw new IOException("the server rejects some " + what + ": " + result.path("errors"));
        }
    }
}
