package dev.holdfast.simulator;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.function.Predicate;

/// The acts of the story in which firmware goes out: a good release to everyone, and a bad one that is stopped.
final class ReleaseActs {
    private final CityPlan plan;
    private final City city;
    private final OperatorClient api;
    private final Factory factory;
    private final Narrator narrator;
    private final Story.Surroundings around;
    private String goodRollout = "";
    private String badRollout = "";
    private int canary;

    ReleaseActs(
            CityPlan plan,
            City city,
            OperatorClient api,
            Factory factory,
            Narrator narrator,
            Story.Surroundings around) {
        this.plan = plan;
        this.city = city;
        this.api = api;
        this.factory = factory;
        this.narrator = narrator;
        this.around = around;
    }

    String goodRollout() {
        return goodRollout;
    }

    String badRollout() {
        return badRollout;
    }

    /// How many meters the plan lets be exposed before its first verdict.
    int canary() {
        return canary;
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
                OperatorClient.parse(new String(factory.sign(firmware.version(), image), StandardCharsets.UTF_8)));
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
                .put("inFlight", Math.max(canary, all / 2))
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
    private JsonNode follow(String id, Duration atMost, Predicate<JsonNode> enough)
            throws IOException, InterruptedException {
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
                    || enough.test(now)
                    || System.nanoTime() > deadline) {
                return now;
            }
            Thread.sleep(300);
        }
    }

    void goodRelease() throws IOException, InterruptedException {
        narrator.act(
                "A good release",
                CityPlan.GOOD_VERSION + " goes out in batches, each after the one before it " + "has proven healthy.");
        JsonNode release = release(new FirmwareImage(CityPlan.GOOD_VERSION, 0, plan.seed()));
        goodRollout = rollout(release, "regular maintenance").path("id").asText();
        JsonNode end = follow(goodRollout, Duration.ofMinutes(10), _ -> false);
        narrator.measured(CityPlan.GOOD_VERSION + " " + end.path("state").asText() + " after "
                + narrator.sinceActBegan() + ": "
                + end.path("counts").path("healthy").asInt() + " of "
                + end.path("counts").path("total").asInt() + " meters healthy, in "
                + end.path("batchCount").asInt() + " batches");
    }

    void badRelease() throws IOException, InterruptedException {
        narrator.act(
                "A bad release",
                CityPlan.BAD_VERSION + " was signed like any other, but " + Math.round(plan.badShare() * 100)
                        + " % of the meters can't start it.");
        JsonNode release = release(new FirmwareImage(CityPlan.BAD_VERSION, plan.badShare(), plan.seed()));
        badRollout = rollout(release, "new tariff tables").path("id").asText();
        // Past its canary nothing will stop it where there is no gate: then a person must.
        JsonNode end = follow(
                badRollout,
                Duration.ofMinutes(4),
                now -> !around.gate() && now.path("exposed").asInt() > canary);
        if (end.path("state").asText().equals("running")) {
            api.post(
                    "/rollouts/" + badRollout + "/abort",
                    OperatorClient.object().put("reason", "meters fall over it, and nothing stops it"));
        }
        narrator.detail(end.path("stateReason").asText(end.path("sentence").asText()));
        narrator.measured(CityPlan.BAD_VERSION + " " + end.path("state").asText() + " after "
                + narrator.sinceActBegan() + ": " + end.path("exposed").asInt() + " of "
                + plan.meters().size() + " meters exposed, " + city.crashed() + " fell over it and reverted by "
                + "themselves, " + end.path("exposure").path("bytesAfterStop").asLong(0)
                + " bytes served after the stop");
    }
}
