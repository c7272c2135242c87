package dev.holdfast.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// Incidents: what happened, on what evidence, what was done, and taking it back.
@Command(
        name = "incident",
        mixinStandardHelpOptions = true,
        description = "Lists, explains, approves and undoes.",
        synopsisSubcommandLabel = "COMMAND")
final class IncidentCommand {
    @Command(name = "list", mixinStandardHelpOptions = true, description = "Lists incidents, newest first.")
    void list(
            @Mixin ServerOptions server,
            @Option(names = "--all", description = "Closed ones too.") boolean all,
            @Option(names = "--device", paramLabel = "ID", defaultValue = "") String device,
            @Option(names = "--most", paramLabel = "N", defaultValue = "50") int most) {
        Map<String, String> query = new java.util.LinkedHashMap<>();
        if (!all) {
            query.put("open", "true");
        }
        if (!device.isEmpty()) {
            query.put("device", device);
        }
        List<JsonNode> rows = new ArrayList<>();
        server.client().pages("/incidents", query, "incidents", most, rows::add);
        Printer printer = server.printer();
        printer.rows(
                rows,
                "id",
                List.of(
                        Printer.Column.of("ID", "id"),
                        Printer.Column.of("SEVERITY", "severity"),
                        Printer.Column.of("STATE", "state"),
                        Printer.Column.of("DEVICE", "device"),
                        Printer.Column.of("CAUSE", "cause"),
                        Printer.Column.of("KNOWN BY", "provenance"),
                        Printer.Column.of("DONE", "action"),
                        printer.ago("OPENED", "openedAt")),
                "No open incidents.");
    }

    @Command(name = "show", mixinStandardHelpOptions = true, description = "Shows one with its evidence and actions.")
    void show(@Mixin ServerOptions server, @Parameters(paramLabel = "ID") String id) {
        print(server, server.client().get(path(id)));
    }

    @Command(name = "ack", mixinStandardHelpOptions = true, description = "Says that somebody has it.")
    void acknowledge(
            @Mixin ServerOptions server,
            @Parameters(paramLabel = "ID") String id,
            @Option(names = "--reason", defaultValue = "acknowledged") String reason) {
        print(server, server.client().post(path(id) + "/acknowledge", DeviceCommand.because(reason)));
    }

    @Command(name = "approve", mixinStandardHelpOptions = true, description = "Lets the waiting action happen.")
    void approve(
            @Mixin ServerOptions server,
            @Parameters(paramLabel = "ID") String id,
            @Option(names = "--reason", required = true) String reason) {
        print(server, server.client().post(path(id) + "/approve", DeviceCommand.because(reason)));
    }

    @Command(name = "undo", mixinStandardHelpOptions = true, description = "Takes back what was done to the device.")
    void undo(
            @Mixin ServerOptions server,
            @Parameters(paramLabel = "ID") String id,
            @Option(names = "--reason", required = true) String reason) {
        print(server, server.client().post(path(id) + "/undo", DeviceCommand.because(reason)));
    }

    @Command(name = "close", mixinStandardHelpOptions = true, description = "Closes it; the device stays as it is.")
    void close(
            @Mixin ServerOptions server,
            @Parameters(paramLabel = "ID") String id,
            @Option(names = "--reason", required = true) String reason) {
        print(server, server.client().post(path(id) + "/close", DeviceCommand.because(reason)));
    }

    private static String path(String id) {
        return "/incidents/" + ApiClient.encode(id);
    }

    static void print(ServerOptions server, JsonNode incident) {
        Printer printer = server.printer();
        printer.one(
                incident,
                "id",
                List.of(
                        Printer.Column.of("Incident", "id"),
                        Printer.Column.of("", "title"),
                        Printer.Column.of("Device", "device"),
                        Printer.Column.of("Cause", "cause"),
                        Printer.Column.of("Severity", "severity"),
                        Printer.Column.of("Known by", "provenance"),
                        Printer.Column.of("State", "state"),
                        printer.ago("Opened", "openedAt"),
                        Printer.Column.of("First hostile act", "hostileActAt"),
                        Printer.Column.of("Undo", "undoSentence")));
        if (printer.format() != Printer.Format.table) {
            return;
        }
        section("Evidence");
        printer.rows(
                list(incident.path("evidence")),
                "cause",
                List.of(
                        Printer.Column.of("KNOWN BY", "provenance"),
                        Printer.Column.of("EXPECTED", "expected"),
                        Printer.Column.of("SEEN", "seen"),
                        printer.ago("SINCE", "since")),
                "None.");
        section("Actions");
        printer.rows(
                list(incident.path("actions")),
                "kind",
                List.of(
                        Printer.Column.of("ACTION", "kind"),
                        Printer.Column.of("STATE", "state"),
                        leg("SESSION", "session"),
                        leg("IDENTITY", "identity"),
                        leg("NETWORK", "network"),
                        printer.ago("UNTIL", "until"),
                        Printer.Column.of("REASON", "reason")),
                "None.");
    }

    private static Printer.Column leg(String heading, String field) {
        return new Printer.Column(
                heading, row -> Printer.plain(row.path("legs").path(field).path("state")));
    }

    private static List<JsonNode> list(JsonNode array) {
        List<JsonNode> rows = new ArrayList<>();
        array.forEach(rows::add);
        return rows;
    }

    private static void section(String title) {
        System.out.println();
        System.out.println(title);
    }
}
