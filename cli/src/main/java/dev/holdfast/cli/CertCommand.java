package dev.holdfast.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
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
        description = "Explains, lists, rotates and revokes certificates.",
        subcommands = {
            ProfileCommand.class,
            CampaignCommand.class,
            EnrolmentRequestCommand.class,
            InspectCommand.class,
            LintCommand.class,
            RenewalCommand.class,
            RotateCommand.class,
            WhyCommand.class
        },
        synopsisSubcommandLabel = "COMMAND")
final class CertCommand {
    private static final Table LIST = Table.of(
            "serial",
            "No certificates. A device gets one by: holdfast device token ID",
            "SERIAL=serial",
            "DEVICE=device",
            "STATUS=status",
            "PROFILE=profile",
            "EXPIRES=notAfter~");
    private static final Table AUTHORITY = Table.of(
            "name",
            "",
            "Authority=name",
            "Kind=kind",
            "Subject=subject",
            "Not after=notAfter",
            "Standing=standing",
            "Development=development");
    private static final Table ROLLED_BACK =
            Table.of("restored", "", "Device=device", "Ended=ended", "In use again=restored");
    private static final Table CEREMONY = Table.of(
            "protocolSha256",
            "No ceremony was entered.",
            "KIND=kind",
            "HELD=at",
            "PEOPLE=people",
            "ROOT=rootSubject",
            "PROTOCOL SHA-256=protocolSha256");
    private static final Table FAILURES = Table.of(
            "cause",
            "Nothing was refused within a week.",
            "LAST=at~",
            "TIMES=times",
            "CAUSE=cause",
            "NAMES=device",
            "FROM=remoteAddress",
            "WHAT=sentence");
    private static final Table CARD = Table.of(
            "serial",
            "",
            "Serial=serial",
            "Device=device",
            "Status=status",
            "Subject=subject",
            "Issuer=issuer",
            "Profile=profile",
            "Not before=notBefore",
            "Not after=notAfter",
            "Revoked=revokedAt",
            "Code=revocationCode",
            "Because=revocationReason",
            "SHA-256=sha256");

    @Command(name = "list", mixinStandardHelpOptions = true, description = "Lists device certificates, newest first.")
    void list(
            @Mixin ServerOptions server,
            @Option(names = "--device", paramLabel = "ID", defaultValue = "") String device,
            @Option(names = "--status", paramLabel = "STATUS", defaultValue = "") String status,
            @Option(names = "--most", paramLabel = "N", defaultValue = "100") int most) {
        server.list("/certificates", ApiClient.query("device", device, "status", status), "certificates", most, LIST);
    }

    @Command(name = "show", mixinStandardHelpOptions = true, description = "Shows one certificate.")
    void show(@Mixin ServerOptions server, @Parameters(paramLabel = "SERIAL") String serial) {
        print(server, server.client().get(SerialNumber.path(serial)));
    }

    @Command(
            name = "revoke",
            mixinStandardHelpOptions = true,
            description = "Revokes a certificate; its sessions are cut.")
    void revoke(
            @Mixin ServerOptions server,
            @Parameters(paramLabel = "SERIAL") String serial,
            @Mixin Because because,
            @Option(
                            names = "--code",
                            paramLabel = "CODE",
                            defaultValue = "unspecified",
                            description = "What OCSP and the lists say (RFC 5280 section 5.3.1): unspecified (default),"
                                    + " keyCompromise, affiliationChanged, superseded, cessationOfOperation,"
                                    + " privilegeWithdrawn.")
                    String code) {
        print(
                server,
                server.client()
                        .post(
                                SerialNumber.path(serial) + "/revoke",
                                because.body().put("code", code)));
    }

    @Command(
            name = "rollback",
            mixinStandardHelpOptions = true,
            description = "Goes back to the device's certificate before the current one, while they overlap.")
    void rollBack(
            @Mixin ServerOptions server, @Parameters(paramLabel = "DEVICE") String device, @Mixin Because because) {
        server.printer()
                .one(
                        server.client()
                                .post("/devices/" + ApiClient.encode(device) + "/certificate-rollback", because.body()),
                        ROLLED_BACK);
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
            description = {
                "Why handshakes, connections and enrolments were refused within a week, on any node: newest first.",
                "Alike ones from one address are one line. What a device is to do about it: holdfast cert why DEVICE"
            })
    void failures(
            @Mixin ServerOptions server,
            @Option(names = "--device", paramLabel = "ID", defaultValue = "", description = "Those that name it.")
                    String device,
            @Option(
                            names = "--address",
                            paramLabel = "IP",
                            defaultValue = "",
                            description = "Those from there, of IPv6 from its /64.")
                    String address,
            @Option(names = "--most", paramLabel = "N", defaultValue = "30") int most) {
        if (!address.isEmpty() && !WhyCommand.isAddress(address)) {
            throw new ApiException(2, "'" + address + "' is not an IP address");
        }
        server.list(
                "/connection-failures",
                ApiClient.query("device", device, "address", address),
                "failures",
                most,
                FAILURES);
    }

    @Command(
            name = "ca-request",
            mixinStandardHelpOptions = true,
            description = "Prints a request for an issuer under your own root (docs/root-ceremony.md).")
    void caRequest(
            @Mixin ServerOptions server,
            @Option(names = "--for", required = true, paramLabel = "devices|servers") String purpose) {
        JsonNode made =
                server.client().post("/authorities/requests", ApiClient.object().put("purpose", purpose));
        System.err.println("Request " + Printer.plain(made.path("id")) + "; hand its certificate in with:"
                + " holdfast cert ca-install " + Printer.plain(made.path("id")) + " chain.pem");
        System.out.print(made.path("pem").asText());
    }

    @Command(
            name = "ca-install",
            mixinStandardHelpOptions = true,
            description = "Takes the issuer's certificate with those above it, root last; from then on it issues, or,"
                    + " under your next root, from when that takes over.")
    void caInstall(
            @Mixin ServerOptions server,
            @Parameters(index = "0", paramLabel = "ID") String id,
            @Parameters(index = "1", paramLabel = "CHAIN", description = "PEM.") Path chain) {
        server.printer()
                .one(
                        server.client()
                                .put(
                                        "/authorities/requests/" + ApiClient.encode(id) + "/certificate",
                                        ApiClient.object().put("chain", InputFile.toSend(chain))),
                        AUTHORITY);
    }

    @Command(
            name = "ceremony-record",
            mixinStandardHelpOptions = true,
            description = "Enters a root ceremony into the journal, from its record.json (docs/root-ceremony.md).")
    void ceremonyRecord(@Mixin ServerOptions server, @Parameters(paramLabel = "FILE") Path record) {
        JsonNode entered = ApiClient.parse(InputFile.toSend(record));
        if (!entered.isObject()) {
            throw new ApiException(1, record + " is not the record.json of a ceremony");
        }
        server.printer().one(server.client().post("/ceremonies", entered), CEREMONY);
    }

    @Command(
            name = "ceremonies",
            mixinStandardHelpOptions = true,
            description = "Lists the root ceremonies that were entered.")
    void ceremonies(@Mixin ServerOptions server) {
        List<JsonNode> rows = new java.util.ArrayList<>();
        server.client().get("/ceremonies").path("ceremonies").forEach(rows::add);
        server.printer().rows(rows, CEREMONY);
    }

    private static void print(ServerOptions server, JsonNode certificate) {
        server.printer().one(certificate, CARD);
    }
}
