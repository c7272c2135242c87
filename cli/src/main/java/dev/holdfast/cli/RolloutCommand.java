package dev.holdfast.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
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
    private static final Set<String> ENDED = Set.of("finished", "rolled-back", "aborted", "stopped");

    @Command(name = "list", mixinStandardHelpOptions = true, description = "Lists rollouts, newest first.")
    void list(@Mixin ServerOptions server) {
        List<JsonNode> rows = new ArrayList<>();
        server.client().pages("/rollouts", Map.of(), "rollouts", 100, rows::add);
        Printer printer = server.printer();
        printer.rows(
                rows,
                "id",
                List.of(
                        Printer.Column.of("ID", "id"),
                        Printer.Column.of("MODEL", "model"),
                        Printer.Column.of("VERSION", "version"),
                        Printer.Column.of("STATE", "state"),
                        new Printer.Column("HEALTHY", RolloutCommand::progress),
                        Printer.Column.of("EXPOSED", "exposed"),
                        printer.ago("BEGUN", "createdAt")),
                "No rollouts. Begin one: holdfast rollout create --release ID --plan plan.yaml --reason TEXT");
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
            @Option(names = "--reason", required = true, description = "Why, for the journal.") String reason,
            @Option(names = "--wait", description = "Wait for its end; exit code 6 when it did not finish well.")
                    boolean wait,
            @Option(names = "--timeout", defaultValue = "PT24H", description = "With --wait, ISO 8601 (PT24H).")
                    Duration timeout) {
        ObjectNode body = ApiClient.object().put("release", release).put("reason", reason);
        try {
            body.set("plan", new YAMLMapper().readTree(Files.readString(plan)));
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
            String line = Printer.plain(rollout.path("state")) + "  healthy " + progress(rollout) + "  failed "
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
    void pause(
            @Mixin ServerOptions server,
            @Parameters(paramLabel = "ID") String id,
            @Option(names = "--reason", required = true) String reason) {
        print(server, server.client().post(path(id) + "/pause", DeviceCommand.because(reason)));
    }

    @Command(name = "resume", mixinStandardHelpOptions = true, description = "Goes on.")
    void resume(
            @Mixin ServerOptions server,
            @Parameters(paramLabel = "ID") String id,
            @Option(names = "--reason", required = true) String reason) {
        print(server, server.client().post(path(id) + "/resume", DeviceCommand.because(reason)));
    }

    @Command(name = "abort", mixinStandardHelpOptions = true, description = "Ends it; updated devices go back.")
    void abort(
            @Mixin ServerOptions server,
            @Parameters(paramLabel = "ID") String id,
            @Option(names = "--reason", required = true) String reason,
            @Option(names = "--no-roll-back", description = "Leave updated devices as they are.") boolean stay) {
        print(
                server,
                server.client()
                        .post(path(id) + "/abort", DeviceCommand.because(reason).put("rollBack", !stay)));
    }

    @Command(
            name = "stop-all",
            mixinStandardHelpOptions = true,
            description = "The one switch: stops every rollout and every rollback; --release lets them go on.")
    void stopAll(
            @Mixin ServerOptions server,
            @Option(names = "--reason", required = true) String reason,
            @Option(names = "--release", description = "Let them go on.") boolean release) {
        JsonNode state = server.client()
                .put("/stop-switch", DeviceCommand.because(reason).put("stopped", !release));
        server.printer()
                .one(
                        state,
                        "stopped",
                        List.of(
                                Printer.Column.of("Stopped", "stopped"),
                                Printer.Column.of("Because", "reason"),
                                Printer.Column.of("By", "by")));
    }

    private static String progress(JsonNode rollout) {
        JsonNode counts = rollout.path("counts");
        return counts.path("healthy").asText() + "/" + counts.path("total").asText();
    }

    private static String path(String id) {
        return "/rollouts/" + ApiClient.encode(id);
    }

    private static void print(ServerOptions server, JsonNode rollout) {
        Printer printer = server.printer();
        printer.one(
                rollout,
                "id",
                List.of(
                        Printer.Column.of("Rollout", "id"),
                        Printer.Column.of("Version", "version"),
                        Printer.Column.of("State", "state"),
                        Printer.Column.of("Because", "stateReason"),
                        Printer.Column.of("", "sentence"),
                        new Printer.Column("Healthy", RolloutCommand::progress),
                        Printer.Column.of("Exposed", "exposed"),
                        new Printer.Column(
                                "Gate", row -> Printer.plain(row.path("gate").path("sentence"))),
                        Printer.Column.of("Incident", "incident")));
        if (printer.format() == Printer.Format.table) {
            List<JsonNode> batches = new ArrayList<>();
            rollout.path("batches").forEach(batches::add);
            System.out.println();
            printer.rows(
                    batches,
                    "name",
                    List.of(
                            Printer.Column.of("BATCH", "name"),
                            Printer.Column.of("STATE", "state"),
                            count("DEVICES", "total"),
                            count("UNDECIDED", "undecided"),
                            count("HEALTHY", "healthy"),
                            count("FAILED", "failed"),
                            count("WITHDRAWN", "withdrawn"),
                            count("ROLLED BACK", "rolledBack")),
                    "No batches.");
        }
    }

    private static Printer.Column count(String heading, String field) {
        return new Printer.Column(
                heading, row -> Printer.plain(row.path("counts").path(field)));
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
