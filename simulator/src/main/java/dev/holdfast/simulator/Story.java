package dev.holdfast.simulator;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.holdfast.agent.DeviceIdentity;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/// The story of the demo. Meters do what meters do, an operator does what an operator does through the public API, and
/// the server does the rest; what is printed was measured.
final class Story {
    private final CityPlan plan;
    private final City city;
    private final OperatorClient api;
    private final Factory factory;
    private final Narrator narrator;
    private final Surroundings around;

    private String goodRollout = "";
    private String badRollout = "";
    private String hostileSince = "";
    private String hostileIncident = "";
    private String cloneSince = "";
    private int canary;

    /// @param relays where each gateway's relay listens
    record Surroundings(
            Path folder, DemoServer server, Duration telemetry, Map<String, java.net.InetSocketAddress> relays) {}

    Story(CityPlan plan, City city, OperatorClient api, Factory factory, Narrator narrator, Surroundings around) {
        this.plan = plan;
        this.city = city;
        this.api = api;
        this.factory = factory;
        this.narrator = narrator;
        this.around = around;
    }

    void tell() throws IOException, InterruptedException {
        enrolment();
        goodRelease();
        badRelease();
        HostileMeter hostile = hostileMeter();
        clonedIdentity();
        hostile.close();
        undo();
    }

    GroundTruth truth() {
        return new GroundTruth(
                plan.seed(),
                plan.meters().size(),
                plan.gateways().size(),
                CityPlan.GOOD_VERSION,
                CityPlan.BAD_VERSION,
                goodRollout,
                badRollout,
                canary,
                city.took(CityPlan.BAD_VERSION),
                city.crashed(),
                plan.hostile().id(),
                hostileSince,
                hostileIncident,
                plan.cloned().id(),
                cloneSince);
    }

    private void enrolment() throws IOException, InterruptedException {
        int all = plan.meters().size();
        narrator.act(
                "Enrolment", "Every meter trades the certificate its maker gave it for one of ours, and connects.");
        long begun = System.nanoTime();
        Thread power = Thread.ofVirtual().start(() -> {
            try {
                city.switchOn();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        while (city.connected() < all
                && System.nanoTime() - begun < Duration.ofMinutes(3).toNanos()) {
            narrator.progress(city.enrolled() + " enrolled, " + city.connected() + " connected of " + all);
            Thread.sleep(200);
        }
        power.interrupt();
        long taken = System.nanoTime() - begun;
        if (city.connected() < all) {
            city.complaints().forEach(narrator::detail);
        }
        narrator.measured(city.enrolled() + " meters enrolled by EST and " + city.connected()
                + " connected over mutual TLS in " + Narrator.seconds(taken));
    }

    private JsonNode release(FirmwareImage firmware) throws IOException, InterruptedException {
        byte[] image = firmware.bytes();
        String sha256 = Factory.sha256(image);
        api.post(
                "/artifacts?name=kelp-meter-" + firmware.version() + ".img&sha256=" + sha256,
                "application/octet-stream",
                image);
        ObjectNode definition = OperatorClient.object()
                .put("artifact", sha256)
                .put("model", CityPlan.MODEL)
                .put("version", firmware.version());
        definition.set(
                "manifest",
                OperatorClient.parse(
                        new String(factory.sign(firmware.version(), image), java.nio.charset.StandardCharsets.UTF_8)));
        return api.post("/releases", definition);
    }

    private JsonNode rollout(JsonNode release, String reason) throws IOException, InterruptedException {
        int all = plan.meters().size();
        canary = Math.clamp(all / 10, 6, 20);
        ObjectNode definition = OperatorClient.object()
                .put("release", release.path("id").asText())
                .put("reason", reason);
        ObjectNode rules = definition
                .putObject("plan")
                .put("inFlight", Math.max(canary, all / 3))
                .put("soak", "PT2S")
                .put("healthWindow", around.telemetry().plusSeconds(1).toString())
                .put("timeout", "PT2M")
                .put("errorThreshold", 0.05);
        ArrayNode batches = rules.putArray("batches");
        batches.addObject().put("name", "canary").put("devices", canary);
        batches.addObject().put("name", "first tenth").put("percent", 10);
        batches.addObject().put("name", "half").put("percent", 50);
        batches.addObject().put("name", "everyone").put("percent", 100);
        return api.post("/rollouts", definition);
    }

    /// Follows a rollout until it has ended, telling of each batch.
    private JsonNode follow(String id, Duration atMost) throws IOException, InterruptedException {
        long deadline = System.nanoTime() + atMost.toNanos();
        int batch = -1;
        while (true) {
            JsonNode now = api.get("/rollouts/" + id);
            if (now.path("currentBatch").asInt() != batch) {
                batch = now.path("currentBatch").asInt();
                String name = now.path("batches").path(batch).path("name").asText();
                if (!name.isEmpty()) {
                    narrator.detail("batch " + (batch + 1) + " of "
                            + now.path("batchCount").asInt() + ", " + name);
                }
            }
            JsonNode counts = now.path("counts");
            narrator.progress(counts.path("healthy").asInt() + " healthy, "
                    + counts.path("undecided").asInt() + " undecided, "
                    + counts.path("failed").asInt() + " failed of "
                    + counts.path("total").asInt());
            if (List.of("finished", "rolled-back", "aborted")
                            .contains(now.path("state").asText())
                    || System.nanoTime() > deadline) {
                return now;
            }
            Thread.sleep(300);
        }
    }

    private void goodRelease() throws IOException, InterruptedException {
        narrator.act(
                "A good release",
                CityPlan.GOOD_VERSION + " goes out in batches, each after the one before it " + "has proven healthy.");
        JsonNode release = release(new FirmwareImage(CityPlan.GOOD_VERSION, 0, plan.seed()));
        goodRollout = rollout(release, "regular maintenance").path("id").asText();
        JsonNode end = follow(goodRollout, Duration.ofMinutes(4));
        narrator.measured(CityPlan.GOOD_VERSION + " " + end.path("state").asText() + " after "
                + narrator.sinceActBegan() + ": "
                + end.path("counts").path("healthy").asInt() + " of "
                + end.path("counts").path("total").asInt() + " meters healthy, in "
                + end.path("batchCount").asInt() + " batches");
    }

    private void badRelease() throws IOException, InterruptedException {
        narrator.act(
                "A bad release",
                CityPlan.BAD_VERSION + " was signed like any other, but " + Math.round(plan.badShare() * 100)
                        + " % of the meters can't start it.");
        JsonNode release = release(new FirmwareImage(CityPlan.BAD_VERSION, plan.badShare(), plan.seed()));
        badRollout = rollout(release, "new tariff tables").path("id").asText();
        JsonNode end = follow(badRollout, Duration.ofMinutes(2));
        narrator.detail(end.path("stateReason").asText(end.path("sentence").asText()));
        narrator.measured(CityPlan.BAD_VERSION + " " + end.path("state").asText() + " after "
                + narrator.sinceActBegan() + ": " + end.path("exposed").asInt() + " of "
                + plan.meters().size() + " meters exposed, " + city.crashed() + " fell over it and reverted by "
                + "themselves, " + end.path("exposure").path("bytesAfterStop").asLong(0)
                + " bytes served after the stop");
    }

    private HostileMeter hostileMeter() throws IOException, InterruptedException {
        CityPlan.Meter meter = plan.hostile();
        narrator.act(
                "A meter turns",
                meter.id() + " in " + meter.district().name() + ", " + meter.street()
                        + ", scans its neighbours and sends data far away.");
        HostileMeter hostile = new HostileMeter(
                meter, Optional.ofNullable(around.relays().get(meter.gateway())).orElseThrow(), plan.seed());
        Instant first = hostile.begin(
                city.of(meter).platform().uplink().orElseThrow(() -> new IOException(meter.id() + " is not connected")),
                plan.cloned());
        hostileSince = first.toString();
        JsonNode device = api.await(
                "/devices/" + meter.id(),
                Duration.ofSeconds(20),
                d -> d.path("state").asText().equals("quarantined")
                        && d.path("legs").path("network").path("state").asText().equals("enforced"));
        JsonNode incident = incident(meter.id(), CheckerMain.TRAFFIC_OR_PROTOCOL);
        hostileIncident = incident.path("id").asText();
        if (!device.path("state").asText().equals("quarantined")) {
            narrator.detail(
                    "the server has not isolated it: " + device.path("state").asText());
            narrator.measured(meter.id() + " was not isolated within " + narrator.sinceActBegan());
            return hostile;
        }
        narrator.detail(incident.path("title").asText());
        for (JsonNode finding : incident.path("evidence")) {
            narrator.detail(finding.path("cause").asText() + " ("
                    + finding.path("provenance").asText() + "): "
                    + finding.path("seen").asText());
        }
        JsonNode legs = device.path("legs");
        for (String leg : List.of("session", "identity", "network")) {
            narrator.detail("leg " + leg + ": " + legs.path(leg).path("state").asText() + " "
                    + since(first, legs.path(leg).path("at").asText()));
        }
        Instant cut = hostile.cutAt();
        narrator.measured("hostile act to session cut "
                + since(first, legs.path("session").path("at").asText())
                + " (the server's record); its stolen data stopped after "
                + (cut == null ? "(not yet)" : Narrator.millis(Duration.between(first, cut))) + ", "
                + hostile.stolen() + " bytes got away");
        return hostile;
    }

    private static String since(Instant first, String at) {
        return at.isEmpty() ? "" : Narrator.millis(Duration.between(first, Instant.parse(at)));
    }

    /// The newest incident of the device of one of these causes.
    private JsonNode incident(String device, Set<String> causes) throws IOException, InterruptedException {
        for (JsonNode summary : api.get("/incidents?device=" + device).path("incidents")) {
            if (causes.contains(summary.path("cause").asText())) {
                return api.get("/incidents/" + summary.path("id").asText());
            }
        }
        return MissingNode.getInstance();
    }

    private void clonedIdentity() throws IOException, InterruptedException {
        CityPlan.Meter meter = plan.cloned();
        narrator.act("A clone", "Somebody has copied the key of " + meter.id() + " and passes for it.");
        DeviceIdentity stolen;
        try {
            stolen = city.of(meter)
                    .agent()
                    .identity()
                    .get(5, TimeUnit.SECONDS)
                    .orElseThrow(() -> new IOException(meter.id() + " has no certificate"));
        } catch (java.util.concurrent.ExecutionException | TimeoutException e) {
            throw new IOException("the key could not be copied", e);
        }
        Path loot = around.folder().resolve("stolen.pem");
        Files.deleteIfExists(loot);
        Files.createFile(loot, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        Files.write(loot, stolen.toPem());
        cloneSince = Instant.now().toString();
        Instant first = Instant.now();
        try (ChildProcess clone = ChildProcess.start(
                "clone",
                around.folder().resolve("clone.log"),
                128,
                Map.of(),
                List.of(
                        CloneMain.class.getName(),
                        meter.id(),
                        loot.toString(),
                        around.folder().resolve("ca.pem").toString(),
                        around.server().mqtt(),
                        "127.77.0.1"))) {
            JsonNode device = api.await(
                    "/devices/" + meter.id(),
                    Duration.ofSeconds(30),
                    d -> d.path("state").asText().equals("suspended"));
            boolean suspended = device.path("state").asText().equals("suspended");
            if (suspended) {
                // It tries once more, and is refused at the door.
                api.await(
                        "/connection-failures?device=" + meter.id(),
                        Duration.ofSeconds(15),
                        f -> f.path("failures").findValuesAsText("cause").stream()
                                .anyMatch(c -> c.contains("SUSPENDED")));
            }
            JsonNode incident = incident(meter.id(), CheckerMain.IDENTITY);
            narrator.detail(incident.path("title").asText());
            for (JsonNode finding : incident.path("evidence")) {
                narrator.detail(finding.path("cause").asText() + " ("
                        + finding.path("provenance").asText() + "): "
                        + finding.path("seen").asText());
            }
            clone.lastLines().stream()
                    .filter(line -> line.contains("refused") || line.contains("accepted"))
                    .reduce((_, last) -> last)
                    .ifPresent(line -> narrator.detail("the clone's last word: " + line));
            narrator.measured(
                    suspended
                            ? "identity of " + meter.id() + " suspended "
                                    + since(first, device.path("stateSince").asText())
                                    + " after the clone began; both are refused until a person decides"
                            : "the clone was not found out within " + narrator.sinceActBegan());
        }
    }

    private void undo() throws IOException, InterruptedException {
        CityPlan.Meter meter = plan.hostile();
        narrator.act("An undo", "A technician has cleaned " + meter.id() + "; an operator takes the isolation back.");
        if (hostileIncident.isEmpty()) {
            narrator.measured("there is no incident to undo");
            return;
        }
        try {
            api.post(
                    "/incidents/" + hostileIncident + "/undo",
                    OperatorClient.object().put("reason", "cleaned on site, firmware verified"));
        } catch (OperatorClient.RefusedException e) {
            narrator.measured("the undo was refused: " + e.getMessage());
            return;
        }
        JsonNode device = api.await(
                "/devices/" + meter.id(),
                Duration.ofSeconds(30),
                d -> d.path("state").asText().equals("active")
                        && d.path("connected").asBoolean());
        narrator.measured(meter.id() + " is " + device.path("state").asText()
                + (device.path("connected").asBoolean() ? " and connected" : " but not connected") + " "
                + narrator.sinceActBegan() + " after the undo");
    }
}
