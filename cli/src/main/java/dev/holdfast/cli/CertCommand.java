package dev.holdfast.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// Certificates of devices, and those of our authorities.
@Command(
        name = "cert",
        mixinStandardHelpOptions = true,
        description = "Lists, shows and revokes certificates.",
        synopsisSubcommandLabel = "COMMAND")
final class CertCommand {
    @Command(name = "list", mixinStandardHelpOptions = true, description = "Lists device certificates, newest first.")
    void list(
            @Mixin ServerOptions server,
            @Option(names = "--device", paramLabel = "ID", defaultValue = "") String device,
            @Option(names = "--status", paramLabel = "STATUS", defaultValue = "") String status,
            @Option(names = "--most", paramLabel = "N", defaultValue = "100") int most) {
        Map<String, String> query = new LinkedHashMap<>();
        if (!device.isEmpty()) {
            query.put("device", device);
        }
        if (!status.isEmpty()) {
            query.put("status", status);
        }
        List<JsonNode> rows = new ArrayList<>();
        server.client().pages("/certificates", query, "certificates", most, rows::add);
        Printer printer = server.printer();
        printer.rows(
                rows,
                "serial",
                List.of(
                        Printer.Column.of("SERIAL", "serial"),
                        Printer.Column.of("DEVICE", "device"),
                        Printer.Column.of("STATUS", "status"),
                        Printer.Column.of("PROFILE", "profile"),
                        printer.ago("EXPIRES", "notAfter")),
                "No certificates. A device gets one by: holdfast device token ID");
    }

    @Command(name = "show", mixinStandardHelpOptions = true, description = "Shows one certificate.")
    void show(@Mixin ServerOptions server, @Parameters(paramLabel = "SERIAL") String serial) {
        print(server, server.client().get("/certificates/" + ApiClient.encode(serial)));
    }

    @Command(
            name = "revoke",
            mixinStandardHelpOptions = true,
            description = "Revokes a certificate; its sessions are cut.")
    void revoke(
            @Mixin ServerOptions server,
            @Parameters(paramLabel = "SERIAL") String serial,
            @Option(names = "--reason", required = true, description = "Why, for the journal.") String reason) {
        print(
                server,
                server.client()
                        .post("/certificates/" + ApiClient.encode(serial) + "/revoke", DeviceCommand.because(reason)));
    }

    @Command(
            name = "ca",
            mixinStandardHelpOptions = true,
            description = "Prints the trust anchors that devices need, as PEM.")
    void ca(@Mixin ServerOptions server) {
        System.out.print(server.client().text("/ca.pem", Map.of()));
    }

    @Command(
            name = "failures",
            mixinStandardHelpOptions = true,
            description = "Why connections and enrolments were refused.")
    void failures(
            @Mixin ServerOptions server,
            @Option(names = "--device", paramLabel = "ID", defaultValue = "") String device,
            @Option(names = "--most", paramLabel = "N", defaultValue = "30") int most) {
        List<JsonNode> rows = new ArrayList<>();
        server.client()
                .pages(
                        "/connection-failures",
                        device.isEmpty() ? Map.of() : Map.of("device", device),
                        "failures",
                        most,
                        rows::add);
        List<Printer.Column> columns = new ArrayList<>();
        if (!rows.isEmpty()) {
            rows.getFirst()
                    .fieldNames()
                    .forEachRemaining(
                            field -> columns.add(Printer.Column.of(field.toUpperCase(java.util.Locale.ROOT), field)));
        }
        server.printer().rows(rows, "detail", columns, "Nothing was refused.");
    }

    private static void print(ServerOptions server, JsonNode certificate) {
        Printer printer = server.printer();
        printer.one(
                certificate,
                "serial",
                List.of(
                        Printer.Column.of("Serial", "serial"),
                        Printer.Column.of("Device", "device"),
                        Printer.Column.of("Status", "status"),
                        Printer.Column.of("Subject", "subject"),
                        Printer.Column.of("Issuer", "issuer"),
                        Printer.Column.of("Profile", "profile"),
                        Printer.Column.of("Not before", "notBefore"),
                        Printer.Column.of("Not after", "notAfter"),
                        Printer.Column.of("Revoked", "revokedAt"),
                        Printer.Column.of("Because", "revocationReason"),
                        Printer.Column.of("SHA-256", "sha256")));
    }
}
