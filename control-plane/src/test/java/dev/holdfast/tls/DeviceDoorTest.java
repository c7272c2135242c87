package dev.holdfast.tls;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.TestServer;
import dev.holdfast.testkit.RealClient;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The device plane's door: TLS by `openssl s_client`, and what hostile connections leave behind, which is
/// nothing.
class DeviceDoorTest {
    private static TestServer server;

    @BeforeAll
    static void start() {
        server = TestServer.start(Map.of(
                "HOLDFAST_LIMITS_SESSIONS", "60",
                "HOLDFAST_LIMITS_HANDSHAKE_TIMEOUT", "PT2S",
                "HOLDFAST_LIMITS_REQUEST_TIMEOUT", "PT2S"));
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private static String connect(String... more) {
        List<String> arguments = new ArrayList<>(
                List.of("s_client", "-connect", "localhost:" + server.server().devicePort()));
        arguments.addAll(List.of(more));
        var result = RealClient.of("openssl", arguments.toArray(String[]::new)).run();
        return result.text() + result.errors();
    }

    private static void awaitQuiet() {
        TestServer.await("no connection is left", () -> server.server().plane().connections() == 0);
    }

    private static Socket plain() throws IOException {
        return new Socket(InetAddress.getLoopbackAddress(), server.server().devicePort());
    }

    private static SSLSocket tls() throws Exception {
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, new TrustManager[] {new TrustAnybody()}, null);
        SSLSocket socket = (SSLSocket) context.getSocketFactory()
                .createSocket(InetAddress.getLoopbackAddress(), server.server().devicePort());
        socket.setSoTimeout(20_000);
        socket.startHandshake();
        return socket;
    }

    /// These tests are about connections, not about trust.
    private static final class TrustAnybody implements X509TrustManager {
        @Override
        public void checkClientTrusted(java.security.cert.X509Certificate[] chain, String authType) {}

        @Override
        public void checkServerTrusted(java.security.cert.X509Certificate[] chain, String authType) {}

        @Override
        public java.security.cert.X509Certificate[] getAcceptedIssuers() {
            return new java.security.cert.X509Certificate[0];
        }
    }

    @Test
    void opensslVerifiesOurChainToTheRootWithTls13AndTls12() {
        for (String version : List.of("-tls1_3", "-tls1_2")) {
            assertThat(connect(
                            version,
                            "-CAfile",
                            server.rootPem().toString(),
                            "-verify_return_error",
                            "-verify_hostname",
                            "localhost"))
                    .contains("Verify return code: 0 (ok)");
        }
    }

    @Test
    void refusesTls11() {
        assertThat(connect("-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0")).contains("Cipher is (NONE)");
    }

    @Test
    void aResumedSessionIsAskedForItsCertificateAllTheSame(@TempDir Path folder) throws Exception {
        var device = server.register("resume-1");
        var answer = RealClient.of(
                        "bash",
                        "-c",
                        "set -e; openssl ecparam -name prime256v1 -genkey -noout -out k.pem; openssl req -new -key"
                                + " k.pem -subj /CN=resume-1 -outform DER | openssl base64 | curl -sS"
                                + " --fail-with-body --cacert \"$ROOT\" --user \"$CREDENTIAL\" -H 'Content-Type:"
                                + " application/pkcs10' --data-binary @- https://localhost:$PORT/.well-known/est/"
                                + "simpleenroll | openssl base64 -d -A | openssl pkcs7 -inform DER -print_certs -out"
                                + " c.pem")
                .in(folder)
                .with(Map.of(
                        "ROOT", server.rootPem().toString(),
                        "CREDENTIAL", server.credential(device),
                        "PORT", "" + server.server().devicePort()))
                .run();
        answer.succeeded();
        String request = "POST /.well-known/est/simplereenroll HTTP/1.1\r\nHost: localhost\r\nContent-Type:"
                + " application/pkcs10\r\nContent-Length: 4\r\nConnection: close\r\n\r\nAAAA";
        String session = folder.resolve("session").toString();
        String[] common = {
            "s_client",
            "-tls1_2",
            "-quiet",
            "-ign_eof",
            "-connect",
            "localhost:" + server.server().devicePort(),
            "-CAfile",
            server.rootPem().toString(),
            "-cert",
            folder.resolve("c.pem").toString(),
            "-key",
            folder.resolve("k.pem").toString()
        };
        var first = RealClient.of("openssl", with(common, "-sess_out", session))
                .input(request)
                .run();
        assertThat(first.text()).contains("malformed-request");
        assertThat(Files.exists(Path.of(session))).isTrue();
        server.server().identity().suspend(device, "in doubt", java.util.Optional.empty(), TestServer.TESTER);
        String renewal = "POST /.well-known/est/simplereenroll HTTP/1.1\r\nHost: localhost\r\nContent-Type:"
                + " application/pkcs10\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s";
        String body = java.util.Base64.getEncoder()
                .encodeToString(dev.holdfast.protocol.x509.CertificationRequest.create(
                        "resume-1", dev.holdfast.protocol.x509.Crypto.generateP256(new java.security.SecureRandom())));
        var second = RealClient.of("openssl", with(common, "-sess_in", session))
                .input(renewal.formatted(body.length(), body))
                .run();
        assertThat(second.text()).contains("device-suspended");
    }

    private static String[] with(String[] some, String... more) {
        List<String> all = new ArrayList<>(List.of(some));
        all.addAll(List.of(more));
        return all.toArray(String[]::new);
    }

    @Test
    void plainHttpNoiseAndSilenceOnTheTlsPortAreClosedAndRecorded() throws Exception {
        try (Socket http = plain();
                Socket noise = plain();
                Socket silent = plain()) {
            http.getOutputStream().write("GET / HTTP/1.1\r\nHost: x\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            byte[] random = new byte[4_000];
            new Random(7).nextBytes(random);
            random[0] = 22;
            noise.getOutputStream().write(random);
            for (Socket socket : List.of(http, noise, silent)) {
                socket.setSoTimeout(20_000);
                drain(socket);
            }
        }
        TestServer.await(
                "recorded",
                () -> server.server().plane().failures().counts().containsKey(HandshakeFailure.Cause.NOT_TLS));
        awaitQuiet();
    }

    @Test
    void slowHeadersSlowBodiesAndTruncatedRequestsLeaveNothingBehind() throws Exception {
        try (SSLSocket slowBody = tls()) {
            slowBody.getOutputStream()
                    .write(("POST /.well-known/est/simpleenroll HTTP/1.1\r\nHost: x\r\nContent-Type:"
                                    + " application/pkcs10\r\nContent-Length: 1000\r\n\r\nAAAA")
                            .getBytes(StandardCharsets.US_ASCII));
            try (SSLSocket truncated = tls()) {
                truncated
                        .getOutputStream()
                        .write("POST /.well-known/est/simpleenroll HTTP/1.1\r\nContent-Le"
                                .getBytes(StandardCharsets.US_ASCII));
            }
            drain(slowBody);
        }
        awaitQuiet();
    }

    @Test
    void oversizedHeadersAreRefused() throws Exception {
        try (SSLSocket socket = tls()) {
            socket.getOutputStream()
                    .write(("GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + "a".repeat(20_000) + "\r\n\r\n")
                            .getBytes(StandardCharsets.US_ASCII));
            assertThat(drain(socket)).startsWith("HTTP/1.1 4");
        }
        awaitQuiet();
    }

    @Test
    void connectionsOverTheCapAreClosedAndTheOthersServed() throws Exception {
        awaitQuiet();
        List<Socket> many = new ArrayList<>();
        try {
            for (int i = 0; i < 90; i++) {
                many.add(plain());
            }
            TestServer.await("turned away", () -> server.server().plane().turnedAway() > 0);
            assertThat(server.server().plane().connections()).isLessThanOrEqualTo(60);
        } finally {
            for (Socket socket : many) {
                socket.close();
            }
        }
        awaitQuiet();
        assertThat(connect("-CAfile", server.rootPem().toString())).contains("Verify return code: 0 (ok)");
    }

    /// What comes faster than the rate waits in the kernel, and is served when its turn comes.
    @Test
    void acceptsNoFasterThanTheRate() throws Exception {
        int rate = 10;
        try (TestServer slow = TestServer.start(Map.of("HOLDFAST_LIMITS_HANDSHAKES_PER_SECOND", "" + rate))) {
            List<Socket> many = new ArrayList<>();
            long begun = System.nanoTime();
            try {
                for (int i = 0; i < 40; i++) {
                    many.add(new Socket(
                            InetAddress.getLoopbackAddress(), slow.server().devicePort()));
                }
                TestServer.await("all are accepted", () -> slow.server().plane().connections() == 40);
                // 10 at once, up to 16 more before the gate is heard, and the rest one by one.
                assertThat(System.nanoTime() - begun).isGreaterThan((40 - rate - 16) * 1_000_000_000L / rate);
            } finally {
                for (Socket socket : many) {
                    socket.close();
                }
            }
        }
    }

    private static String drain(Socket socket) {
        try {
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        } catch (java.net.SocketTimeoutException e) {
            throw new AssertionError("the server did not close the connection", e);
        } catch (IOException reset) {
            return "";
        }
    }
}
