package dev.holdfast.agent;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.holdfast.agent.BootRecord.Attempt;
import dev.holdfast.agent.BootRecord.Verdict;
import dev.holdfast.protocol.manifest.Manifest;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Consumer;

/// The device's side of the hawkBit Direct Device Integration API: asks, fetches with resume, reports.
///
/// One round at a time; a round ends by telling the agent when to ask again, or that it is time to reboot.
final class UpdatePoller {
    private static final int MOST_JSON = 262_144;
    private static final Duration SHORTEST_SLEEP = Duration.ofSeconds(1);
    private static final Duration LONGEST_SLEEP = Duration.ofHours(24);

    private final AgentSettings settings;
    private final Updater updater;
    private final DeviceHttpClient client;
    private final Rounds rounds;
    private final Map<String, String> attributes;
    private Duration sleep;

    /// What a round leads to.
    interface Rounds {
        void again(Duration after);

        void reboot(String why);

        void noted(String event, String detail);

        /// The store is gone: the device stops as if its power were cut.
        void storeFailed(IOException failure);
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
        this.client = client;
        this.attributes = new TreeMap<>(attributes);
        this.rounds = rounds;
        this.sleep = settings.pace().retryMost();
    }

    /// 1. A finished update is told first. 2. Then what the server wants: a cancellation, the device's attributes,
    /// a deployment, in this order.
    void round() {
        guard(() -> {
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
        feedback(deployment(id), id, "closed", good ? "success" : "failure", detail, () -> {
            updater.forget();
            rounds.noted("feedback", (good ? "success " : "failure ") + id);
            ask();
        });
    }

    private void ask() {
        get(base(), root -> {
            Duration asked =
                    sleepOf(root.path("config").path("polling").path("sleep").asText());
            Duration most = settings.pace().pollMost();
            sleep = asked.compareTo(most) > 0 ? most : asked;
            JsonNode links = root.path("_links");
            if (links.path("cancelAction").hasNonNull("href")) {
                cancel(href(links.path("cancelAction")));
            } else if (links.path("configData").hasNonNull("href")) {
                describe(href(links.path("configData")), () -> takeUp(links));
            } else {
                takeUp(links);
            }
        });
    }

    private void takeUp(JsonNode links) {
        if (links.path("deploymentBase").hasNonNull("href")) {
            get(href(links.path("deploymentBase")), this::deploy);
        } else {
            rest();
        }
    }

    private void describe(String href, Step then) {
        ObjectNode body = AgentJson.object().put("mode", "merge");
        ObjectNode data = body.putObject("data");
        attributes.forEach(data::put);
        send(HttpMethod.PUT, href, body, then);
    }

    /// An update can be withdrawn until it is armed; after that the device says no and carries on.
    private void cancel(String href) {
        get(href, offer -> {
            String actionId = offer.path("cancelAction")
                    .path("stopId")
                    .asText(offer.path("id").asText());
            String path = base() + "/cancelAction/" + segment(offer.path("id").asText());
            Updater.Pending pending = updater.pending();
            boolean armed = updater.outcome().isPresent()
                    && pending != null
                    && pending.id().equals(actionId);
            if (!armed && pending != null && pending.id().equals(actionId)) {
                updater.forget();
            }
            rounds.noted(armed ? "cancel-refused" : "cancelled", actionId);
            feedback(
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
                        each.path("filename").asText(), href(each.path("_links").path("download")));
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
        client.send(
                DeviceHttpClient.Request.get(manifest.get().href(), Map.of()),
                new WholeAnswer(
                        dev.holdfast.protocol.manifest.SignedManifest.MOST_OCTETS,
                        result -> guard(() -> begin(id, file, result))));
    }

    private void begin(String id, Artifact image, WholeAnswer.Result result) throws IOException {
        if (!(result instanceof WholeAnswer.Result.Answer answer) || !answer.ok()) {
            rest();
            return;
        }
        switch (updater.begin(id, answer.body())) {
            case Updater.Begun.Refused refused -> refuse(id, refused.reason());
            case Updater.Begun.AlreadyRuns _ ->
                feedback(deployment(id), id, "closed", "success", "runs already", this::rest);
            case Updater.Begun.Fetch fetch ->
                feedback(
                        deployment(id),
                        id,
                        "proceeding",
                        "none",
                        "fetching " + fetch.manifest().version(),
                        () -> {
                            rounds.noted("fetching", fetch.manifest().version() + " from " + fetch.offset());
                            if (fetch.offset() == fetch.manifest().image().size()) {
                                install(id, fetch.manifest());
                            } else {
                                client.send(
                                        DeviceHttpClient.Request.get(
                                                image.href(), Map.of("range", "bytes=" + fetch.offset() + "-")),
                                        new ImageReceiver(id, fetch));
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
        post(
                deployment(id) + "/feedback",
                status(id, "proceeding", "none", "installed, rebooting"),
                _ -> rounds.reboot("to try " + manifest.version()));
    }

    private void refuse(String id, String reason) {
        rounds.noted("refused", reason);
        feedback(deployment(id), id, "closed", "failure", reason, () -> {
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
            guard(() -> install(id, fetch.manifest()));
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

    /// Work that may find the store gone.
    private interface Step {
        void run() throws IOException;
    }

    private interface Reading {
        void read(JsonNode tree) throws IOException;
    }

    private void guard(Step step) {
        try {
            step.run();
        } catch (BadAnswerException e) {
            rounds.noted("bad-answer", String.valueOf(e.getMessage()));
            rest();
        } catch (IOException e) {
            rounds.storeFailed(e);
        }
    }

    private static final class BadAnswerException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        BadAnswerException(String message) {
            super(message);
        }
    }

    private void get(String path, Reading then) {
        client.send(
                DeviceHttpClient.Request.get(path, Map.of("accept", "application/json")),
                new WholeAnswer(
                        MOST_JSON,
                        result -> guard(() -> {
                            if (result instanceof WholeAnswer.Result.Answer answer && answer.ok()) {
                                then.read(parse(answer.body()));
                            } else {
                                rounds.noted("poll-failed", describe(result));
                                rest();
                            }
                        })));
    }

    private static JsonNode parse(byte[] body) {
        try {
            return AgentJson.tree(body);
        } catch (IOException e) {
            throw new BadAnswerException("the answer is not JSON");
        }
    }

    /// Sent until the server has it: a failure ends the round, and the next one comes here again. An answer 4xx means
    /// the server does not want to know any more (the action is closed or gone).
    private void feedback(String action, String id, String execution, String finished, String detail, Step then) {
        post(action + "/feedback", status(id, execution, finished, detail), result -> {
            if (result instanceof WholeAnswer.Result.Answer answer && answer.status() < 500 && answer.status() != 429) {
                guard(then);
            } else {
                rounds.noted("feedback-failed", describe(result));
                rounds.again(settings.pace().retry());
            }
        });
    }

    private static ObjectNode status(String id, String execution, String finished, String detail) {
        ObjectNode body = AgentJson.object().put("id", id);
        ObjectNode status = body.putObject("status").put("execution", execution);
        status.putObject("result").put("finished", finished);
        status.putArray("details").add(detail);
        return body;
    }

    private void send(HttpMethod method, String path, JsonNode body, Step then) {
        client.send(
                DeviceHttpClient.Request.send(method, path, "application/json", AgentJson.bytes(body)),
                new WholeAnswer(MOST_JSON, _ -> guard(then)));
    }

    private void post(String path, JsonNode body, Consumer<WholeAnswer.Result> then) {
        client.send(
                DeviceHttpClient.Request.send(HttpMethod.POST, path, "application/json", AgentJson.bytes(body)),
                new WholeAnswer(MOST_JSON, then));
    }

    private static String describe(WholeAnswer.Result result) {
        return switch (result) {
            case WholeAnswer.Result.Answer answer ->
                "the server answered " + answer.status() + ": " + Enroller.printable(answer.body());
            case WholeAnswer.Result.Failed failed -> failed.reason();
        };
    }

    private void rest() {
        rounds.again(sleep);
    }

    private String base() {
        return "/" + settings.tenant() + "/controller/v1/" + settings.deviceId();
    }

    private String deployment(String id) {
        return base() + "/deploymentBase/" + segment(id);
    }

    private static String segment(String id) {
        if (!id.matches("[A-Za-z0-9._-]{1,128}")) {
            throw new BadAnswerException("not an action id");
        }
        return id;
    }

    /// A link of the server's, which must lead back to it: the device shows its certificate to nobody else.
    private String href(JsonNode link) {
        URI uri;
        try {
            uri = URI.create(link.path("href").asText());
        } catch (IllegalArgumentException e) {
            throw new BadAnswerException("a link that is none");
        }
        if (!settings.https().serves(uri) || uri.getRawPath() == null) {
            throw new BadAnswerException("a link that leads elsewhere: "
                    + Enroller.printable(uri.toString().getBytes(java.nio.charset.StandardCharsets.UTF_8)));
        }
        return uri.getRawPath() + (uri.getRawQuery() == null ? "" : "?" + uri.getRawQuery());
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
