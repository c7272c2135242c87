package dev.holdfast.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import java.io.IOException;
import java.nio.file.Path;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// Certificate profiles: what certificates of a kind are like, and who may have one.
@Command(
        name = "profile",
        mixinStandardHelpOptions = true,
        description = "Lists and sets certificate profiles.",
        synopsisSubcommandLabel = "COMMAND")
final class ProfileCommand {
    private static final Table PROFILES = Table.of(
            "name",
            "",
            "NAME=name",
            "USAGES=usages",
            "LIFETIME=validity.lifetime",
            "KEYS=keys.kinds",
            "CREDENTIALS=admittance.credentials",
            "APPROVAL=admittance.approval",
            "ATTESTATION=admittance.attestation");

    @Command(name = "list", mixinStandardHelpOptions = true, description = "Lists profiles.")
    void list(@Mixin ServerOptions server) {
        server.printer()
                .rows(
                        ApiClient.rows(
                                server.client().get("/certificate-profiles").path("profiles")),
                        PROFILES);
    }

    @Command(name = "show", mixinStandardHelpOptions = true, description = "Shows one profile.")
    void show(@Mixin ServerOptions server, @Parameters(paramLabel = "NAME") String name) {
        server.printer().one(server.client().get(path(name)), PROFILES);
    }

    @Command(
            name = "set",
            mixinStandardHelpOptions = true,
            description = "Says what certificates of this profile are like from now on.")
    void set(
            @Mixin ServerOptions server,
            @Parameters(paramLabel = "NAME") String name,
            @Option(
                            names = {"-f", "--file"},
                            required = true,
                            paramLabel = "FILE",
                            description = "usages, keys, validity, rotation, admittance: YAML or JSON.")
                    Path file) {
        try {
            JsonNode definition = new YAMLMapper().readTree(InputFile.toSend(file));
            server.printer().one(server.client().put(path(name), definition), PROFILES);
        } catch (IOException e) {
            throw new ApiException(1, "the profile file " + file + " can't be read: " + e.getMessage());
        }
    }

    private static String path(String name) {
        return "/certificate-profiles/" + ApiClient.encode(name);
    }
}
