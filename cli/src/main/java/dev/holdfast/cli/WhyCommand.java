package dev.holdfast.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.PrintStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/// Why a device does not come in.
@Command(
        name = "why",
        mixinStandardHelpOptions = true,
        description = "Says why a device's last handshakes, connections and enrolments failed, and what to do.")
final class WhyCommand implements Runnable {
    @Mixin
    private ServerOptions server = new ServerOptions();

    @Parameters(paramLabel = "DEVICE", description = "Its name, or the serial number of a certificate of its.")
    private String device = "";

    @Override
    public void run() {
        JsonNode diagnosis = diagnosis(server.client());
        Printer printer = server.printer();
        if (printer.format() != Printer.Format.table) {
            printer.one(diagnosis, Table.of("verdict", ""));
            return;
        }
        PrintStream out = printer.out();
        out.println(Printer.plain(diagnosis.path("sentence")));
        for (JsonNode reason : diagnosis.path("reasons")) {
            out.println();
            out.println(Printer.plain(reason.path("sentence")));
            line(out, "Fix", reason.path("fix"));
            line(out, "Seen", seen(reason));
            line(out, "Read on", reason.path("readOn"));
        }
    }

    private JsonNode diagnosis(ApiClient client) {
        try {
            return client.get(path(device));
        } catch (ApiException e) {
            if (e.exitCode() != 3) {
                throw e;
            }
            return ofCertificate(client);
        }
    }

    /// Who looks for a device that did not come in often has only what a log said of it.
    private JsonNode ofCertificate(ApiClient client) {
        if (SerialNumber.isOne(device)) {
            try {
                return client.get(path(
                        client.get(SerialNumber.path(device)).path("device").asText()));
            } catch (ApiException e) {
                if (e.exitCode() != 3) {
                    throw e;
                }
            }
        }
        throw new ApiException(
                3,
                isAddress(device)
                        ? "no device is called " + device + ". What failed from that address: holdfast cert failures"
                                + " --address " + device
                        : "there is no device " + device + " here (and no certificate with that serial number)."
                                + " Registered ones: holdfast device list; what failed of others: holdfast cert failures");
    }

    private static String path(String id) {
        return "/devices/" + ApiClient.encode(id) + "/connection-diagnosis";
    }

    static boolean isAddress(String text) {
        return text.matches("[0-9]{1,3}(\\.[0-9]{1,3}){3}") || text.matches("[0-9a-fA-F:]*:[0-9a-fA-F:.]*");
    }

    private static void line(PrintStream out, String name, JsonNode value) {
        String text = Printer.plain(value);
        if (!text.isEmpty()) {
            out.printf("  %-9s%s%n", name, text);
        }
    }

    /// `3 times, last 2026-11-27T00:10:00Z from 203.0.113.9:40112 (ISSUER_UNKNOWN)`
    private static JsonNode seen(JsonNode reason) {
        StringBuilder text = new StringBuilder();
        if (reason.path("times").asInt() > 0) {
            text.append(
                            reason.path("times").asInt() == 1
                                    ? "once, at "
                                    : reason.path("times").asInt() + " times, last ")
                    .append(reason.path("lastAt").asText());
            if (reason.hasNonNull("remoteAddress")) {
                text.append(" from ").append(reason.path("remoteAddress").asText());
            }
            text.append(" (").append(reason.path("cause").asText()).append(')');
            if (!reason.path("sure").asBoolean()) {
                text.append("; it may have been another device");
            }
        }
        return ApiClient.JSON.getNodeFactory().textNode(text.toString());
    }
}
