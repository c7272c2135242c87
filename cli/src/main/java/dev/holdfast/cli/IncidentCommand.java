package dev.holdfast.cli;

import com.fasterxml.jackson.databind.JsonNode;
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
    private static final Table LIST = Table.of(
            "id",
            "No open incidents.",
            "ID=id",
            "SEVERITY=severity",
            "STATE=state",
            "DEVICE=device",
            "CAUSE=cause",
            "KNOWN BY=provenance",
            "DONE=action",
            "OPENED=openedAt~");
    private static final Table CARD = Table.of(
            "id",
            "",
            "Incident=id",
            "=title",
            "Device=device",
            "Cause=cause",
            "Severity=severity",
            "Known by=provenance",
            "State=state",
            "Opened=openedAt~",
            "First hostile act=hostileActAt",
            "Undo=undoSentence");
    private static final Table LIMITS =
            Table.of("allowance", "", "Share=share", "At most=most", "Within=window", "That is now=allowance");
    private static final Table EVIDENCE =
            Table.of("cause", "None.", "KNOWN BY=provenance", "EXPECTED=expected", "SEEN=seen", "SINCE=since~");
    private static final Table ACTIONS = Table.of(
            "kind",
            "None.",
            "ACTION=kind",
            "STATE=state",
            "SESSION=legs.session.state",
            "IDENTITY=legs.identity.state",
            "NETWORK=legs.network.state",
            "UNTIL=until~",
            "REASON=reason");

    @Command(name = "list", mixinStandardHelpOptions = true, description = "Lists incidents, newest first.")
    void list(
            @Mixin ServerOptions server,
            @Option(names = "--all", description = "Closed ones too.") boolean all,
            @Option(names = "--device", paramLabel = "ID", defaultValue = "") String device,
            @Option(names = "--most", paramLabel = "N", defaultValue = "50") int most) {
        server.list(
                "/incidents", ApiClient.query("open", all ? "" : "true", "device", device), "incidents", most, LIST);
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
        print(server, server.client().post(path(id) + "/acknowledge", Because.of(reason)));
    }

    @Command(name = "approve", mixinStandardHelpOptions = true, description = "Lets the waiting action happen.")
    void approve(@Mixin ServerOptions server, @Parameters(paramLabel = "ID") String id, @Mixin Because because) {
        print(server, server.client().post(path(id) + "/approve", because.body()));
    }

    @Command(name = "refuse", mixinStandardHelpOptions = true, description = "Says no to the waiting action.")
    void refuse(@Mixin ServerOptions server, @Parameters(paramLabel = "ID") String id, @Mixin Because because) {
        print(server, server.client().post(path(id) + "/refuse", because.body()));
    }

    @Command(name = "undo", mixinStandardHelpOptions = true, description = "Takes back what was done to the device.")
    void undo(@Mixin ServerOptions server, @Parameters(paramLabel = "ID") String id, @Mixin Because because) {
        print(server, server.client().post(path(id) + "/undo", because.body()));
    }

    @Command(name = "close", mixinStandardHelpOptions = true, description = "Closes it; the device stays as it is.")
    void close(@Mixin ServerOptions server, @Parameters(paramLabel = "ID") String id, @Mixin Because because) {
        print(server, server.client().post(path(id) + "/close", because.body()));
    }

    @Command(
            name = "limits",
            mixinStandardHelpOptions = true,
            description = "Shows how many devices may be isolated automatically before a person is asked.")
    void limits(@Mixin ServerOptions server) {
        server.printer().one(server.client().get("/isolation-limits"), LIMITS);
    }

    @Command(
            name = "set-limits",
            mixinStandardHelpOptions = true,
            description = "Sets how far automatic isolation may go by itself.")
    void setLimits(
            @Mixin ServerOptions server,
            @Option(names = "--share", required = true, description = "Of the population, such as 0.01.") double share,
            @Option(names = "--most", required = true, description = "Devices; 0 asks a person each time.") int most,
            @Option(names = "--window", defaultValue = "PT1H", description = "ISO 8601 (PT1H).") String window,
            @Mixin Because because) {
        server.printer()
                .one(
                        server.client()
                                .put(
                                        "/isolation-limits",
                                        because.body()
                                                .put("share", share)
                                                .put("most", most)
                                                .put("window", window)),
                        LIMITS);
    }

    private static String path(String id) {
        return "/incidents/" + ApiClient.encode(id);
    }

    static void print(ServerOptions server, JsonNode incident) {
        Printer printer = server.printer();
        printer.one(incident, CARD);
        printer.section("Evidence", incident.path("evidence"), EVIDENCE);
        printer.section("Actions", incident.path("actions"), ACTIONS);
    }
}
