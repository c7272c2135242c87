package dev.holdfast.timestamps;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.TestServer;
import dev.holdfast.protocol.tsp.SignedTime;
import dev.holdfast.protocol.tsp.TimeFormatException;
import dev.holdfast.testkit.RealClient;
import dev.holdfast.testkit.Recipe;
import java.math.BigInteger;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Signed time, asked for and checked by openssl by the recipe, and by a device without a clock.
class SignedTimeTest {
    private static TestServer server;

    @TempDir
    Path folder;

    @BeforeAll
    static void start() {
        server = TestServer.start();
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private static HttpResponse<byte[]> post(byte[] body, String type) throws Exception {
        try (HttpClient client = HttpClient.newHttpClient()) {
            return client.send(
                    HttpRequest.newBuilder(URI.create(
                                    "http://localhost:" + server.server().pkiPort() + "/tsp"))
                            .header("content-type", type)
                            .POST(HttpRequest.BodyPublishers.ofByteArray(body))
                            .build(),
                    HttpResponse.BodyHandlers.ofByteArray());
        }
    }

    private static byte[] answer(SignedTime question) throws Exception {
        HttpResponse<byte[]> answer = post(question.request(), "application/timestamp-query");
        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(answer.headers().firstValue("content-type")).contains("application/timestamp-reply");
        return answer.body();
    }

    private static SignedTime question() {
        return new SignedTime(new BigInteger(128, new SecureRandom()).setBit(127));
    }

    private static X509Certificate root() {
        return server.server().ca().authorities().root().certificate();
    }

    @Test
    void theRecipeAsksAndChecks() throws Exception {
        String pki = "http://localhost:" + server.server().pkiPort();
        var result = Recipe.read(
                        Path.of(System.getProperty("holdfast.root", "..")).resolve("docs/recipes/signed-time.md"))
                .run(folder, Map.of("PKI", pki, "ROOT", server.rootPem().toString()), Duration.ofSeconds(60));
        assertThat(result.text()).contains("Verification: OK").contains("Time stamp: ");
    }

    @Test
    void aDeviceWithoutAClockLearnsTheTimeFromTheRootAlone() throws Exception {
        Instant before = Instant.now().minusSeconds(1);
        SignedTime question = question();
        Instant told = question.verify(answer(question), root());
        assertThat(told).isBetween(before, Instant.now().plusSeconds(1));
    }

    @Test
    void anAnswerToAnotherQuestionOrByAnotherRootIsRefused() throws Exception {
        SignedTime question = question();
        byte[] answer = answer(question);
        assertThatThrownBy(() -> question().verify(answer, root())).isInstanceOf(TimeFormatException.class);
        X509Certificate notTheRoot = server.server().ca().authorities().server().certificate();
        X509Certificate another = server.server()
                .ca()
                .authorities()
                .devices(TestServer.ENVIRONMENT)
                .orElseThrow()
                .certificate();
        assertThat(question.verify(answer, notTheRoot))
                .as("what is trusted may be lower")
                .isNotNull();
        assertThatThrownBy(() -> question.verify(answer, another)).isInstanceOf(TimeFormatException.class);
    }

    @Test
    void noOctetOfAnAnswerCanBeChangedUnseen() throws Exception {
        long seed = Long.getLong("holdfast.seed", System.nanoTime() % 1_000_000_000L);
        Random random = new Random(seed);
        SignedTime question = question();
        byte[] good = answer(question);
        Instant told = question.verify(good, root());
        for (int i = 0; i < 400; i++) {
            byte[] bad = good.clone();
            int at = random.nextInt(bad.length);
            bad[at] ^= (byte) (1 << random.nextInt(8));
            try {
                // What is not signed (the status text, unused certificates) may change; what is believed may not.
                assertThat(question.verify(bad, root()))
                        .as("seed %d, octet %d", seed, at)
                        .isEqualTo(told);
            } catch (TimeFormatException expected) {
                assertThat(expected).hasMessageContaining(" ");
            }
        }
    }

    @Test
    void whatIsNoQuestionIsRejectedWithTheReason() throws Exception {
        for (String hex : new String[] {"", "00", "3003020101", "30820fff"}) {
            HttpResponse<byte[]> answer = post(java.util.HexFormat.of().parseHex(hex), "application/timestamp-query");
            assertThat(answer.statusCode()).isEqualTo(200);
            assertThat(text(answer.body())).contains("Rejected");
        }
        assertThat(post(question().request(), "text/plain").statusCode()).isEqualTo(415);
        assertThat(post(new byte[10_000], "application/timestamp-query").statusCode())
                .isEqualTo(413);
    }

    @Test
    void aWeakDigestIsRejected() throws Exception {
        Files.writeString(folder.resolve("question"), "x");
        RealClient.of("openssl", "ts", "-query", "-data", "question", "-sha1", "-out", "q.tsq")
                .in(folder)
                .run()
                .succeeded();
        byte[] answer = post(Files.readAllBytes(folder.resolve("q.tsq")), "application/timestamp-query")
                .body();
        assertThat(text(answer)).contains("Rejected").contains("algorithm");
    }

    private String text(byte[] answer) throws Exception {
        Files.write(folder.resolve("answer.tsr"), answer);
        return RealClient.of("openssl", "ts", "-reply", "-in", "answer.tsr", "-text")
                .in(folder)
                .run()
                .text();
    }

    @Test
    void theCertificateIsForTimeStampingAloneAndOnRecord() throws Exception {
        assertThat(server.server().journal().read(0, 1_000).stream()
                        .filter(e -> e.content().contains("\"profile\":\"time\""))
                        .count())
                .isEqualTo(1);
    }
}
