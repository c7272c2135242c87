package dev.holdfast.agent;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.netty.handler.codec.http.HttpMethod;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.function.Consumer;

/// The wire of the hawkBit Direct Device Integration API: its addresses, its JSON, and what follows when an
/// answer is bad or the store is gone while one is worked on.
final class DdiClient {
    private static final int MOST_JSON = 262_144;

    private final AgentSettings settings;
    private final DeviceHttpClient client;
    private final UpdatePoller.Rounds rounds;
    private final Runnable rest;

    /// @param rest ends the round until the next time
    DdiClient(AgentSettings settings, DeviceHttpClient client, UpdatePoller.Rounds rounds, Runnable rest) {
        this.settings = settings;
        this.client = client;
        this.rounds = rounds;
        this.rest = rest;
    }

    /// Work that may find the store gone.
    interface Step {
        void run() throws IOException;
    }

    interface Reading {
        void read(JsonNode tree) throws IOException;
    }

    static final class BadAnswerException extends RuntimeException {
        static final long serialVersionUID = 1L;

        BadAnswerException(String message) {
            super(message);
        }
    }

    void guard(Step step) {
        try {
            step.run();
        } catch (BadAnswerException e) {
            rounds.noted("bad-answer", String.valueOf(e.getMessage()));
            rest.run();
        } catch (IOException e) {
            rounds.storeFailed(e);
        }
    }

    void get(String path, Reading then) {
        client.send(
                DeviceHttpClient.Request.get(path, Map.of("accept", "application/json")),
                new WholeAnswer(
                        MOST_JSON,
                        result -> guard(() -> {
                            if (result instanceof WholeAnswer.Result.Answer answer && answer.ok()) {
                                then.read(parse(answer.body()));
                            } else {
                                rounds.noted("poll-failed", describe(result));
                                rest.run();
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

    /// Sent until the server has it: a failure ends the round, and the next one comes here again. An answer 4xx
    /// means the server does not want to know any more (the action is closed or gone).
    void feedback(String action, String id, String execution, String finished, String detail, Step then) {
        post(action + "/feedback", status(id, execution, finished, detail), result -> {
            if (result instanceof WholeAnswer.Result.Answer answer && answer.status() < 500 && answer.status() != 429) {
                guard(then);
            } else {
                rounds.noted("feedback-failed", describe(result));
                rounds.again(settings.pace().retry());
            }
        });
    }

    static ObjectNode status(String id, String execution, String finished, String detail) {
        ObjectNode body = AgentJson.object().put("id", id);
        ObjectNode status = body.putObject("status").put("execution", execution);
        status.putObject("result").put("finished", finished);
        status.putArray("details").add(detail);
        return body;
    }

    void send(HttpMethod method, String path, JsonNode body, Step then) {
        client.send(
                DeviceHttpClient.Request.send(method, path, "application/json", AgentJson.bytes(body)),
                new WholeAnswer(MOST_JSON, _ -> guard(then)));
    }

    void post(String path, JsonNode body, Consumer<WholeAnswer.Result> then) {
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

    String base() {
        return "/" + settings.tenant() + "/controller/v1/" + settings.deviceId();
    }

    String deployment(String id) {
        return base() + "/deploymentBase/" + segment(id);
    }

    static String segment(String id) {
        if (!id.matches("[A-Za-z0-9._-]{1,128}")) {
            throw new BadAnswerException("not an action id");
        }
        return id;
    }

    /// A link of the server's, which must lead back to it: the device shows its certificate to nobody else.
    String href(JsonNode link) {
        URI uri;
        try {
            uri = URI.create(link.path("href").asText());
        } catch (IllegalArgumentException e) {
            throw new BadAnswerException("a link that is none");
        }
        if (!settings.https().serves(uri) || uri.getRawPath() == null) {
            throw new BadAnswerException("a link that leads elsewhere: "
                    + Enroller.printable(uri.toString().getBytes(StandardCharsets.UTF_8)));
        }
        return uri.getRawPath() + (uri.getRawQuery() == null ? "" : "?" + uri.getRawQuery());
    }

    /// Fetches something whole.
    void fetch(String href, int most, Consumer<WholeAnswer.Result> then) {
        client.send(DeviceHttpClient.Request.get(href, Map.of()), new WholeAnswer(most, then));
    }

    /// Fetches from an offset on.
    void fetch(String href, long offset, DeviceHttpClient.Receiver receiver) {
        client.send(DeviceHttpClient.Request.get(href, Map.of("range", "bytes=" + offset + "-")), receiver);
    }
}
