package dev.holdfast.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.testkit.RealClient;
import dev.holdfast.testkit.RunningClient;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Predicate;

/// The server's own commands, each as a process of its own as `./holdfast` starts them, on one data folder.
final class InstallationProcess implements AutoCloseable {
    private static final String MAIN = "dev.holdfast.Main";
    private static final Path PROGRAMS =
            Path.of(System.getProperty("java.io.tmpdir"), "holdfast-test-postgres-" + System.getProperty("user.name"));

    private final Path data;
    private final RunningClient server;
    private final String url;

    private InstallationProcess(Path data, RunningClient server, String url) {
        this.data = data;
        this.server = server;
        this.url = url;
    }

    static InstallationProcess serve(Path data, Map<String, String> settings) {
        RunningClient server =
                client(settings, "serve", "--data", data.toString()).start();
        String said = server.awaitLine(line -> line.startsWith("console, API"), Duration.ofMinutes(3));
        return new InstallationProcess(data, server, said.substring(said.indexOf("http")));
    }

    /// Runs `holdfast ARGUMENTS` to its end.
    static RealClient.Result run(Map<String, String> settings, String... arguments) {
        return client(settings, arguments).timeout(Duration.ofMinutes(3)).run();
    }

    private static RealClient client(Map<String, String> settings, String... arguments) {
        List<String> all = new ArrayList<>(List.of(
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-cp",
                System.getProperty("java.class.path"),
                MAIN));
        all.addAll(List.of(arguments));
        Map<String, String> variables = new TreeMap<>(settings);
        variables.putAll(freePorts());
        variables.put("HOLDFAST_ACCESS_FIRST_TOKEN", "true");
        return RealClient.of(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(), all.toArray(String[]::new))
                .with(variables);
    }

    /// Settings for a server that disturbs no other on this machine.
    static Map<String, String> freePorts() {
        Map<String, String> variables = new TreeMap<>();
        for (String listener : List.of("OPERATOR", "DEVICE", "CHANNEL_BOUND", "MQTT", "PKI", "SYSLOG", "IPFIX")) {
            variables.put("HOLDFAST_LISTENERS_" + listener + "_PORT", "0");
            variables.put("HOLDFAST_LISTENERS_" + listener + "_HOST", "127.0.0.1");
        }
        variables.put("HOLDFAST_DATABASE_BINARIES", PROGRAMS.toString());
        return variables;
    }

    /// What an operator's command said, and how it ended.
    record Said(int exit, String text) {
        Said ended(int expected) {
            assertThat(exit).as(text).isEqualTo(expected);
            return this;
        }
    }

    /// Runs an operator's command, which speaks to this server by its API.
    Said operator(String... arguments) {
        List<String> all = new ArrayList<>(List.of(arguments));
        all.addAll(List.of(
                "--url",
                url,
                "--token-file",
                data.resolve("secrets/first-token").toString()));
        return captured(all);
    }

    static Said captured(List<String> arguments) {
        PrintStream out = System.out;
        PrintStream err = System.err;
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        PrintStream captured = new PrintStream(bytes, true, StandardCharsets.UTF_8);
        System.setOut(captured);
        System.setErr(captured);
        try {
            int exit = Cli.run(arguments.toArray(String[]::new));
            return new Said(exit, bytes.toString(StandardCharsets.UTF_8));
        } finally {
            System.setOut(out);
            System.setErr(err);
        }
    }

    /// What the server printed on a line of that beginning.
    String said(String beginning) {
        Predicate<String> wished = line -> line.startsWith(beginning);
        return server.awaitLine(wished, Duration.ofSeconds(10));
    }

    /// The API, as the bearer of a token.
    ApiClient api(String token) {
        return new ApiClient(url, token, null);
    }

    /// Of the operator plane.
    String url() {
        return url;
    }

    Path data() {
        return data;
    }

    /// As Ctrl-C and `systemctl stop` do; it must end by itself.
    void stop() {
        server.terminate();
        server.awaitExit(Duration.ofSeconds(60));
    }

    @Override
    public void close() {
        server.close();
    }
}
