package dev.holdfast.agent;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.holdfast.agent.BootRecord.Attempt;
import dev.holdfast.agent.BootRecord.Verdict;
import dev.holdfast.protocol.manifest.Manifest;
import dev.holdfast.protocol.manifest.SignedManifest;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// The device's side of the hawkBit Direct Device Integration API: asks, fetches with resume, reports.
///
/// One round at a time; a round ends by telling the agent when to ask again, or that it is time to reboot.
final class UpdatePoller {
    private static final Duration SHORTEST_SLEEP = Duration.ofSeconds(1);
    private static final Duration LONGEST_SLEEP = Duration.ofHours(24);

    private final AgentSettings settings;
    private final Updater updater;
    private final DdiClient ddi;
    private final Rounds rounds;
    private final Map<String, String> attributes;
    private Duration sleep;

    /// What a round leads to.
    interface Rounds extends Lifeline {
        void again(Duration after);
    }

    private record Artifact(String name, String href) {}

    UpdatePoller(
            AgentSettings settings,
            Updater updater,
            DeviceHttpClient client,
            Map<String, String> attributes,
            Rounds rounds) {
        this.settings = settings;
        this.updater = updater;
        this.ddi = new DdiClient(settings, client, rounds, this::rest);
        this.attributes = new TreeMap<>(attributes);
        this.rounds = rounds;
        this.sleep = settings.pace().retryMost();
    }

    /// 1. A finished update is told first. 2. Then what the server wants: a cancellation, the device's attributes,
    /// a deployment, in this order.
    void round() {
        ddi.guard(() -> {
            Updater.Pending pending = updater.pending();
            Optional<Attempt> outcome = updater.outcome();
            if (pending != null && outcome.isPresent() && outcome.get().verdict() != Verdict.TRYING) {
                tell(pending.id(), outcome.get());
            } else {
                ask();
            }
        });
    }

    private void tell(String id, Attempt outcome) {
        boolean good = outcome.verdict() == Verdict.CONFIRMED;
        String detail = good ? "confirmed after self-test and reconnection" : "reverted: " + outcome.detail();
        ddi.feedback(ddi.deployment(id), id, "closed", good ? "success" : "failure", detail, () -> {
            updater.forget();
            rounds.noted("feedback", (good ? "success " : "failure ") + id);
            ask();
        });
    }

    private void ask() {
        ddi.get(ddi.base(), root -> {
            Duration asked =
                    sleepOf(root.path("config").path("polling").path("sleep").asText());
            Duration most = settings.pace().pollMost();
            sleep = asked.compareTo(most) > 0 ? most : asked;
            JsonNode links = root.path("_links");
            if (links.path("cancelAction").hasNonNull("href")) {
                cancel(ddi.href(links.path("cancelAction")));
            } else if (links.path("configData").hasNonNull("href")) {
                describe(ddi.href(links.path("configData")), () -> takeUp(links));
            } else {
                takeUp(links);
            }
        });
    }

    private void takeUp(JsonNode links) {
        if (links.path("deploymentBase").hasNonNull("href")) {
            ddi.get(ddi.href(links.path("deploymentBase")), this::deploy);
        } else {
            rest();
        }
    }

    private void describe(String href, DdiClient.Step then) {
        ObjectNode body = AgentJson.object().put("mode", "merge");
        ObjectNode data = body.putObject("data");
        attributes.forEach(data::put);
        ddi.send(HttpMethod.PUT, href, body, then);
    }

    /// An update can be withdrawn until it is armed; after that the device says no and carries on.
    private void cancel(String href) {
        ddi.get(href, offer -> {
            String actionId = offer.path("cancelAction")
                    .path("stopId")
                    .asText(offer.path("id").asText());
            String path = ddi.base() + "/cancelAction/"
                    + DdiClient.segment(offer.path("id").asText());
            Updater.Pending pending = updater.pending();
            boolean armed = updater.outcome().isPresent()
                    && pending != null
                    && pending.id().equals(actionId);
            if (!armed && pending != null && pending.id().equals(actionId)) {
                updater.forget();
            }
            rounds.noted(armed ? "cancel-refused" : "cancelled", actionId);
            ddi.feedback(
                    path,
                    offer.path("id").asText(),
                    armed ? "rejected" : "closed",
                    armed ? "none" : "success",
                    armed ? "already installed" : "withdrawn",
                    this::rest);
        });
    }

    private void deploy(JsonNode offer) throws IOException {
        String id = offer.path("id").asText();
        JsonNode deployment = offer.path("deployment");
        if (updater.outcome().isPresent()
                || deployment.path("download").asText().equals("skip")
                || deployment.path("update").asText().equals("skip")) {
            rest();
            return;
        }
        Optional<Artifact> manifest = Optional.empty();
        Optional<Artifact> image = Optional.empty();
        for (JsonNode chunk : deployment.path("chunks")) {
            for (JsonNode each : chunk.path("artifacts")) {
                Artifact artifact = new Artifact(
                        each.path("filename").asText(),
                        ddi.href(each.path("_links").path("download")));
                if (artifact.name().endsWith(".manifest") || artifact.name().endsWith(".manifest.json")) {
                    manifest = Optional.of(artifact);
                } else if (!artifact.name().endsWith(".swu")) {
                    image = Optional.of(artifact);
                }
            }
        }
        if (manifest.isEmpty() || image.isEmpty()) {
            refuse(id, "the deployment holds no signed manifest and image");
            return;
        }
        Artifact file = image.get();
        ddi.fetch(
                manifest.get().href(), SignedManifest.MOST_OCTETS, result -> ddi.guard(() -> begin(id, file, result)));
    }

    private void begin(String id, Artifact image, WholeAnswer.Result result) throws IOException {
        if (!(result instanceof WholeAnswer.Result.Answer answer) || !answer.ok()) {
            rest();
            return;
        }
        switch (updater.begin(id, answer.body())) {
            case Updater.Begun.Refused refused -> refuse(id, refused.reason());
            case Updater.Begun.AlreadyRuns _ ->
                ddi.feedback(ddi.deployment(id), id, "closed", "success", "runs already", this::rest);
            case Updater.Begun.Fetch fetch ->
                ddi.feedback(
                        ddi.deployment(id),
                        id,
                        "proceeding",
                        "none",
                        "fetching " + fetch.manifest().version(),
                        () -> {
                            rounds.noted("fetching", fetch.manifest().version() + " from " + fetch.offset());
                            if (fetch.offset() == fetch.manifest().image().size()) {
                                install(id, fetch.manifest());
                            } else {
                                ddi.fetch(image.href(), fetch.offset(), new ImageReceiver(id, fetch));
                            }
                        });
        }
    }

    private void install(String id, Manifest manifest) throws IOException {
        Updater.Pending pending = updater.pending();
        if (pending == null) {
            rest();
            return;
        }
        Optional<String> fault = updater.finish(pending);
        if (fault.isPresent()) {
            refuse(id, fault.get());
            return;
        }
        rounds.noted("installed", manifest.version());
        // Told before the reboot, best effort; what counts is what is told after it.
        ddi.post(
                ddi.deployment(id) + "/feedback",
                DdiClient.status(id, "proceeding", "none", "installed, rebooting"),
                _ -> rounds.reboot("to try " + manifest.version()));
    }

    private void refuse(String id, String reason) {
        rounds.noted("refused", reason);
        ddi.feedback(ddi.deployment(id), id, "closed", "failure", reason, () -> {
            updater.forget();
            rest();
        });
    }

    /// Takes the image as it comes; what has come survives, and the next round goes on from there.
    private final class ImageReceiver implements DeviceHttpClient.Receiver {
        private final String id;
        private final Updater.Begun.Fetch fetch;
        private long toSkip;
        private boolean tooMuch;

        ImageReceiver(String id, Updater.Begun.Fetch fetch) {
            this.id = id;
            this.fetch = fetch;
        }

        @Override
        public boolean head(int status, HttpHeaders headers) {
            if (status == 200) {
                toSkip = fetch.offset();
                return true;
            }
            String range = headers.get("content-range", "");
            return status == 206 && range.startsWith("bytes " + fetch.offset() + "-");
        }

        @Override
        public boolean body(byte[] piece) {
            int skip = (int) Math.min(toSkip, piece.length);
            toSkip -= skip;
            byte[] rest = skip == 0 ? piece : java.util.Arrays.copyOfRange(piece, skip, piece.length);
            try {
                tooMuch = !updater.accept(fetch.manifest(), rest);
                return !tooMuch;
            } catch (IOException e) {
                rounds.storeFailed(e);
                return false;
            }
        }

        @Override
        public void end() {
            ddi.guard(() -> install(id, fetch.manifest()));
        }

        @Override
        public void failed(String reason) {
            if (tooMuch) {
                refuse(id, "the image is longer than its manifest says");
            } else {
                rounds.noted("fetch-broken", reason);
                rounds.again(settings.pace().retry());
            }
        }
    }

    private void rest() {
        rounds.again(sleep);
    }

    static Duration sleepOf(String text) {
        List<String> parts = List.of(text.split(":", -1));
        if (parts.size() != 3 || !parts.stream().allMatch(p -> p.matches("\\d{1,2}"))) {
            return Duration.ofMinutes(5);
        }
        Duration asked = Duration.ofHours(Long.parseLong(parts.get(0)))
                .plusMinutes(Long.parseLong(parts.get(1)))
                .plusSeconds(Long.parseLong(parts.get(2)));
        if (asked.compareTo(SHORTEST_SLEEP) < 0) {
            return SHORTEST_SLEEP;
        }
        return asked.compareTo(LONGEST_SLEEP) > 0 ? LONGEST_SLEEP : asked;
    }
}
