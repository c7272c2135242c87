package dev.holdfast.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// Batches of devices that leave the factory with one certificate for all, to claim their own with.
@Command(
        name = "claim",
        mixinStandardHelpOptions = true,
        description = "Batches of devices that claim their certificates with one that they share.",
        synopsisSubcommandLabel = "COMMAND")
final class ClaimCommand {
    private static final Table BATCHES = Table.of(
            "id",
            "No batches. Open one by: holdfast claim open NAME --model MODEL --ids 'meter-*' --most 100",
            "ID=id",
            "NAME=name",
            "MODEL=model",
            "PROFILE=profile",
            "IDS=pattern",
            "CLAIMED=used",
            "OF=most",
            "EXPIRES=expiresAt~",
            "CLOSED=closedAt~");

    @Command(name = "list", mixinStandardHelpOptions = true, description = "Lists batches, newest first.")
    void list(@Mixin ServerOptions server) {
        server.printer()
                .rows(ApiClient.rows(server.client().get("/claim-batches").path("batches")), BATCHES);
    }

    @Command(name = "show", mixinStandardHelpOptions = true, description = "Shows one batch.")
    void show(@Mixin ServerOptions server, @Parameters(paramLabel = "ID") String id) {
        server.printer().one(server.client().get(path(id)), BATCHES);
    }

    @Command(
            name = "open",
            mixinStandardHelpOptions = true,
            description = "Opens a batch and writes its claim certificate and key, which is kept nowhere else.")
    void open(
            @Mixin ServerOptions server,
            @Parameters(paramLabel = "NAME") String name,
            @Option(names = "--model", required = true, paramLabel = "MODEL") String model,
            @Option(names = "--profile", paramLabel = "PROFILE", defaultValue = "device") String profile,
            @Option(names = "--label", paramLabel = "KEY=VALUE") @Nullable Map<String, String> labels,
            @Option(
                            names = "--ids",
                            paramLabel = "PATTERN",
                            description = "Ids that may claim and that nobody has registered, such as meter-*.")
                    @Nullable
                    String pattern,
            @Option(
                            names = "--devices",
                            paramLabel = "FILE",
                            description = "Instead: a file with the ids that may claim, one a line.")
                    @Nullable
                    Path devices,
            @Option(names = "--most", paramLabel = "N", description = "How many may claim.") @Nullable Integer most,
            @Option(
                            names = "--open-for",
                            paramLabel = "DURATION",
                            defaultValue = "P7D",
                            description = "ISO 8601, at most P90D (P7D).")
                    String openFor,
            @Option(
                            names = "--out",
                            paramLabel = "NAME",
                            defaultValue = "claim",
                            description = "Writes NAME.pem and NAME.key (claim).")
                    Path out) {
        ObjectNode body = ApiClient.object()
                .put("name", name)
                .put("model", model)
                .put("profile", profile)
                .put("openFor", openFor);
        if (labels != null) {
            body.set("labels", ApiClient.JSON.valueToTree(labels));
        }
        if (pattern != null) {
            body.put("pattern", pattern);
        }
        if (most != null) {
            body.put("most", most);
        }
        Path certificate = Path.of(out + ".pem");
        Path key = Path.of(out + ".key");
        try {
            if (devices != null) {
                body.set("devices", ApiClient.JSON.valueToTree(ids(devices)));
            }
            for (Path file : List.of(certificate, key)) {
                if (Files.exists(file)) {
                    throw new ApiException(5, file + " is there already: move it, or name others with --out");
                }
            }
            JsonNode opened = server.client().post("/claim-batches", body);
            Files.createFile(key, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
            Files.writeString(key, opened.path("key").asText(), StandardOpenOption.TRUNCATE_EXISTING);
            Files.writeString(certificate, opened.path("certificate").asText());
            server.printer().one(((ObjectNode) opened).without(Set.of("key")), BATCHES);
        } catch (IOException e) {
            throw new ApiException(1, "a file can't be read or written: " + e.getMessage());
        }
    }

    private static List<String> ids(Path file) throws IOException {
        return Files.readAllLines(file).stream()
                .map(String::strip)
                .filter(line -> !line.isEmpty())
                .toList();
    }

    @Command(name = "close", mixinStandardHelpOptions = true, description = "From now on nobody claims by it.")
    void close(@Mixin ServerOptions server, @Parameters(paramLabel = "ID") String id, @Mixin Because because) {
        server.printer().one(server.client().post(path(id) + "/close", because.body()), BATCHES);
    }

    private static String path(String id) {
        return "/claim-batches/" + ApiClient.encode(id);
    }
}
