package dev.holdfast.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import java.io.Console;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// Which server, as whom, and in which form the answer is wanted. What is not given stands in the environment
/// (HOLDFAST_CLI_URL, HOLDFAST_CLI_TOKEN, HOLDFAST_CLI_ENVIRONMENT), else in the file that `holdfast login` wrote.
final class ServerOptions {
    @Option(names = "--url", paramLabel = "URL", description = "The operator plane (default: http://localhost:8080).")
    private @Nullable String url;

    @Option(names = "--token-file", paramLabel = "FILE", description = "A file that holds the API token.")
    private @Nullable Path tokenFile;

    @Option(
            names = {"-e", "--environment"},
            paramLabel = "NAME",
            description = "The environment (default: the server's).")
    private @Nullable String environment;

    @Option(
            names = {"-o", "--output"},
            paramLabel = "FORM",
            description = "table, json, yaml or name (default: table).")
    private Printer.Format format = Printer.Format.table;

    ApiClient client() {
        JsonNode saved = saved();
        return new ApiClient(
                first(url, System.getenv("HOLDFAST_CLI_URL"), text(saved, "url"), "http://localhost:8080"),
                token(saved),
                optional(environment, System.getenv("HOLDFAST_CLI_ENVIRONMENT"), text(saved, "environment")));
    }

    Printer printer() {
        Console console = System.console();
        boolean terminal = console != null && console.isTerminal();
        return new Printer(
                System.out,
                format,
                terminal && System.getenv("NO_COLOR") == null,
                Clock.systemUTC().instant());
    }

    /// Prints a list of the API.
    void list(String path, Map<String, String> query, String field, int most, Table table) {
        printer().rows(client().pages(path, query, field, most), table.whenNoneOf(query));
    }

    static Path file() {
        Map<String, String> variables = System.getenv();
        String home = variables.getOrDefault("XDG_CONFIG_HOME", System.getProperty("user.home") + "/.config");
        return Path.of(home, "holdfast", "cli.yaml");
    }

    private @Nullable String token(JsonNode saved) {
        if (tokenFile != null) {
            return InputFile.text(tokenFile).strip();
        }
        return optional(System.getenv("HOLDFAST_CLI_TOKEN"), text(saved, "token"), null);
    }

    private static JsonNode saved() {
        try {
            return Files.exists(file()) ? new YAMLMapper().readTree(Files.readString(file())) : ApiClient.object();
        } catch (IOException e) {
            throw new ApiException(1, file() + " can't be read: " + e.getMessage());
        }
    }

    private static @Nullable String text(JsonNode node, String field) {
        return node.hasNonNull(field) ? node.path(field).asText() : null;
    }

    private static String first(@Nullable String a, @Nullable String b, @Nullable String c, String otherwise) {
        String found = optional(a, b, c);
        return found == null ? otherwise : found;
    }

    private static @Nullable String optional(@Nullable String a, @Nullable String b, @Nullable String c) {
        return a != null ? a : b != null ? b : c;
    }
}
