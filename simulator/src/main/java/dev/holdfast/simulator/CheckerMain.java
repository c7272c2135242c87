package dev.holdfast.simulator;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/// Reads the story back through the public API alone, in a process of its own, and says whether each act came out
/// right. It knows nothing of the server but its address, a token that may only read, and what really happened.
public final class CheckerMain {
    /// The exit code when an act came out wrong (a gate failed).
    static final int WRONG = 6;

    private static final Duration CUT_WITHIN = Duration.ofSeconds(10);
    static final Set<String> TRAFFIC_OR_PROTOCOL = Set.of(
            "DESTINATION_NOT_ALLOWED",
            "DESTINATION_FAN_OUT",
            "PORT_SCAN",
            "FORBIDDEN_TOPIC_REPEATED",
            "FOREIGN_ACTION_REPEATED");
    static final Set<String> IDENTITY = Set.of("IDENTITY_USED_IN_TWO_PLACES", "SUPERSEDED_CERTIFICATE_IN_USE");

    private final OperatorClient api;
    private final GroundTruth truth;
    private final PrintStream out;
    private final List<String> wrong = new ArrayList<>();

    private CheckerMain(OperatorClient api, GroundTruth truth, PrintStream out) {
        this.api = api;
        this.truth = truth;
        this.out = out;
    }

    /// @param arguments the server's origin, a file with a token, the file of what really happened
    public static void main(String[] arguments) throws Exception {
        GroundTruth truth = GroundTruth.read(Path.of(arguments[2]));
        String token = Files.readString(Path.of(arguments[1])).strip();
        int exit;
        try (OperatorClient api = new OperatorClient(arguments[0], token)) {
            exit = new CheckerMain(api, truth, System.out).run();
        }
        System.exit(exit);
    }

    private int run() throws IOException, InterruptedException {
        part("1 enrolment", this::enrolment);
        part("2 good release", this::goodRelease);
        part("3 bad release", this::badRelease);
        part("4 hostile meter", this::hostileMeter);
        part("5 cloned identity", this::clonedIdentity);
        part("6 undo", this::undo);
        part("innocent meters", this::innocents);
        part("the journal", this::journal);
        if (wrong.isEmpty()) {
            out.println("Checker: every act came out right, read back through the public API.");
            return 0;
        }
        out.println("Checker: " + wrong.size() + " expectations do not hold.");
        return WRONG;
    }

    private interface Part {
        void check() throws IOException, InterruptedException;
    }

    private void part(String name, Part part) throws InterruptedException {
        int before = wrong.size();
        try {
            part.check();
        } catch (IOException e) {
            wrong.add(name);
            out.println("  ✗ " + name + ": " + e.getMessage());
        }
        if (wrong.size() == before) {
            out.println("  ✓ " + name);
        }
    }

    private void expect(boolean holds, String what) {
        if (!holds) {
            wrong.add(what);
            out.println("  ✗ " + what);
        }
    }

    private static boolean isMeter(JsonNode device) {
        return device.path("model").asText().equals(CityPlan.MODEL);
    }

    private void enrolment() throws IOException, InterruptedException {
        List<JsonNode> devices = api.all("/devices", "devices");
        long meters = devices.stream().filter(CheckerMain::isMeter).count();
        expect(meters == truth.meters(), meters + " meters are in the inventory, not " + truth.meters());
        long without = devices.stream()
                .filter(d -> d.path("state").asText().equals("registered"))
                .count();
        expect(without == 0, without + " devices never got a certificate");
        List<JsonNode> certificates = api.all("/certificates", "certificates");
        Set<String> holders = new TreeSet<>();
        certificates.forEach(c -> holders.add(c.path("device").asText()));
        expect(
                holders.size() == truth.meters() + truth.gateways(),
                holders.size() + " devices have certificates, not " + (truth.meters() + truth.gateways()));
    }

    private void goodRelease() throws IOException, InterruptedException {
        JsonNode rollout = api.get("/rollouts/" + truth.goodRollout());
        expect(
                rollout.path("state").asText().equals("finished"),
                "the good release is " + rollout.path("state").asText() + ", not finished");
        expect(rollout.path("version").asText().equals(truth.goodVersion()), "the good rollout is of another version");
        int healthy = rollout.path("counts").path("healthy").asInt();
        expect(healthy == truth.meters(), "the good release made " + healthy + " meters healthy, not all");
        expect(rollout.path("batches").size() > 1, "the good release did not go in batches");
        long running = meters().stream()
                .filter(d -> d.path("firmware").asText().equals(truth.goodVersion()))
                .count();
        expect(running == truth.meters(), running + " meters report the good version, not all");
    }

    private List<JsonNode> meters() throws IOException, InterruptedException {
        return api.all("/devices", "devices").stream()
                .filter(CheckerMain::isMeter)
                .toList();
    }

    private void badRelease() throws IOException, InterruptedException {
        JsonNode rollout = api.get("/rollouts/" + truth.badRollout());
        expect(
                rollout.path("state").asText().equals("rolled-back"),
                "the bad release is " + rollout.path("state").asText() + ", not rolled back");
        int exposed = rollout.path("exposed").asInt();
        expect(exposed > 0, "nobody was exposed to the bad release, so nothing was tried");
        expect(
                exposed <= truth.canary(),
                exposed + " meters were exposed to the bad release, past the canary of " + truth.canary());
        expect(
                exposed >= truth.tookBad(),
                "the server counts " + exposed + " exposed, but " + truth.tookBad() + " took the bad release");
        expect(truth.crashed() > 0, "no meter fell over the bad release, so nothing was tried");
        expect(
                rollout.path("exposure").path("bytesAfterStop").asLong(0) == 0,
                "bytes of the bad release were served after its stop was complete");
        long still = meters().stream()
                .filter(d -> d.path("firmware").asText().equals(truth.badVersion()))
                .count();
        expect(still == 0, still + " meters still run the bad release");
        boolean incident = api.all("/incidents", "incidents").stream()
                .anyMatch(i -> i.path("rollout").asText().equals(truth.badRollout()));
        expect(incident, "no incident tells of the bad release");
    }

    private List<JsonNode> incidentsOf(String device) throws IOException, InterruptedException {
        List<JsonNode> whole = new ArrayList<>();
        for (JsonNode summary : api.all("/incidents?device=" + device, "incidents")) {
            whole.add(api.get("/incidents/" + summary.path("id").asText()));
        }
        return whole;
    }

    private static List<JsonNode> automatic(List<JsonNode> incidents, Set<String> kinds) {
        List<JsonNode> found = new ArrayList<>();
        for (JsonNode incident : incidents) {
            for (JsonNode action : incident.path("actions")) {
                if (action.path("automatic").asBoolean()
                        && kinds.contains(action.path("kind").asText())
                        && action.hasNonNull("doneAt")) {
                    found.add(action);
                }
            }
        }
        return found;
    }

    private void hostileMeter() throws IOException, InterruptedException {
        List<JsonNode> incidents = incidentsOf(truth.hostile());
        List<JsonNode> fitting = incidents.stream()
                .filter(i -> TRAFFIC_OR_PROTOCOL.contains(i.path("cause").asText()))
                .toList();
        expect(!fitting.isEmpty(), "no incident tells what the hostile meter did");
        expect(
                fitting.stream().anyMatch(i -> !i.path("provenance").asText().equals("claimed")),
                "the hostile meter was judged by claims alone");
        List<JsonNode> actions = automatic(fitting, Set.of("isolate"));
        expect(!actions.isEmpty(), "the hostile meter was not isolated");
        if (!actions.isEmpty()) {
            JsonNode action = actions.getFirst();
            Instant cut = Instant.parse(action.path("doneAt").asText());
            Duration taken = Duration.between(Instant.parse(truth.hostileSince()), cut);
            expect(
                    !taken.isNegative() && taken.compareTo(CUT_WITHIN) < 0,
                    "the hostile meter was isolated after " + taken.toMillis() + " ms");
            expect(
                    action.path("legs").path("session").path("state").asText().matches("enforced|lifted"),
                    "the session of the hostile meter was not cut");
        }
    }

    /// Nobody else was touched, whatever was said of them.
    private void innocents() throws IOException, InterruptedException {
        Set<String> guilty = Set.of(truth.hostile(), truth.cloned());
        Set<String> isolated = new TreeSet<>();
        for (JsonNode incident : api.all("/incidents", "incidents")) {
            String device = incident.path("device").asText("");
            if (!device.isEmpty() && !guilty.contains(device)) {
                JsonNode whole = api.get("/incidents/" + incident.path("id").asText());
                if (!automatic(List.of(whole), Set.of("isolate", "suspend")).isEmpty()) {
                    isolated.add(device);
                }
            }
        }
        api.all("/devices", "devices").stream()
                .filter(d -> Set.of("quarantined", "suspended")
                        .contains(d.path("state").asText()))
                .map(d -> d.path("id").asText())
                .filter(id -> !guilty.contains(id))
                .forEach(isolated::add);
        expect(isolated.isEmpty(), "devices that did nothing were isolated: " + isolated);
        Set<String> accused = new TreeSet<>();
        List<JsonNode> findings = api.all("/findings", "findings").stream()
                .filter(f -> !guilty.contains(f.path("device").asText()))
                .toList();
        findings.forEach(f -> accused.add(f.path("device").asText()));
        out.println("Checker: " + findings.size() + " findings on " + accused.size() + " innocent devices.");
        expect(
                accused.size() * 20 <= truth.meters(),
                accused.size() + " innocent devices were accused, more than one in twenty");
    }

    private void clonedIdentity() throws IOException, InterruptedException {
        JsonNode device = api.get("/devices/" + truth.cloned());
        expect(
                device.path("state").asText().equals("suspended"),
                "the cloned identity is " + device.path("state").asText() + ", not suspended");
        expect(!device.path("connected").asBoolean(), "somebody is connected under the cloned identity");
        List<JsonNode> incidents = incidentsOf(truth.cloned()).stream()
                .filter(i -> IDENTITY.contains(i.path("cause").asText()))
                .toList();
        expect(!incidents.isEmpty(), "no incident tells of the clone");
        expect(
                incidents.stream().anyMatch(i -> i.path("provenance").asText().equals("proven")),
                "the clone is not proven");
        expect(!automatic(incidents, Set.of("suspend")).isEmpty(), "the cloned identity was not suspended by itself");
        boolean refused = api.all("/connection-failures?device=" + truth.cloned(), "failures").stream()
                .anyMatch(f -> f.path("cause").asText().contains("SUSPENDED"));
        expect(refused, "nobody was refused under the cloned identity");
    }

    private void undo() throws IOException, InterruptedException {
        List<JsonNode> actions = automatic(incidentsOf(truth.hostile()), Set.of("isolate"));
        expect(
                !actions.isEmpty()
                        && actions.stream()
                                .allMatch(a -> a.path("state").asText().equals("undone")),
                "the isolation of the once hostile meter is not undone");
        JsonNode device = api.get("/devices/" + truth.hostile());
        expect(
                device.path("state").asText().equals("active"),
                "the once hostile meter is " + device.path("state").asText() + ", not active");
        expect(device.path("connected").asBoolean(), "the once hostile meter is not connected again");
        expect(
                incidentsOf(truth.hostile()).stream()
                        .filter(i -> i.path("id").asText().equals(truth.hostileIncident()))
                        .allMatch(i -> i.path("state").asText().equals("closed")),
                "the incident of the undone isolation is still open");
    }

    private void journal() throws IOException, InterruptedException {
        JsonNode verification = api.get("/journal/verify");
        expect(
                verification.path("intact").asBoolean(),
                "the journal is not intact: " + verification.path("sentence").asText());
    }
}
