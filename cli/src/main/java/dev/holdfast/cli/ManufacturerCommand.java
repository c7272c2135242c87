package dev.holdfast.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// Manufacturers whose devices enrol with the identity they left the factory with.
@Command(
        name = "manufacturer",
        mixinStandardHelpOptions = true,
        description = "Manufacturers whose device certificates (IDevID) may enrol, and their serial numbers.",
        synopsisSubcommandLabel = "COMMAND")
final class ManufacturerCommand {
    private static final Table ANCHORS = Table.of(
            "id",
            "No manufacturers. Add one by: holdfast manufacturer add NAME --file ca.pem",
            "ID=id",
            "NAME=name",
            "SUBJECT=subject",
            "UNREGISTERED=unregistered",
            "EXPIRES=notAfter~");

    @Command(name = "list", mixinStandardHelpOptions = true, description = "Lists manufacturers.")
    void list(@Mixin ServerOptions server) {
        server.printer()
                .rows(
                        ApiClient.rows(
                                server.client().get("/manufacturer-anchors").path("anchors")),
                        ANCHORS);
    }

    @Command(
            name = "add",
            mixinStandardHelpOptions = true,
            description = "Trusts a manufacturer's CA for first enrolment; again, to change what is said of it.")
    void add(
            @Mixin ServerOptions server,
            @Parameters(paramLabel = "NAME") String name,
            @Option(
                            names = {"-f", "--file"},
                            required = true,
                            paramLabel = "FILE",
                            description = "The CA's certificate, PEM.")
                    Path file,
            @Option(
                            names = "--unregistered",
                            paramLabel = "refused|held",
                            defaultValue = "refused",
                            description = "What becomes of products whose serial nobody has registered (refused);"
                                    + " held ones wait for you: holdfast cert request list.")
                    String unregistered) {
        server.printer()
                .one(
                        server.client()
                                .post(
                                        "/manufacturer-anchors",
                                        ApiClient.object()
                                                .put("name", name)
                                                .put("pem", InputFile.toSend(file))
                                                .put("unregistered", unregistered)),
                        ANCHORS);
    }

    @Command(
            name = "remove",
            mixinStandardHelpOptions = true,
            description = "Stops trusting it for enrolment; devices enrolled by it stay.")
    void remove(@Mixin ServerOptions server, @Parameters(paramLabel = "ID") String id) {
        server.client().delete("/manufacturer-anchors/" + ApiClient.encode(id));
    }

    @Command(
            name = "serials",
            mixinStandardHelpOptions = true,
            description = "Registers which product is which device, from the factory's file.")
    void serials(
            @Mixin ServerOptions server,
            @Option(
                            names = {"-f", "--file"},
                            required = true,
                            paramLabel = "FILE",
                            description = "CSV with a header line: serialNumber, device and, to register devices that"
                                    + " are missing, model.")
                    Path file,
            @Option(
                            names = "--manufacturer",
                            paramLabel = "ID",
                            defaultValue = "",
                            description = "Needed when there are several.")
                    String anchor) {
        JsonNode report = server.client()
                .upload("/imports/manufacturer-serials", ApiClient.query("anchor", anchor), "text/csv", file);
        server.printer()
                .one(
                        report,
                        Table.of(
                                "accepted",
                                "",
                                "Read=read",
                                "Accepted=accepted",
                                "Unchanged=unchanged",
                                "Rejected=rejected"));
        report.path("errors")
                .forEach(
                        error -> System.err.println("line " + error.path("line").asText() + ": "
                                + error.path("message").asText()));
        if (!report.path("errors").isEmpty()) {
            throw new ApiException(1, report.path("errors").size() + " lines were not taken");
        }
    }
}
