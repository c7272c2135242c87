package dev.holdfast.simulator;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
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
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;

/// The story of the demo. Meters do what meters do, an operator does what an operator does through the public
/// API, and the server does the rest; what is printed was measured.
final class Story {
    private final CityPlan plan;
    private final City city;
    private final OperatorClient api;
    private final Narrator narrator;
    private final Surroundings around;

    private final ReleaseActs releases;

    private String hostileSince = "";
    private String hostileIncident = "";
    private String cloneSince = "";

    /// @param relays where each gateway's relay listens
    /// @param gate whether the server has its rollout gate; without it there is no stop to wait for
    /// @param isolation whether the server isolates by itself
    record Surroundings(
            Path folder,
            DemoServer server,
            Duration telemetry,
            Map<String, java.net.InetSocketAddress> relays,
            boolean gate,
            boolean isolation) {
        /// How long to wait for an isolation: it takes a second, but this machine may be busy.
        Duration patience() {
            return Duration.ofSeconds(isolation ? 60 : 4);
        }
    }

    Story(CityPlan plan, City city, OperatorClient api, Factory factory, Narrator narrator, Surroundings around) {
        this.plan = plan;
        this.city = city;
        this.api = api;
        this.narrator = narrator;
        this.around = around;
        this.releases = new ReleaseActs(plan, city, api, factory, narrator, around);
    }

    void tell() throws IOException, InterruptedException {
        enrolment();
        releases.goodRelease();
        releases.badRelease();
        HostileMeter hostile = hostileMeter();
        clonedIdentity();
        hostile.close();
        undo();
        falseAlarms();
    }

    GroundTruth truth() {
        return new GroundTruth(
                plan.seed(),
                plan.meters().size(),
                plan.gateways().size(),
                CityPlan.GOOD_VERSION,
                CityPlan.BAD_VERSION,
                releases.goodRollout(),
                releases.badRollout(),
                releases.canary(),
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
                around.patience(),
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

    /// The incident of the device of one of these causes under which it was isolated; else the newest.
    private JsonNode incident(String device, Set<String> causes) throws IOException, InterruptedException {
        JsonNode newest = MissingNode.getInstance();
        for (JsonNode summary : api.get("/incidents?device=" + device).path("incidents")) {
            if (causes.contains(summary.path("cause").asText())) {
                JsonNode whole = api.get("/incidents/" + summary.path("id").asText());
                for (JsonNode action : whole.path("actions")) {
                    if (action.hasNonNull("doneAt")) {
                        return whole;
                    }
                }
                newest = newest.isMissingNode() ? whole : newest;
            }
        }
        return newest;
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
                    around.patience(),
                    d -> d.path("state").asText().equals("suspended"));
            boolean suspended = device.path("state").asText().equals("suspended");
            if (suspended) {
                // It tries once more, and is refused at the door.
                api.await(
                        "/connection-failures?device=" + meter.id(),
                        Duration.ofSeconds(30),
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

    /// What the detectors said of meters that did nothing.
    private void falseAlarms() throws IOException, InterruptedException {
        Set<String> guilty = Set.of(plan.hostile().id(), plan.cloned().id());
        Map<String, Long> byCause = api.all("/findings", "findings").stream()
                .filter(f -> !guilty.contains(f.path("device").asText()))
                .collect(Collectors.groupingBy(f -> f.path("cause").asText(), TreeMap::new, Collectors.counting()));
        narrator.say("");
        narrator.measured("false alarms: "
                + byCause.values().stream().mapToLong(Long::longValue).sum() + " findings on the "
                + (plan.meters().size() - guilty.size()) + " innocent meters"
                + (byCause.isEmpty() ? "" : " " + byCause));
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
                Duration.ofSeconds(60),
                d -> d.path("state").asText().equals("active")
                        && d.path("connected").asBoolean());
        narrator.measured(meter.id() + " is " + device.path("state").asText()
                + (device.path("connected").asBoolean() ? " and connected" : " but not connected") + " "
                + narrator.sinceActBegan() + " after the undo");
    }
}
