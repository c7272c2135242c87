package dev.holdfast.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// Requests for certificates that a person decides about.
@Command(
        name = "request",
        mixinStandardHelpOptions = true,
        description = "Lists, approves and refuses requests for certificates that wait for a person.",
        synopsisSubcommandLabel = "COMMAND")
final class EnrolmentRequestCommand {
    private static final Table REQUESTS = Table.of(
            "id",
            "No requests wait.",
            "ID=id",
            "DEVICE=device",
            "STATE=state",
            "CAUSE=cause",
            "BY=credential",
            "ASKED=lastAskedAt~",
            "TIMES=timesAsked",
            "DETAIL=detail");

    @Command(name = "list", mixinStandardHelpOptions = true, description = "Lists requests, newest first.")
    void list(
            @Mixin ServerOptions server,
            @Option(names = "--state", paramLabel = "waiting|approved|refused", defaultValue = "waiting")
                    String state) {
        server.printer()
                .rows(
                        ApiClient.rows(server.client()
                                .get("/enrolment-requests", ApiClient.query("state", state))
                                .path("requests")),
                        REQUESTS);
    }

    @Command(
            name = "approve",
            mixinStandardHelpOptions = true,
            description = "Grants it; the device gets its certificate when it asks again.")
    void approve(@Mixin ServerOptions server, @Parameters(paramLabel = "ID") String id, @Mixin Because because) {
        decide(server, id, "approve", because);
    }

    @Command(
            name = "refuse",
            mixinStandardHelpOptions = true,
            description = "Refuses it; the device is told so when it asks again.")
    void refuse(@Mixin ServerOptions server, @Parameters(paramLabel = "ID") String id, @Mixin Because because) {
        decide(server, id, "refuse", because);
    }

    private static void decide(ServerOptions server, String id, String decision, Because because) {
        server.printer()
                .one(
                        server.client()
                                .post("/enrolment-requests/" + ApiClient.encode(id) + "/" + decision, because.body()),
                        REQUESTS);
    }
}
