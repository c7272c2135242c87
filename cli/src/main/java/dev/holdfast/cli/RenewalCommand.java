package dev.holdfast.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// Renewal of many certificates ahead of their time, at a rate.
@Command(
        name = "renewal",
        mixinStandardHelpOptions = true,
        description = "Renews certificates ahead of time, at a rate, and shows how far that has come.",
        synopsisSubcommandLabel = "COMMAND")
final class RenewalCommand {
    static final Table CAMPAIGNS = Table.of(
            "id",
            "No campaigns. Devices renew by themselves, spread over time.",
            "ID=id",
            "REASON=reason",
            "CERTIFICATES=total",
            "TOLD=told",
            "DONE=done",
            "PER HOUR=perHour",
            "TOLD BY=toldBy",
            "STARTED=startedAt~",
            "PLANNED=plannedAt~",
            "STOPPED=stoppedAt~");

    /// Which certificates.
    static final class Which {
        @Option(names = "--all", description = "Every one of the environment.")
        boolean all;

        @Option(names = "--authority", paramLabel = "ID", description = "Those that this authority issued.")
        String authority = "";

        @Option(names = "--device", paramLabel = "ID")
        String device = "";

        @Option(
                names = {"-l", "--selector"},
                paramLabel = "SELECTOR",
                description = "Those of the devices with these labels.")
        String selector = "";

        void into(ObjectNode body) {
            if (all) {
                body.put("all", true);
            }
            put(body, "authority", authority);
            put(body, "device", device);
            put(body, "selector", selector);
        }

        private static void put(ObjectNode body, String field, String value) {
            if (!value.isEmpty()) {
                body.put(field, value);
            }
        }
    }

    @Command(
            name = "start",
            mixinStandardHelpOptions = true,
            description = "Tells devices to renew: the first now, the others as the rate allows.")
    void start(
            @Mixin ServerOptions server,
            @ArgGroup(multiplicity = "1") Which which,
            @Option(
                            names = "--per-hour",
                            paramLabel = "N",
                            defaultValue = "0",
                            description = "Devices in an hour, at most (what the server is set to serve).")
                    int perHour,
            @Mixin Because because) {
        ObjectNode body = because.body();
        which.into(body);
        if (perHour > 0) {
            body.put("perHour", perHour);
        }
        server.printer().one(server.client().post("/renewal-campaigns", body), CAMPAIGNS);
    }

    @Command(name = "list", mixinStandardHelpOptions = true, description = "Lists campaigns, newest first.")
    void list(@Mixin ServerOptions server) {
        server.printer()
                .rows(ApiClient.rows(server.client().get("/renewal-campaigns").path("campaigns")), CAMPAIGNS);
    }

    @Command(name = "show", mixinStandardHelpOptions = true, description = "Shows one campaign.")
    void show(@Mixin ServerOptions server, @Parameters(paramLabel = "ID") String id) {
        server.printer().one(server.client().get("/renewal-campaigns/" + ApiClient.encode(id)), CAMPAIGNS);
    }

    @Command(name = "stop", mixinStandardHelpOptions = true, description = "Tells no more devices.")
    void stop(@Mixin ServerOptions server, @Parameters(paramLabel = "ID") String id, @Mixin Because because) {
        server.printer()
                .one(
                        server.client().post("/renewal-campaigns/" + ApiClient.encode(id) + "/stop", because.body()),
                        CAMPAIGNS);
    }
}
