package dev.holdfast.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import java.io.IOException;
import java.nio.file.Path;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// Models: what a kind of device is, how often it is heard, what it may report and where it may connect.
@Command(
        name = "model",
        mixinStandardHelpOptions = true,
        description = "Lists and defines device models.",
        synopsisSubcommandLabel = "COMMAND")
final class ModelCommand {
    private static final Table MODELS = Table.of(
            "id",
            "No models. Define one: holdfast model set ID --file model.yaml",
            "ID=id",
            "VENDOR=vendor",
            "HARDWARE=hardware",
            "INTERVAL=expectedInterval",
            "METRICS=bands#",
            "ALLOWED FLOWS=allowedFlows#",
            "DEVICES=devices");

    @Command(name = "list", mixinStandardHelpOptions = true, description = "Lists models.")
    void list(@Mixin ServerOptions server) {
        server.printer().rows(ApiClient.rows(server.client().get("/models").path("models")), MODELS);
    }

    @Command(name = "show", mixinStandardHelpOptions = true, description = "Shows one model.")
    void show(@Mixin ServerOptions server, @Parameters(paramLabel = "ID") String id) {
        server.printer().one(server.client().get(path(id)), MODELS);
    }

    @Command(name = "set", mixinStandardHelpOptions = true, description = "Defines a model, or changes it.")
    void set(
            @Mixin ServerOptions server,
            @Parameters(paramLabel = "ID") String id,
            @Option(
                            names = {"-f", "--file"},
                            required = true,
                            paramLabel = "FILE",
                            description = "vendor, hardware, expectedInterval, bands, allowedFlows, ...: YAML or JSON.")
                    Path file) {
        try {
            JsonNode definition = new YAMLMapper().readTree(InputFile.toSend(file));
            server.printer().one(server.client().put(path(id), definition), MODELS);
        } catch (IOException e) {
            throw new ApiException(1, "the model file " + file + " can't be read: " + e.getMessage());
        }
    }

    private static String path(String id) {
        return "/models/" + ApiClient.encode(id);
    }
}
