package dev.holdfast.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// Devices: what there is, and what an operator may do to one.
@Command(
        name = "device",
        mixinStandardHelpOptions = true,
        description = "Lists, registers, isolates and reinstates devices.",
        synopsisSubcommandLabel = "COMMAND")
final class DeviceCommand {
    private static final Table LIST = Table.of(
            "id",
            "No devices. Register one: holdfast device add ID --model MODEL",
            "ID=id",
            "MODEL=model",
            "STATE=state",
            "HEALTH=health",
            "FIRMWARE=firmware",
            "RISK=risk.level",
            "LAST CONTACT=lastContact~");
    private static final Table CARD = Table.of(
            "id",
            "",
            "Device=id",
            "Model=model",
            "State=state",
            "Because=stateReason",
            "Since=stateSince~",
            "Until=stateUntil~",
            "Health=health",
            "=healthReason",
            "Connected=connected",
            "Firmware=firmware",
            "Risk=risk.level",
            "Last contact=lastContact~",
            "Labels=labels");
    private static final Table TOKEN = Table.of("token", "", "Token=token", "Expires=expiresAt", "EST=estUrl");
    private static final Table SECRET = Table.of("id", "", "Reference=id", "Secret=secret", "Expires=expiresAt");
    private static final Table LOGS = Table.of("text", "No log lines.", "AT=at", "SEVERITY=severity", "TEXT=text");
    private static final Table IMPORTED =
            Table.of("accepted", "", "Read=read", "Accepted=accepted", "Unchanged=unchanged", "Rejected=rejected");

    @Command(name = "list", mixinStandardHelpOptions = true, description = "Lists devices.")
    void list(
            @Mixin ServerOptions server,
            @Option(
                            names = {"-l", "--selector"},
                            paramLabel = "SELECTOR",
                            defaultValue = "",
                            description = "Such as: district=north, state in (quarantined,suspended)")
                    String selector,
            @Option(names = "--search", paramLabel = "TEXT", defaultValue = "", description = "Part of an id.")
                    String search,
            @Option(names = "--most", paramLabel = "N", defaultValue = "200", description = "At most this many (200).")
                    int most) {
        server.list("/devices", ApiClient.query("selector", selector, "search", search), "devices", most, LIST);
    }

    @Command(name = "show", mixinStandardHelpOptions = true, description = "Shows one device.")
    void show(@Mixin ServerOptions server, @Parameters(paramLabel = "ID") String id) {
        print(server, server.client().get(path(id)));
    }

    @Command(name = "add", mixinStandardHelpOptions = true, description = "Registers a device.")
    void add(
            @Mixin ServerOptions server,
            @Parameters(paramLabel = "ID") String id,
            @Option(names = "--model", required = true, paramLabel = "MODEL") String model,
            @Option(names = "--label", paramLabel = "KEY=VALUE") @Nullable Map<String, String> labels,
            @Option(names = "--reaches-via", paramLabel = "GATEWAY", description = "The gateway before it.") @Nullable
                    String via) {
        ObjectNode body = ApiClient.object().put("id", id).put("model", model);
        if (labels != null) {
            body.set("labels", ApiClient.JSON.valueToTree(labels));
        }
        if (via != null) {
            body.put("reachesVia", via);
        }
        print(server, server.client().post("/devices", body));
    }

    @Command(
            name = "token",
            mixinStandardHelpOptions = true,
            description = "Makes a one-time enrolment token and prints the commands that use it.")
    void token(
            @Mixin ServerOptions server,
            @Parameters(paramLabel = "ID") String id,
            @Option(
                            names = "--expires-in",
                            paramLabel = "DURATION",
                            defaultValue = "PT24H",
                            description = "ISO 8601, at most P30D (PT24H).")
                    String expiresIn) {
        JsonNode made = server.client()
                .post(path(id) + "/enrolment-token", ApiClient.object().put("expiresIn", expiresIn));
        server.printer().one(made, TOKEN);
        if (server.printer().format() == Printer.Format.table && made.hasNonNull("commands")) {
            System.out.println();
            System.out.println(made.path("commands").asText());
        }
    }

    @Command(
            name = "secret",
            mixinStandardHelpOptions = true,
            description = "Makes a secret that the device and the server both know, for CMP and ACME.")
    void secret(
            @Mixin ServerOptions server,
            @Parameters(paramLabel = "ID") String id,
            @Option(
                            names = "--expires-in",
                            paramLabel = "DURATION",
                            defaultValue = "PT24H",
                            description = "ISO 8601, at most P30D (PT24H).")
                    String expiresIn) {
        server.printer()
                .one(
                        server.client()
                                .post(
                                        path(id) + "/shared-secret",
                                        ApiClient.object().put("expiresIn", expiresIn)),
                        SECRET);
    }

    @Command(name = "label", mixinStandardHelpOptions = true, description = "Sets labels; an empty value removes one.")
    void label(
            @Mixin ServerOptions server,
            @Parameters(index = "0", paramLabel = "ID") String id,
            @Parameters(index = "1..*", paramLabel = "KEY=VALUE", arity = "1..*") Map<String, String> labels) {
        ObjectNode changes = ApiClient.object();
        labels.forEach((key, value) -> {
            if (value.isEmpty()) {
                changes.putNull(key);
            } else {
                changes.put(key, value);
            }
        });
        print(server, server.client().patch(path(id), ApiClient.object().set("labels", changes)));
    }

    @Command(name = "suspend", mixinStandardHelpOptions = true, description = "Refuses the device everywhere.")
    void suspend(@Mixin ServerOptions server, @Parameters(paramLabel = "ID") String id, @Mixin Because because) {
        act(server, id, "suspend", because);
    }

    @Command(name = "reinstate", mixinStandardHelpOptions = true, description = "Ends a suspension or an isolation.")
    void reinstate(@Mixin ServerOptions server, @Parameters(paramLabel = "ID") String id, @Mixin Because because) {
        act(server, id, "reinstate", because);
    }

    @Command(
            name = "retire",
            mixinStandardHelpOptions = true,
            description = "Takes the device out of service for ever and revokes its certificates.")
    void retire(@Mixin ServerOptions server, @Parameters(paramLabel = "ID") String id, @Mixin Because because) {
        act(server, id, "retire", because);
    }

    @Command(name = "isolate", mixinStandardHelpOptions = true, description = "Quarantines the device for a time.")
    void isolate(
            @Mixin ServerOptions server,
            @Parameters(paramLabel = "ID") String id,
            @Option(names = "--reason", defaultValue = "", description = "Why, for the journal.") String reason,
            @Option(names = "--for", paramLabel = "DURATION", defaultValue = "PT24H", description = "ISO 8601 (PT24H).")
                    String time,
            @Option(names = "--dry-run", description = "Say what it would do; change nothing.") boolean dryRun) {
        if (dryRun) {
            Printer printer = server.printer();
            JsonNode preview = server.client().get(path(id) + "/isolate/preview");
            printer.one(preview, Table.ofFields("sentence", "", List.of(preview)));
            return;
        }
        if (reason.isBlank()) {
            throw new ApiException(2, "give --reason: it stands in the journal beside the change");
        }
        JsonNode incident =
                server.client().post(path(id) + "/isolate", Because.of(reason).put("for", time));
        IncidentCommand.print(server, incident);
    }

    @Command(name = "logs", mixinStandardHelpOptions = true, description = "Shows the device's log lines, newest last.")
    void logs(
            @Mixin ServerOptions server,
            @Parameters(paramLabel = "ID") String id,
            @Option(names = "--search", paramLabel = "WORDS", defaultValue = "") String search,
            @Option(names = "--most", paramLabel = "N", defaultValue = "50") int most) {
        Map<String, String> query = ApiClient.query("device", id, "search", search);
        ApiClient client = server.client();
        List<JsonNode> lines = client.pages("/logs", query, "lines", most);
        if (lines.isEmpty()) {
            client.get(path(id)); // or a misspelt name would look like a silent device
        }
        server.printer().rows(lines.reversed(), LOGS.whenNoneOf(ApiClient.query("search", search)));
    }

    @Command(
            name = "import",
            mixinStandardHelpOptions = true,
            description = "Registers devices from CSV: id,model,reachesVia,label.<key>...")
    int importCsv(
            @Mixin ServerOptions server,
            @Parameters(paramLabel = "FILE") Path file,
            @Option(names = "--dry-run", description = "Check only.") boolean dryRun) {
        JsonNode result = server.client()
                .upload("/imports/devices", dryRun ? Map.of("dryRun", "true") : Map.of(), "text/csv", file);
        server.printer().one(result, IMPORTED);
        result.path("errors")
                .forEach(error -> System.err.println(
                        "line " + error.path("line").asText() + ": " + Printer.plain(error.path("message"))));
        return result.path("rejected").asInt() == 0 ? 0 : 1;
    }

    @Command(name = "export", mixinStandardHelpOptions = true, description = "Writes the inventory as CSV.")
    void export(@Mixin ServerOptions server) {
        System.out.print(server.client().text("/exports/devices", Map.of()));
    }

    private static void act(ServerOptions server, String id, String verb, Because because) {
        print(server, server.client().post(path(id) + "/" + verb, because.body()));
    }

    private static String path(String id) {
        return "/devices/" + ApiClient.encode(id);
    }

    private static void print(ServerOptions server, JsonNode device) {
        server.printer().one(device, CARD);
    }
}
