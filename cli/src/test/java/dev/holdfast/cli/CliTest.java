package dev.holdfast.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpServer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/// The client against a small server of the test's own that answers as the contract says; the whole command
/// line against the real server is tried by the README's commands.
class CliTest {
    private HttpServer server;
    private final List<String> asked = new ArrayList<>();
    private final List<String> bodies = new ArrayList<>();
    /// For a path of its own: status and body.
    private final Map<String, String> answers = new java.util.HashMap<>();

    private int status = 200;
    private String answer = "{}";

    @BeforeEach
    void start() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", exchange -> {
            asked.add(exchange.getRequestMethod() + " " + exchange.getRequestURI());
            bodies.add(new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8));
            String own = answers.getOrDefault(exchange.getRequestURI().getRawPath(), status + " " + answer);
            byte[] body = own.substring(4).getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(Integer.parseInt(own.substring(0, 3)), body.length == 0 ? -1 : body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        server.start();
    }

    @AfterEach
    void stop() {
        server.stop(0);
    }

    private String url() {
        return "http://127.0.0.1:" + server.getAddress().getPort();
    }

    @Test
    void everyCommandCanBeParsedAndHasHelp() {
        CommandLine root = Cli.commands();
        List<CommandLine> all = new ArrayList<>(List.of(root));
        for (int i = 0; i < all.size(); i++) {
            all.addAll(all.get(i).getSubcommands().values());
        }
        assertThat(all).hasSizeGreaterThan(30);
        assertThat(all)
                .allSatisfy(command -> assertThat(command.getUsageMessage()).contains("Usage:"));
    }

    @Test
    void aRevocationSaysItsReasonInWordsAndByItsCode() {
        answer = "{\"serial\":\"0a\",\"revocationCode\":\"keyCompromise\"}";
        assertThat(Cli.run("cert", "revoke", "0a", "--reason", "stolen", "--code", "keyCompromise", "--url", url()))
                .isZero();
        assertThat(asked).containsExactly("POST /api/v1/certificates/0a/revoke");
        assertThat(bodies.getLast()).contains("\"code\":\"keyCompromise\"", "\"reason\":\"stolen\"");
        assertThat(Cli.run("cert", "revoke", "0a", "--reason", "old", "--url", url()))
                .isZero();
        assertThat(bodies.getLast()).contains("\"code\":\"unspecified\"");
    }

    @Test
    void tpmsAreRegisteredShownAndApproved(@TempDir Path folder) throws IOException {
        Path key = Files.writeString(folder.resolve("ek.pem"), "-----BEGIN PUBLIC KEY-----");
        answer = "{\"read\":1,\"accepted\":1,\"unchanged\":0,\"rejected\":0,\"errors\":[]}";
        assertThat(Cli.run("tpm", "register", "m-1", "--ek", key.toString(), "--hardware", "--url", url()))
                .isZero();
        answer = "{\"rejected\":1,\"errors\":[{\"line\":1,\"message\":\"another device's\"}]}";
        assertThat(Cli.run("tpm", "register", "m-2", "--ek", key.toString(), "--url", url()))
                .isEqualTo(5);
        answer = "{\"verdicts\":[],\"references\":[]}";
        assertThat(Cli.run("tpm", "show", "m-1", "--url", url())).isZero();
        answer = """
                {"verdicts":[{"differences":[{"register":"sha256:7","expected":"3a","seen":"9f",
                "events":[{"expected":"one","seen":"other"}]},{"register":"sha256:0","expected":"3b","seen":"9e","events":[]}]}],
                "references":[]}""";
        assertThat(Cli.run("tpm", "show", "m-1", "--differences", "--url", url()))
                .isZero();
        assertThat(Cli.run("tpm", "approve", "m-1", "--reason", "updated", "--url", url()))
                .isZero();
        assertThat(Cli.run("tpm", "references", "meter", "--url", url())).isZero();
        assertThat(asked)
                .contains(
                        "POST /api/v1/endorsement-keys",
                        "GET /api/v1/devices/m-1/attestation",
                        "POST /api/v1/devices/m-1/attestation/approve",
                        "GET /api/v1/models/meter/pcr-references");
    }

    @Test
    void acmeAccountsAreListedAndDeactivated() {
        answer = "{\"accounts\":[{\"id\":\"a1\",\"device\":\"gw-1\",\"status\":\"valid\",\"orders\":2,\"issued\":1}]}";
        assertThat(Cli.run("acme", "accounts", "--device", "gw-1", "--url", url()))
                .isZero();
        answer = "{\"id\":\"a1\",\"device\":\"gw-1\",\"status\":\"deactivated\"}";
        assertThat(Cli.run("acme", "deactivate", "a1", "--reason", "sold", "--url", url()))
                .isZero();
        assertThat(asked)
                .containsExactly(
                        "GET /api/v1/acme-accounts?limit=100&device=gw-1", "POST /api/v1/acme-accounts/a1/deactivate");
    }

    @Test
    void exitCodesAreThoseOfTheContract() {
        Map<Integer, Integer> expected = Map.of(404, 3, 401, 4, 403, 4, 409, 5, 412, 5, 500, 1, 504, 7);
        expected.forEach((http, exit) -> {
            status = http;
            answer =
                    "{\"type\":\"x\",\"title\":\"t\",\"status\":" + http + ",\"detail\":\"cause\",\"fix\":\"do this\"}";
            assertThat(Cli.run("device", "show", "m-1", "--url", url())).isEqualTo(exit);
        });
        assertThat(Cli.run("device", "nonsense")).isEqualTo(2);
        assertThat(Cli.run("device", "list", "--url", "localhost:8080")).isEqualTo(2);
    }

    @Test
    void theCommandThatIsAskedForIsTheOneThatIsReadAndHelpShowsAll() {
        assertThat(Cli.commands("device", "list").getSubcommands()).containsOnlyKeys("device");
        assertThat(Cli.commands("--help").getSubcommands())
                .hasSizeGreaterThan(10)
                .allSatisfy((name, command) -> {
                    assertThat(command.getCommandName()).isEqualTo(name);
                    assertThat(Cli.commands(name).getSubcommands()).containsOnlyKeys(name);
                });
    }

    @Test
    void anEmptyAnswerToASelectorIsNotTakenForAnEmptyFleet() {
        assertThat(printed("{\"devices\":[]}", "device", "list", "--selector", "district=nrth"))
                .isEqualTo("None with selector district=nrth. Leave that out to list all.\n");
        assertThat(printed("{\"devices\":[]}", "device", "list")).startsWith("No devices. Register one");
        assertThat(printed("{\"incidents\":[]}", "incident", "list")).doesNotContain("None with");
        status = 404;
        assertThat(Cli.run("device", "logs", "m-9", "--url", url())).isEqualTo(3);
    }

    @Test
    void aDevicesNameWhereASerialNumberIsMeantIsNotSentToTheServer() {
        assertThat(Cli.run("cert", "revoke", "meter-1", "--reason", "lost", "--url", url()))
                .isEqualTo(2);
        assertThat(Cli.run("cert", "show", "meter-1", "--url", url())).isEqualTo(2);
        assertThat(asked).isEmpty();
    }

    @Test
    void whatIsToBeRenewedIsLookedForBeforeACampaignIsMade() {
        answer = "{\"devices\":[]}";
        assertThat(Cli.run("cert", "rotate", "--selector", "a=b", "--reason", "x", "--url", url()))
                .isEqualTo(3);
        status = 404;
        assertThat(Cli.run("cert", "rotate", "meter-9", "--reason", "x", "--url", url()))
                .isEqualTo(3);
        assertThat(asked).hasSize(2).allMatch(one -> one.startsWith("GET "));
    }

    @Test
    void aPrivateKeyGivenByMistakeIsNeitherSentNorShown(@TempDir Path folder) throws IOException {
        Path key = Files.writeString(
                folder.resolve("ca.key"),
                "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIMYyF\n-----END EC PRIVATE KEY-----\n");
        String file = key.toString();
        for (List<String> command : List.of(
                List.of("manufacturer", "add", "Acme", "--file", file),
                List.of("cert", "ca-install", "r-1", file),
                List.of("cert", "ceremony-record", file),
                List.of("cert", "profile", "set", "device", "--file", file))) {
            List<String> whole = new ArrayList<>(command);
            whole.addAll(List.of("--url", url()));
            assertThat(Cli.run(whole.toArray(String[]::new))).as("%s", command).isEqualTo(1);
        }
        assertThat(Cli.run("login", "--url", url(), "--token-file", file)).isEqualTo(2);
        assertThat(Cli.run("device", "list", "--url", url(), "--token-file", file))
                .isEqualTo(2);
        assertThat(asked).isEmpty();
        assertThat(Cli.run("cert", "lint", file)).isEqualTo(1);
    }

    @Test
    void whyTakesASerialNumberAndSaysWhereElseToLook() {
        answers.put("/api/v1/devices/4F%3A9A/connection-diagnosis", "404 {}");
        answers.put("/api/v1/certificates/4F%3A9A", "200 {\"device\":\"m-1\"}");
        answers.put("/api/v1/devices/m-1/connection-diagnosis", "200 {\"sentence\":\"m-1 is well\",\"reasons\":[]}");
        assertThat(printed("{}", "cert", "why", "4F:9A")).isEqualTo("m-1 is well\n");
        status = 404;
        assertThat(Cli.run("cert", "why", "nobody", "--url", url())).isEqualTo(3);
        assertThat(Cli.run("cert", "failures", "--address", "localhost", "--url", url()))
                .isEqualTo(2);
    }

    private String printed(String answered, String... command) {
        answer = answered;
        PrintStream before = System.out;
        ByteArrayOutputStream into = new ByteArrayOutputStream();
        System.setOut(new PrintStream(into, true, StandardCharsets.UTF_8));
        try {
            List<String> whole = new ArrayList<>(List.of(command));
            whole.addAll(List.of("--url", url()));
            Cli.run(whole.toArray(String[]::new));
        } finally {
            System.setOut(before);
        }
        return into.toString(StandardCharsets.UTF_8);
    }

    @Test
    void aServerThatIsNotThereIsSaidSo() {
        String gone = url();
        server.stop(0);
        assertThatThrownBy(() -> new ApiClient(gone, null, null).get("/me"))
                .isInstanceOf(ApiException.class)
                .hasMessageContaining("no server answers at " + gone);
    }

    @Test
    void aProblemIsShownWithCauseFixAndReference() {
        status = 409;
        answer =
                "{\"detail\":\"it moved\",\"fix\":\"read it again\",\"reference\":\"r-1\",\"errors\":[{\"at\":\"/a\",\"message\":\"b\"}]}";
        assertThatThrownBy(() -> new ApiClient(url(), "t", null).post("/devices", Map.of()))
                .hasMessageContaining("it moved")
                .hasMessageContaining("Fix: read it again")
                .hasMessageContaining("a: b")
                .hasMessageContaining("Reference: r-1");
    }

    @Test
    void theEnvironmentIsAskedForWhereThereIsOne() {
        ApiClient client = new ApiClient(url(), "t", "staging");
        client.get("/devices/m-1");
        client.get("/server");
        assertThat(asked).containsExactly("GET /api/v1/devices/m-1?environment=staging", "GET /api/v1/server");
    }

    @Test
    void textOfDevicesCannotReachTheTerminal() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        Printer printer = new Printer(
                new PrintStream(bytes, true, StandardCharsets.UTF_8), Printer.Format.table, false, Instant.EPOCH);
        ObjectNode row = ApiClient.object().put("text", "a\u001b[2Jb\r\nc\u202ed");
        printer.rows(List.of(row), Table.of("text", "", "TEXT=text"));
        assertThat(bytes.toString(StandardCharsets.UTF_8))
                .doesNotContain("\u001b", "\r", "\u202e")
                .contains("a\\u001b[2Jb\\u000d\\u000ac\\u202ed");
    }

    @Test
    void aColumnReachesInsideCountsJoinsAndTellsTimes() {
        ObjectNode row = ApiClient.object().put("at", "2026-01-01T00:00:00Z");
        row.putObject("counts").put("healthy", 3).put("total", 5);
        row.putArray("bands").add(1).add(2);
        Instant now = Instant.parse("2026-01-01T00:02:00Z");
        Map<String, String> expected = Map.of(
                "counts.healthy/counts.total", "3/5", "bands#", "2", "at~", "2 min ago", "none.such", "", "none~", "");
        expected.forEach(
                (field, value) -> assertThat(Table.Column.of("X=" + field).value(row, now))
                        .as(field)
                        .isEqualTo(value));
    }

    @Test
    void timesAreSaidAsPeopleSayThem() {
        assertThat(Printer.relative(Duration.ofSeconds(5))).isEqualTo("5 s ago");
        assertThat(Printer.relative(Duration.ofMinutes(-3))).isEqualTo("in 3 min");
        assertThat(Printer.relative(Duration.ofDays(3))).isEqualTo("3 d ago");
    }
}
