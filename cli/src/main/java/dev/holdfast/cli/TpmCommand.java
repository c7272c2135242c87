package dev.holdfast.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// TPMs: whose they are, what they may have measured, what they have shown.
@Command(
        name = "tpm",
        mixinStandardHelpOptions = true,
        description = "Registers TPMs and reference values; shows and approves what devices have attested.",
        synopsisSubcommandLabel = "COMMAND")
final class TpmCommand {
    private static final Table ANCHORS = Table.of(
            "id", "No anchors.", "ID=id", "NAME=name", "SUBJECT=subject", "SOFTWARE=software", "FIRST USE=firstUse");
    private static final Table IMPORTED =
            Table.of("accepted", "", "Read=read", "Accepted=accepted", "Unchanged=unchanged", "Rejected=rejected");
    private static final Table VERDICTS = Table.of(
            "at",
            "The device has attested nothing.",
            "AT=at~",
            "OCCASION=occasion",
            "VERDICT=verdict",
            "REFERENCE=reference",
            "HARDWARE=hardware",
            "FAULTS=faults",
            "BECAUSE=because",
            "EVENT LOG=eventLog");
    private static final Table DIFFERENCES = Table.of(
            "register",
            "The registers of its last verdict are as expected.",
            "REGISTER=register",
            "EXPECTED=expected",
            "SEEN=seen",
            "EXPECTED EVENT=expectedEvent",
            "SEEN EVENT=seenEvent");
    private static final Table REFERENCES = Table.of(
            "name", "No reference values.", "NAME=name", "FIRMWARE=firmware", "SUPERSEDED=superseded", "VALUES=values");

    @Command(
            name = "register",
            mixinStandardHelpOptions = true,
            description = "Says that the TPM with this endorsement key is the device's, for ever.")
    void register(
            @Mixin ServerOptions server,
            @Parameters(paramLabel = "DEVICE") String device,
            @Option(
                            names = "--ek",
                            required = true,
                            paramLabel = "FILE",
                            description = "The endorsement key, or its certificate, in PEM.")
                    Path key,
            @Option(names = "--hardware", description = "You know that it is in a real TPM.") boolean hardware) {
        ObjectNode one =
                ApiClient.object().put("device", device).put("pem", read(key)).put("hardware", hardware);
        ObjectNode body = ApiClient.object();
        body.putArray("keys").add(one);
        JsonNode result = server.client().post("/endorsement-keys", body);
        server.printer().one(result, IMPORTED);
        if (result.path("rejected").asInt() > 0) {
            throw new ApiException(
                    5, result.path("errors").path(0).path("message").asText());
        }
    }

    @Command(
            name = "trust",
            mixinStandardHelpOptions = true,
            description = "Trusts a maker of TPMs to say that an endorsement key is in one of its TPMs.")
    void trust(
            @Mixin ServerOptions server,
            @Parameters(paramLabel = "NAME") String name,
            @Option(
                            names = {"-f", "--file"},
                            required = true,
                            paramLabel = "FILE",
                            description = "The maker's CA certificate in PEM.")
                    Path file,
            @Option(names = "--software", description = "It certifies programs that imitate a TPM.") boolean software,
            @Option(
                            names = "--first-use",
                            description = "Its TPMs may claim registered devices that have neither an endorsement key"
                                    + " nor a certificate; only where all of them are yours.")
                    boolean firstUse) {
        server.printer()
                .one(
                        server.client()
                                .post(
                                        "/tpm-anchors",
                                        ApiClient.object()
                                                .put("name", name)
                                                .put("pem", read(file))
                                                .put("software", software)
                                                .put("firstUse", firstUse)),
                        ANCHORS);
    }

    @Command(name = "anchors", mixinStandardHelpOptions = true, description = "Lists the makers that are trusted.")
    void anchors(@Mixin ServerOptions server) {
        server.printer().rows(ApiClient.rows(server.client().get("/tpm-anchors").path("anchors")), ANCHORS);
    }

    @Command(
            name = "show",
            mixinStandardHelpOptions = true,
            description = "What a device's TPM has shown, newest first.")
    void show(
            @Mixin ServerOptions server,
            @Parameters(paramLabel = "DEVICE") String device,
            @Option(
                            names = "--differences",
                            description =
                                    "In which registers the last verdict differs from what was expected, and which"
                                            + " measured events did it.")
                    boolean differences) {
        JsonNode verdicts = server.client().get(path(device)).path("verdicts");
        if (differences) {
            server.printer().rows(changes(verdicts.path(0).path("differences")), DIFFERENCES);
        } else {
            server.printer().rows(ApiClient.rows(verdicts), VERDICTS);
        }
    }

    /// One row for each event; one for the register where none is known.
    private static List<JsonNode> changes(JsonNode differences) {
        List<JsonNode> rows = new ArrayList<>();
        for (JsonNode register : differences) {
            ObjectNode row = ApiClient.object()
                    .put("register", register.path("register").asText())
                    .put("expected", register.path("expected").asText())
                    .put("seen", register.path("seen").asText());
            if (register.path("events").isEmpty()) {
                rows.add(row);
            }
            for (JsonNode event : register.path("events")) {
                rows.add(row.deepCopy()
                        .put("expectedEvent", event.path("expected").asText())
                        .put("seenEvent", event.path("seen").asText()));
            }
        }
        return rows;
    }

    @Command(
            name = "approve",
            mixinStandardHelpOptions = true,
            description = "Takes what the device's last believed quote said for good.")
    void approve(
            @Mixin ServerOptions server, @Parameters(paramLabel = "DEVICE") String device, @Mixin Because because) {
        server.printer()
                .rows(
                        ApiClient.rows(server.client()
                                .post(path(device) + "/approve", because.body())
                                .path("references")),
                        REFERENCES);
    }

    @Command(
            name = "references",
            mixinStandardHelpOptions = true,
            description = "Shows or sets what the PCRs of a model's devices may hold.")
    void references(
            @Mixin ServerOptions server,
            @Parameters(paramLabel = "MODEL") String model,
            @Option(
                            names = {"-f", "--file"},
                            paramLabel = "FILE",
                            description = "pcrs, firstUse, every, references (oldest first): YAML or JSON.")
                    @Nullable
                    Path file) {
        String at = "/models/" + ApiClient.encode(model) + "/pcr-references";
        JsonNode result;
        try {
            result = file == null
                    ? server.client().get(at)
                    : server.client().put(at, new YAMLMapper().readTree(read(file)));
        } catch (IOException e) {
            throw new ApiException(1, "the file " + file + " can't be read: " + e.getMessage());
        }
        server.printer().rows(ApiClient.rows(result.path("references")), REFERENCES);
    }

    private static String path(String device) {
        return "/devices/" + ApiClient.encode(device) + "/attestation";
    }

    private static String read(Path file) {
        return InputFile.toSend(file);
    }
}
