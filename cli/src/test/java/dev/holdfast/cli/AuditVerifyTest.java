package dev.holdfast.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.Signature;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// `holdfast audit verify` against a server whose owner may rewrite its whole database, chain and head together: only
/// what left the machine tells.
class AuditVerifyTest {
    @TempDir
    private Path folder;

    private final List<String> kinds = new ArrayList<>(List.of(
            "device.registered",
            "device.enrolled",
            "device.suspended",
            "certificate.revoked",
            "rollout.stopped",
            "access.token-revoked"));
    private final List<ObjectNode> served = new ArrayList<>();
    private HttpServer server;
    private KeyPair key;

    @BeforeEach
    void exportThenServe() throws Exception {
        key = KeyPairGenerator.getInstance("Ed25519").generateKeyPair();
        serve(kinds);
        Path branch = Files.createDirectories(folder.resolve("stream/aabb"));
        StringBuilder entries = new StringBuilder();
        for (ObjectNode entry : served) {
            entries.append(ApiClient.object()
                            .put("chainHash", entry.path("chainHash").asText())
                            .put("content", entry.path("content").asText()))
                    .append('\n');
        }
        Files.writeString(branch.resolve("entries.ndjson"), entries);
        Files.writeString(branch.resolve("checkpoints.ndjson"), checkpoint(2) + "\n" + checkpoint(6) + "\n");
        Files.writeString(
                branch.resolve("public-key"),
                Base64.getEncoder().encodeToString(key.getPublic().getEncoded()) + "\n");
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/api/v1/journal/chain", this::answer);
        server.start();
    }

    @AfterEach
    void stop() {
        server.stop(0);
    }

    /// Makes the chain anew over these entries, as somebody with the database in hand can.
    private void serve(List<String> told) {
        served.clear();
        byte[] previous = new byte[32];
        for (int i = 0; i < told.size(); i++) {
            String kind = told.get(i);
            ObjectNode content = ApiClient.object();
            content.put("actor", "holdfast:test").put("at", "2026-03-02T10:00:00Z");
            ObjectNode body = content.putObject("body");
            if (kind.equals("backup.restored")) {
                body.put("journalNumber", i);
            }
            content.put("environment", "all").put("kind", kind).put("number", i + 1);
            content.put("reason", "r").put("subject", "device:m-1");
            byte[] leaf = JournalChain.leaf(content.toString());
            previous = JournalChain.chained(previous, leaf);
            served.add(ApiClient.object()
                    .put("number", i + 1)
                    .put("content", content.toString())
                    .put("leafHash", HexFormat.of().formatHex(leaf))
                    .put("chainHash", HexFormat.of().formatHex(previous)));
        }
    }

    private String checkpoint(int number) throws Exception {
        String hash = served.get(number - 1).path("chainHash").asText();
        Signature signature = Signature.getInstance("Ed25519");
        signature.initSign(key.getPrivate());
        signature.update(("holdfast-checkpoint-v1\naabb\n" + number + "\n" + hash + "\n2026-03-02T10:00:01Z\n")
                .getBytes(StandardCharsets.UTF_8));
        return ApiClient.object()
                .put("branch", "aabb")
                .put("number", number)
                .put("chainHash", hash)
                .put("at", "2026-03-02T10:00:01Z")
                .put("signature", Base64.getEncoder().encodeToString(signature.sign()))
                .toString();
    }

    private void answer(HttpExchange exchange) throws IOException {
        String query = exchange.getRequestURI().getQuery();
        int after = Integer.parseInt(query.replaceAll(".*after=(\\d+).*", "$1"));
        int limit = Math.min(4, Integer.parseInt(query.replaceAll(".*limit=(\\d+).*", "$1")));
        ObjectNode body = ApiClient.object();
        ArrayNode entries = body.putArray("entries");
        served.stream()
                .filter(e -> e.path("number").asInt() > after)
                .limit(limit)
                .forEach(entries::add);
        body.putObject("head")
                .put("number", served.getLast().path("number").asInt())
                .put("chainHash", served.getLast().path("chainHash").asText());
        byte[] bytes = body.toString().getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(200, bytes.length);
        exchange.getResponseBody().write(bytes);
        exchange.close();
    }

    private record Said(int exit, String text) {}

    private Said verify(String... options) {
        PrintStream out = System.out;
        PrintStream err = System.err;
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        PrintStream captured = new PrintStream(bytes, true, StandardCharsets.UTF_8);
        System.setOut(captured);
        System.setErr(captured);
        try {
            List<String> arguments = new ArrayList<>(List.of("audit", "verify", "--url"));
            arguments.add("http://127.0.0.1:" + server.getAddress().getPort());
            arguments.addAll(List.of(options));
            int exit = Cli.run(arguments.toArray(String[]::new));
            return new Said(exit, bytes.toString(StandardCharsets.UTF_8));
        } finally {
            System.setOut(out);
            System.setErr(err);
        }
    }

    private String stream() {
        return folder.resolve("stream").toString();
    }

    private String checkpoints() {
        return folder.resolve("stream/aabb/checkpoints.ndjson").toString();
    }

    private void isFoundByStreamAndByCheckpoints(String byStream, String byCheckpoints) {
        assertThat(verify().exit()).as("the chain alone is whole").isZero();
        Said whole = verify("--stream", stream());
        assertThat(whole.exit()).as(whole.text()).isEqualTo(1);
        assertThat(whole.text()).contains(byStream);
        Said signed = verify("--checkpoint", checkpoints());
        assertThat(signed.exit()).as(signed.text()).isEqualTo(1);
        assertThat(signed.text()).contains(byCheckpoints);
    }

    @Test
    void anUntouchedJournalAgreesWithWhatLeft() {
        for (String[] options : new String[][] {
            {"--stream", stream()},
            {"--stream", stream() + "/aabb"},
            {"--checkpoint", checkpoints()},
            {
                "--checkpoint",
                checkpoints(),
                "--public-key",
                folder.resolve("stream/aabb/public-key").toString()
            }
        }) {
            Said said = verify(options);
            assertThat(said.exit()).as(said.text()).isZero();
            assertThat(said.text())
                    .contains("Intact: 6 entries", "2 signed checkpoints of stream aabb agree, the last at entry 6");
        }
    }

    @Test
    void aTailThatWasCutOffIsMissed() {
        serve(kinds.subList(0, 4));
        isFoundByStreamAndByCheckpoints(
                "entry 5: missing: the journal ends at entry 4", "entry 3: missing: from here on the journal");
        serve(kinds.subList(0, 2));
        assertThat(verify("--checkpoint", checkpoints()).text())
                .contains("entry 3: missing: the journal ends at entry 2, but entry 6 left the machine");
    }

    @Test
    void anAlteredEntryIsFoundThoughTheChainWasMadeAnew() {
        kinds.set(3, "device.labelled");
        serve(kinds);
        isFoundByStreamAndByCheckpoints(
                "entry 4: altered; what left the machine is certificate.revoked of device:m-1",
                "entry 3: from here to entry 6 the journal is not the one that left the machine");
    }

    @Test
    void anEntryThatWasTakenOutIsFoundThoughTheRestWasNumberedAnew() {
        kinds.remove(2);
        kinds.add("device.active");
        serve(kinds);
        isFoundByStreamAndByCheckpoints(
                "entry 3: missing: it was taken out; what left the machine is device.suspended", "entry 3: from here");
    }

    @Test
    void entriesThatChangedPlacesAreFound() {
        Collections.swap(kinds, 2, 3);
        serve(kinds);
        isFoundByStreamAndByCheckpoints(
                "entry 3: in another order: it and the next have changed places", "entry 3: from here");
    }

    @Test
    void withoutACopyElsewhereTheChainStillFindsWhatWasDoneCarelessly() {
        ObjectNode third = served.get(2);
        String content = third.path("content").asText();
        third.put("content", content.replace("suspended", "labelled"));
        assertThat(verify().text()).contains("entry 3: its content was altered");
        third.put("content", content);
        served.remove(2);
        assertThat(verify().text()).contains("entry 3: missing; the next one found is 4");
    }

    @Test
    void aRestoreThatTheJournalItselfRecordsIsToldAndNoFault() {
        List<String> restored = new ArrayList<>(kinds.subList(0, 4));
        restored.add("backup.restored");
        restored.add("freeze.lifted");
        serve(restored);
        Said said = verify("--stream", stream());
        assertThat(said.exit()).as(said.text()).isZero();
        assertThat(said.text())
                .contains("agrees up to entry 2; entry 5 says that the journal was then put back to entry 4");
    }

    @Test
    void checkpointsThatNobodySignedOrOfAnotherKeyAreRefused() throws Exception {
        Path other = folder.resolve("other-key");
        Files.writeString(
                other,
                Base64.getEncoder()
                        .encodeToString(KeyPairGenerator.getInstance("Ed25519")
                                .generateKeyPair()
                                .getPublic()
                                .getEncoded()));
        assertThat(verify("--checkpoint", checkpoints(), "--public-key", other.toString())
                        .text())
                .contains("is not signed by the key");
        Path file = Path.of(checkpoints());
        Files.writeString(file, Files.readString(file).replace("\"number\":6", "\"number\":5"));
        assertThat(verify("--stream", stream()).text()).contains("is not signed by the key, or was altered");
        assertThat(verify("--stream", folder.resolve("stream/none").toString()).exit())
                .isEqualTo(1);
    }
}
