package dev.holdfast.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// Makes devices renew now: make before break, so the present certificates count until the new ones were used.
@Command(
        name = "rotate",
        mixinStandardHelpOptions = true,
        description = {
            "Tells devices to renew their certificates now. Their present ones count until the new ones were used.",
            "How far it has come: holdfast cert renewal show ID; to tell no more of them: holdfast cert renewal stop ID."
        })
final class RotateCommand implements Runnable {
    private static final String SERIAL = "[0-9a-fA-F:]{24,60}";

    @Mixin
    private ServerOptions server = new ServerOptions();

    @ArgGroup(multiplicity = "1")
    private Which which = new Which();

    @Option(
            names = "--per-hour",
            paramLabel = "N",
            defaultValue = "0",
            description = "Devices in an hour, at most (what the server is set to serve).")
    private int perHour;

    @Mixin
    private Because because = new Because();

    /// Which certificates.
    static final class Which {
        @Parameters(paramLabel = "DEVICE|SERIAL", arity = "1", description = "One device's, or this very one.")
        private String what = "";

        @Option(
                names = {"-l", "--selector"},
                paramLabel = "SELECTOR",
                description = "Those of the devices with these labels.")
        private String selector = "";
    }

    @Override
    public void run() {
        ObjectNode body = because.body();
        checkThatThereIsOne();
        if (!which.selector.isEmpty()) {
            body.put("selector", which.selector);
        } else {
            body.put(which.what.matches(SERIAL) ? "serial" : "device", which.what.replace(":", ""));
        }
        if (perHour > 0) {
            body.put("perHour", perHour);
        }
        JsonNode campaign = server.client().post("/renewal-campaigns", body);
        server.printer().one(campaign, RenewalCommand.CAMPAIGNS);
        if (campaign.path("total").asLong() == 0 && campaign.hasNonNull("plannedAt")) {
            throw new ApiException(3, "none of them has a certificate that counts: nothing will be renewed");
        }
    }

    /// A misspelt name is said so, before anything is written of it.
    private void checkThatThereIsOne() {
        if (which.selector.isEmpty()) {
            server.client()
                    .get(
                            which.what.matches(SERIAL)
                                    ? SerialNumber.path(which.what)
                                    : "/devices/" + ApiClient.encode(which.what));
        } else if (server.client()
                .pages("/devices", ApiClient.query("selector", which.selector), "devices", 1)
                .isEmpty()) {
            throw new ApiException(3, "no device has the labels " + which.selector + ": nothing will be renewed");
        }
    }
}
