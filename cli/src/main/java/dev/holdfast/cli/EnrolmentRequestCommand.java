package dev.holdfast.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Map;
import org.jspecify.annotations.Nullable;
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
            "SERIAL=serialNumber",
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
    void approve(
            @Mixin ServerOptions server,
            @Parameters(paramLabel = "ID") String id,
            @Option(
                            names = "--device",
                            paramLabel = "ID",
                            description = "Which device an unregistered product is (the one with its serial as id).")
                    @Nullable
                    String device,
            @Option(names = "--model", paramLabel = "MODEL", description = "Of a device that is not registered yet.")
                    @Nullable
                    String model,
            @Option(names = "--label", paramLabel = "KEY=VALUE") @Nullable Map<String, String> labels,
            @Mixin Because because) {
        ObjectNode body = because.body();
        if (device != null) {
            body.put("device", device);
        }
        if (model != null) {
            body.put("model", model);
        }
        if (labels != null) {
            body.set("labels", ApiClient.JSON.valueToTree(labels));
        }
        decide(server, id, "approve", body);
    }

    @Command(
            name = "refuse",
            mixinStandardHelpOptions = true,
            description = "Refuses it; the device is told so when it asks again.")
    void refuse(@Mixin ServerOptions server, @Parameters(paramLabel = "ID") String id, @Mixin Because because) {
        decide(server, id, "refuse", because.body());
    }

    private static void decide(ServerOptions server, String id, String decision, ObjectNode body) {
        server.printer()
                .one(
                        server.client().post("/enrolment-requests/" + ApiClient.encode(id) + "/" + decision, body),
                        REQUESTS);
    }
}
