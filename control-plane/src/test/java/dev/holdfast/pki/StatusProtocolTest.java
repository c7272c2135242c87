package dev.holdfast.pki;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.TestServer;
import dev.holdfast.mqtt.EnrolledDevice;
import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.testkit.RealClient;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import org.bouncycastle.asn1.ocsp.OCSPResponse;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// OCSP as a protocol: GET, and what is no proper question. Requests are made and answers read by openssl.
class StatusProtocolTest {
    private static final int MALFORMED = 1;
    private static final int UNAUTHORIZED = 6;

    @TempDir
    private static Path folder;

    private static TestServer server;
    private static EnrolledDevice device;
    private static Path issuer;

    @BeforeAll
    static void start() throws Exception {
        server = TestServer.start();
        device = EnrolledDevice.of(server, "asked-1");
        issuer = Files.writeString(
                folder.resolve("issuer.pem"), Certificates.pem(device.chain().get(1)));
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private static byte[] question(Path issuer, String serial, String... more) throws Exception {
        Path file = folder.resolve("question.der");
        List<String> arguments = new ArrayList<>(
                List.of("ocsp", "-issuer", issuer.toString(), "-serial", serial, "-reqout", file.toString()));
        arguments.addAll(List.of(more));
        RealClient.of("openssl", arguments.toArray(String[]::new)).run().succeeded();
        return Files.readAllBytes(file);
    }

    private static String serial() {
        return "0x" + device.chain().getFirst().getSerialNumber().toString(16);
    }

    private static String url(String rest) {
        return "http://localhost:" + server.server().pkiPort() + "/ocsp" + rest;
    }

    private static String path(byte[] question) {
        return "/" + URLEncoder.encode(Base64.getEncoder().encodeToString(question), StandardCharsets.US_ASCII);
    }

    private static HttpResponse<byte[]> get(String rest) throws Exception {
        return send(HttpRequest.newBuilder(URI.create(url(rest))));
    }

    private static HttpResponse<byte[]> post(byte[] body, String type) throws Exception {
        return send(HttpRequest.newBuilder(URI.create(url("")))
                .header("content-type", type)
                .POST(HttpRequest.BodyPublishers.ofByteArray(body)));
    }

    private static HttpResponse<byte[]> send(HttpRequest.Builder request) throws Exception {
        try (HttpClient client =
                HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build()) {
            return client.send(request.build(), HttpResponse.BodyHandlers.ofByteArray());
        }
    }

    private static int status(HttpResponse<byte[]> answer) {
        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(answer.headers().firstValue("content-type")).contains("application/ocsp-response");
        return OCSPResponse.getInstance(answer.body()).getResponseStatus().getIntValue();
    }

    /// What openssl reads in the answer, its signature checked up to the root.
    private static String read(HttpResponse<byte[]> answer, String serial) throws Exception {
        Path file = Files.write(folder.resolve("answer.der"), answer.body());
        var result = RealClient.of(
                        "openssl",
                        "ocsp",
                        "-respin",
                        file.toString(),
                        "-issuer",
                        issuer.toString(),
                        "-serial",
                        serial,
                        "-no_nonce",
                        "-CAfile",
                        server.rootPem().toString(),
                        "-verify_other",
                        issuer.toString())
                .run();
        return result.text() + result.errors();
    }

    @Test
    void getAnswersWhatPostDoesAndSaysHowLongItMayBeCached() throws Exception {
        byte[] question = question(issuer, serial(), "-no_nonce");
        HttpResponse<byte[]> answer = get(path(question));
        assertThat(status(answer)).isZero();
        assertThat(read(answer, serial())).contains("Response verify OK").contains(serial() + ": good");
        assertThat(answer.headers().firstValue("cache-control").orElse("")).contains("max-age=60");
        assertThat(read(post(question, "application/ocsp-request"), serial())).contains(serial() + ": good");
    }

    @Test
    void anAnswerIsNotSentTwiceToWhoHasItAndSaysUntilWhenItHolds() throws Exception {
        String path = path(question(issuer, serial(), "-no_nonce"));
        HttpResponse<byte[]> first = get(path);
        HttpResponse<byte[]> second = get(path);
        assertThat(second.body()).as("signed once").isEqualTo(first.body());
        for (String header : List.of("etag", "last-modified", "expires", "date")) {
            assertThat(first.headers().firstValue(header)).as(header).isPresent();
        }
        HttpResponse<byte[]> known = send(HttpRequest.newBuilder(URI.create(url(path)))
                .header("if-none-match", first.headers().firstValue("etag").orElseThrow()));
        assertThat(known.statusCode()).isEqualTo(304);
        assertThat(known.body()).isEmpty();
        HttpResponse<byte[]> posted = post(question(issuer, serial(), "-no_nonce"), "application/ocsp-request");
        assertThat(posted.headers().firstValue("cache-control")).contains("no-store");
        assertThat(posted.headers().firstValue("etag")).isEmpty();
    }

    @Test
    void anAnswerWithANonceIsForOneAskerAlone() throws Exception {
        HttpResponse<byte[]> answer = get(path(question(issuer, serial())));
        assertThat(status(answer)).isZero();
        assertThat(answer.headers().firstValue("cache-control")).contains("no-store");
    }

    @Test
    void aSerialThatWasNeverIssuedIsUnknown() throws Exception {
        HttpResponse<byte[]> answer = get(path(question(issuer, "0x1234", "-no_nonce")));
        assertThat(read(answer, "0x1234")).contains("0x1234: unknown");
    }

    @Test
    void aQuestionAboutAnotherAuthorityIsUnauthorized() throws Exception {
        RealClient.of(
                        "openssl",
                        "req",
                        "-x509",
                        "-newkey",
                        "ec",
                        "-pkeyopt",
                        "ec_paramgen_curve:P-256",
                        "-nodes",
                        "-keyout",
                        "other.key",
                        "-out",
                        "other.pem",
                        "-subj",
                        "/CN=other",
                        "-days",
                        "1")
                .in(folder)
                .run()
                .succeeded();
        assertThat(status(get(path(question(folder.resolve("other.pem"), serial(), "-no_nonce")))))
                .isEqualTo(UNAUTHORIZED);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "00", "3003020101", "30820fff", "ffffffffffffffffffffffffffffffff", "30003000"})
    void whatIsNoQuestionIsMalformed(String hex) throws Exception {
        byte[] noise = java.util.HexFormat.of().parseHex(hex);
        assertThat(status(post(noise, "application/ocsp-request"))).isEqualTo(MALFORMED);
        if (noise.length > 0) {
            assertThat(status(get(path(noise)))).isEqualTo(MALFORMED);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"/not+base64!", "/%zz", "/AAAA%0d%0a", "/.."})
    void aPathThatIsNoQuestionIsRefusedWithoutHarm(String rest) throws Exception {
        try (java.net.Socket socket =
                new java.net.Socket("localhost", server.server().pkiPort())) {
            socket.setSoTimeout(20_000);
            socket.getOutputStream()
                    .write(("GET /ocsp" + rest + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                            .getBytes(StandardCharsets.US_ASCII));
            String answer = new String(socket.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1);
            assertThat(answer).startsWith("HTTP/1.1 ").doesNotStartWith("HTTP/1.1 5");
        }
        assertThat(status(get(path(question(issuer, serial(), "-no_nonce"))))).isZero();
    }

    @Test
    void otherMethodsTypesAndSizesAreRefused() throws Exception {
        byte[] question = question(issuer, serial(), "-no_nonce");
        assertThat(post(question, "text/plain").statusCode()).isEqualTo(415);
        assertThat(send(HttpRequest.newBuilder(URI.create(url("")))
                                .PUT(HttpRequest.BodyPublishers.ofByteArray(question)))
                        .statusCode())
                .isEqualTo(405);
        assertThat(post(new byte[40_000], "application/ocsp-request").statusCode())
                .isEqualTo(413);
        assertThat(get("/" + "A".repeat(7_000)).statusCode()).isLessThan(500);
    }
}
