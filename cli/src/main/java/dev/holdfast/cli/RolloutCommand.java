package dev.holdfast.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// Rollouts: begun, watched, stopped.
@Command(
        name = "rollout",
        mixinStandardHelpOptions = true,
        description = "Begins, watches and stops rollouts.",
        synopsisSubcommandLabel = "COMMAND")
final class RolloutCommand {
    private static final Table LIST = Table.of(
            "id",
            "No rollouts. Begin one: holdfast rollout create --release ID --plan plan.yaml --reason TEXT",
            "ID=id",
            "MODEL=model",
            "VERSION=version",
            "STATE=state",
            "HEALTHY=counts.healthy/counts.total",
            "EXPOSED=exposed",
            "BEGUN=createdAt~");
    private static final Table CARD = Table.of(
            "id",
            "",
            "Rollout=id",
            "Version=version",
            "State=state",
            "Because=stateReason",
            "=sentence",
            "Healthy=counts.healthy/counts.total",
            "Exposed=exposed",
            "Gate=gate.sentence",
            "Incident=incident");
    private static final Table BATCHES = Table.of(
            "name",
            "No batches.",
            "BATCH=name",
            "STATE=state",
            "DEVICES=counts.total",
            "UNDECIDED=counts.undecided",
            "HEALTHY=counts.healthy",
            "FAILED=counts.failed",
            "WITHDRAWN=counts.withdrawn",
            "ROLLED BACK=counts.rolledBack");
    private static final Table WINDOWS =
            Table.of("site", "No windows: devices may be updated at any time.", "SITE=site", "WINDOWS=windows");
    private static final Table SWITCH = Table.of("stopped", "", "Stopped=stopped", "Because=reason", "By=by");
    private static final Table.Column PROGRESS = Table.Column.of("=counts.healthy/counts.total");
    private static final Set<String> ENDED = Set.of("finished", "rolled-back", "aborted", "stopped");

    @Command(name = "list", mixinStandardHelpOptions = true, description = "Lists rollouts, newest first.")
    void list(@Mixin ServerOptions server) {
        server.list("/rollouts", Map.of(), "rollouts", 100, LIST);
    }

    @Command(name = "show", mixinStandardHelpOptions = true, description = "Shows a rollout, its batches and its gate.")
    void show(@Mixin ServerOptions server, @Parameters(paramLabel = "ID") String id) {
        print(server, server.client().get(path(id)));
    }

    @Command(name = "create", mixinStandardHelpOptions = true, description = "Begins a rollout.")
    int create(
            @Mixin ServerOptions server,
            @Option(names = "--release", required = true, paramLabel = "ID") String release,
            @Option(
                            names = "--plan",
                            required = true,
                            paramLabel = "FILE",
                            description = "Batches and thresholds, YAML.")
                    Path plan,
            @Option(
                            names = {"-l", "--selector"},
                            description = "Which devices (all of the model).")
                    @Nullable
                    String selector,
            @Mixin Because because,
            @Option(names = "--wait", description = "Wait for its end; exit code 6 when it did not finish well.")
                    boolean wait,
            @Option(names = "--timeout", defaultValue = "PT24H", description = "With --wait, ISO 8601 (PT24H).")
                    Duration timeout) {
        ObjectNode body = because.body().put("release", release);
        try {
            body.set("plan", new YAMLMapper().readTree(InputFile.toSend(plan)));
        } catch (IOException e) {
            throw new ApiException(1, "the plan " + plan + " can't be read: " + e.getMessage());
        }
        if (selector != null) {
            body.put("selector", selector);
        }
        JsonNode begun = server.client().post("/rollouts", body);
        if (!wait) {
            print(server, begun);
            return 0;
        }
        return watch(server, begun.path("id").asText(), timeout);
    }

    @Command(
            name = "watch",
            mixinStandardHelpOptions = true,
            description = "Follows a rollout to its end; exit code 6 when it was stopped or rolled back.")
    int watch(
            @Mixin ServerOptions server,
            @Parameters(paramLabel = "ID") String id,
            @Option(names = "--timeout", defaultValue = "PT24H", description = "ISO 8601 (PT24H).") Duration timeout) {
        long deadline = System.nanoTime() + timeout.toNanos();
        String last = "";
        while (true) {
            JsonNode rollout = server.client().get(path(id));
            String line = Printer.plain(rollout.path("state")) + "  healthy " + PROGRESS.value(rollout, Instant.EPOCH)
                    + "  failed "
                    + Printer.plain(rollout.path("counts").path("failed")) + "  exposed "
                    + Printer.plain(rollout.path("exposed")) + "  "
                    + Printer.plain(rollout.path("gate").path("sentence"));
            if (!line.equals(last) && server.printer().format() == Printer.Format.table) {
                System.out.println(line);
                last = line;
            }
            String state = rollout.path("state").asText();
            if (ENDED.contains(state)) {
                print(server, rollout);
                return state.equals("finished") ? 0 : 6;
            }
            if (System.nanoTime() - deadline > 0) {
                throw new ApiException(7, "rollout " + id + " is still " + state + " after " + timeout);
            }
            pause();
        }
    }

    @Command(name = "pause", mixinStandardHelpOptions = true, description = "Offers nothing more until resumed.")
    void pause(@Mixin ServerOptions server, @Parameters(paramLabel = "ID") String id, @Mixin Because because) {
        print(server, server.client().post(path(id) + "/pause", because.body()));
    }

    @Command(name = "resume", mixinStandardHelpOptions = true, description = "Goes on.")
    void resume(@Mixin ServerOptions server, @Parameters(paramLabel = "ID") String id, @Mixin Because because) {
        print(server, server.client().post(path(id) + "/resume", because.body()));
    }

    @Command(name = "abort", mixinStandardHelpOptions = true, description = "Ends it; updated devices go back.")
    void abort(
            @Mixin ServerOptions server,
            @Parameters(paramLabel = "ID") String id,
            @Mixin Because because,
            @Option(names = "--no-roll-back", description = "Leave updated devices as they are.") boolean stay) {
        print(server, server.client().post(path(id) + "/abort", because.body().put("rollBack", !stay)));
    }

    @Command(
            name = "finish",
            mixinStandardHelpOptions = true,
            description = "Ends it although some devices never came; nothing may be undecided.")
    void finish(@Mixin ServerOptions server, @Parameters(paramLabel = "ID") String id, @Mixin Because because) {
        print(server, server.client().post(path(id) + "/finish", because.body()));
    }

    @Command(
            name = "windows",
            mixinStandardHelpOptions = true,
            description = "Shows when the devices of each site may be updated.")
    void windows(@Mixin ServerOptions server) {
        server.printer()
                .rows(ApiClient.rows(server.client().get("/maintenance-windows").path("sites")), WINDOWS);
    }

    @Command(
            name = "window",
            mixinStandardHelpOptions = true,
            description =
                    "Sets the maintenance window of a site (a value of the label 'site'); without --from, always.")
    void window(
            @Mixin ServerOptions server,
            @Parameters(paramLabel = "SITE") String site,
            @Option(names = "--from", paramLabel = "HH:MM", description = "Local time of the site.") @Nullable
                    String from,
            @Option(names = "--to", paramLabel = "HH:MM", description = "May be past midnight.", defaultValue = "")
                    String to,
            @Option(names = "--zone", description = "Such as Europe/Berlin.", defaultValue = "UTC") String zone,
            @Option(names = "--day", split = ",", description = "Days on which it begins (all).") @Nullable
                    List<String> days,
            @Mixin Because because) {
        ObjectNode body = because.body();
        ArrayNode windows = body.putArray("windows");
        if (from != null) {
            ObjectNode window =
                    windows.addObject().put("from", from).put("to", to).put("zone", zone);
            if (days != null) {
                window.set("days", ApiClient.JSON.valueToTree(days));
            }
        }
        server.printer().one(server.client().put("/maintenance-windows/" + ApiClient.encode(site), body), WINDOWS);
    }

    @Command(
            name = "stop-all",
            mixinStandardHelpOptions = true,
            description = "The one switch: stops every rollout and every rollback; --release lets them go on.")
    void stopAll(
            @Mixin ServerOptions server,
            @Mixin Because because,
            @Option(names = "--release", description = "Let them go on.") boolean release) {
        JsonNode state = server.client().put("/stop-switch", because.body().put("stopped", !release));
        server.printer().one(state, SWITCH);
    }

    private static String path(String id) {
        return "/rollouts/" + ApiClient.encode(id);
    }

    private static void print(ServerOptions server, JsonNode rollout) {
        Printer printer = server.printer();
        printer.one(rollout, CARD);
        printer.section("", rollout.path("batches"), BATCHES);
    }

    private static void pause() {
        try {
            Thread.sleep(Duration.ofSeconds(1));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ApiException(1, "interrupted");
        }
    }
}
