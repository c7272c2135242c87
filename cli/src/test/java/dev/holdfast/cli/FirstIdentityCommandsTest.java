package dev.holdfast.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.sun.net.httpserver.HttpServer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The commands by which operators let devices in for the first time, against a small server that answers as
/// the contract says; the same requests against the real one are those of the recipes.
class FirstIdentityCommandsTest {
    private static final String BATCH = """
            {"id":"b1","environment":"development","name":"week-12","profile":"device","model":"meter","labels":{},
             "pattern":"wk12-*","listed":0,"most":2,"used":0,"createdAt":"2026-01-01T00:00:00Z",
             "expiresAt":"2026-01-08T00:00:00Z","sha256":"00","certificate":"CERTIFICATE\\n","key":"SECRET KEY\\n"}""";

    private HttpServer server;
    private final List<String> asked = new ArrayList<>();
    private String answer = "{}";

    @TempDir
    Path folder;

    @BeforeEach
    void start() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", exchange -> {
            String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
            asked.add(
                    exchange.getRequestMethod() + " " + exchange.getRequestURI().getPath() + " " + body);
            byte[] bytes = answer.getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(200, bytes.length);
            exchange.getResponseBody().write(bytes);
            exchange.close();
        });
        server.start();
    }

    @AfterEach
    void stop() {
        server.stop(0);
    }

    private record Ran(int exit, String out) {}

    private Ran run(String... command) {
        List<String> all = new ArrayList<>(List.of(command));
        all.addAll(List.of("--url", "http://127.0.0.1:" + server.getAddress().getPort()));
        PrintStream before = System.out;
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        System.setOut(new PrintStream(out, true, StandardCharsets.UTF_8));
        try {
            return new Ran(Cli.run(all.toArray(String[]::new)), out.toString(StandardCharsets.UTF_8));
        } finally {
            System.setOut(before);
        }
    }

    private JsonNode body(int request) throws IOException {
        String line = asked.get(request);
        return ApiClient.JSON.readTree(line.substring(line.indexOf('{')));
    }

    @Test
    void openingABatchWritesItsKeyForItsOwnerAloneAndPrintsItNowhere() throws IOException {
        answer = BATCH;
        Path out = folder.resolve("claim");
        Ran ran = run(
                "claim",
                "open",
                "week-12",
                "--model",
                "meter",
                "--ids",
                "wk12-*",
                "--most",
                "2",
                "--label",
                "batch=week-12",
                "--open-for",
                "P2D",
                "--out",
                out.toString(),
                "-o",
                "json");
        assertThat(ran.exit()).isZero();
        assertThat(ran.out()).contains("week-12").doesNotContain("SECRET");
        assertThat(asked.getFirst()).startsWith("POST /api/v1/claim-batches ");
        assertThat(body(0).path("pattern").asText()).isEqualTo("wk12-*");
        assertThat(body(0).path("openFor").asText()).isEqualTo("P2D");
        assertThat(body(0).at("/labels/batch").asText()).isEqualTo("week-12");
        Path key = folder.resolve("claim.key");
        assertThat(Files.readString(key)).isEqualTo("SECRET KEY\n");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(key)))
                .isEqualTo("rw-------");
        assertThat(Files.readString(folder.resolve("claim.pem"))).isEqualTo("CERTIFICATE\n");
        assertThat(run(
                                "claim",
                                "open",
                                "again",
                                "--model",
                                "meter",
                                "--ids",
                                "x-*",
                                "--most",
                                "1",
                                "--out",
                                out.toString())
                        .exit())
                .as("never over a key that is there")
                .isEqualTo(5);
        assertThat(asked).as("and nothing was opened for it").hasSize(1);
    }

    @Test
    void aBatchMayNameItsDevicesInAFile() throws IOException {
        answer = BATCH;
        Path ids = folder.resolve("ids");
        Files.writeString(ids, "m-1\n\n m-2 \n");
        run(
                "claim",
                "open",
                "named",
                "--model",
                "meter",
                "--devices",
                ids.toString(),
                "--out",
                folder.resolve("n").toString());
        assertThat(body(0).path("devices").toString()).isEqualTo("[\"m-1\",\"m-2\"]");
        assertThat(body(0).has("pattern")).isFalse();
    }

    @Test
    void aFactorysFileIsSentAsItIsAndItsFaultsAreAnError() throws IOException {
        Path file = folder.resolve("serials.csv");
        Files.writeString(file, "serialNumber,device\nSN-1,m-1\n");
        answer = "{\"read\":1,\"accepted\":1,\"unchanged\":0,\"rejected\":0,\"errors\":[]}";
        assertThat(run("manufacturer", "serials", "--file", file.toString()).exit())
                .isZero();
        assertThat(asked.getFirst())
                .isEqualTo("POST /api/v1/imports/manufacturer-serials serialNumber,device\nSN-1,m-1\n");
        answer = "{\"read\":1,\"accepted\":0,\"unchanged\":0,\"rejected\":1,"
                + "\"errors\":[{\"line\":2,\"message\":\"there is no device m-1\"}]}";
        assertThat(run("manufacturer", "serials", "--file", file.toString()).exit())
                .isEqualTo(1);
    }

    @Test
    void aManufacturersUnknownProductsMayBeHeldAndNamedWhenTheyAreApproved() throws IOException {
        Path pem = folder.resolve("ca.pem");
        Files.writeString(pem, "PEM");
        assertThat(run("manufacturer", "add", "Works", "--file", pem.toString(), "--unregistered", "held")
                        .exit())
                .isZero();
        assertThat(body(0).path("unregistered").asText()).isEqualTo("held");
        assertThat(run(
                                "cert",
                                "request",
                                "approve",
                                "r1",
                                "--device",
                                "m-2",
                                "--model",
                                "meter",
                                "--reason",
                                "seen at the depot")
                        .exit())
                .isZero();
        assertThat(asked.get(1)).startsWith("POST /api/v1/enrolment-requests/r1/approve ");
        assertThat(body(1).path("device").asText()).isEqualTo("m-2");
        assertThat(body(1).path("model").asText()).isEqualTo("meter");
        assertThat(body(1).has("labels")).isFalse();
    }
}
