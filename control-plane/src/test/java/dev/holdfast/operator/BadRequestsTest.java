package dev.holdfast.operator;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/// What hostile or broken clients send to this listener, by raw sockets.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class BadRequestsTest {
    private RunningServer server;

    @BeforeAll
    void start() {
        server = RunningServer.start();
    }

    @AfterAll
    void stop() {
        server.close();
    }

    private Socket connect() throws IOException {
        Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.port());
        socket.setSoTimeout(60_000);
        return socket;
    }

    private String answer(String request) throws IOException {
        try (Socket socket = connect()) {
            OutputStream out = socket.getOutputStream();
            try {
                out.write(request.getBytes(StandardCharsets.ISO_8859_1));
                out.flush();
            } catch (SocketException closedWhileSending) {
                return read(socket);
            }
            return read(socket);
        }
    }

    /// The status line and headers of the first answer, or what there was until the end.
    private static String read(Socket socket) throws IOException {
        StringBuilder text = new StringBuilder();
        InputStream in = socket.getInputStream();
        try {
            for (int c = in.read(); c >= 0 && !text.toString().endsWith("\r\n\r\n"); c = in.read()) {
                text.append((char) c);
            }
        } catch (SocketException reset) {
            return text.toString();
        }
        return text.toString();
    }

    private String get(String path, String... headers) throws IOException {
        return answer("GET " + path + " HTTP/1.1\r\n" + String.join("\r\n", headers) + "\r\nConnection: close\r\n\r\n");
    }

    private String host() {
        return "Host: localhost:" + server.port();
    }

    @Test
    void refusesAHostThatIsNotOursBecausePagesFromElsewhereResolveToLoopbackToo() throws IOException {
        assertThat(get("/api/v1/me", host())).startsWith("HTTP/1.1 200");
        assertThat(get("/api/v1/me", "Host: evil.example")).startsWith("HTTP/1.1 421");
        assertThat(get("/", "Host: evil.example:" + server.port())).startsWith("HTTP/1.1 421");
        assertThat(get("/livez", "Host: localhost:1")).startsWith("HTTP/1.1 421");
    }

    @Test
    void refusesRequestsThatAPageOfAnotherOriginMakes() throws IOException {
        assertThat(get("/api/v1/me", host(), "Origin: http://evil.example")).startsWith("HTTP/1.1 403");
        assertThat(get("/api/v1/me", host(), "Origin: null")).startsWith("HTTP/1.1 403");
        assertThat(get("/api/v1/me", host(), "Sec-Fetch-Site: cross-site")).startsWith("HTTP/1.1 403");
        assertThat(get("/api/v1/me", host(), "Origin: " + server.url(), "Sec-Fetch-Site: same-origin"))
                .startsWith("HTTP/1.1 200");
    }

    @Test
    void refusesWhatIsNotHttp() throws IOException {
        assertThat(answer("\u0016\u0003\u0001\u0000 this is TLS\r\n\r\n")).doesNotContain(" 200 ");
        assertThat(answer("GET / HTTP/9.9\r\n\r\n")).doesNotContain(" 200 ");
        assertThat(answer("GET / HTTP/1.1\r\nHo st: x\r\n\r\n")).doesNotContain(" 200 ");
        assertThat(answer("GET /" + "a".repeat(20_000) + " HTTP/1.1\r\n" + host() + "\r\n\r\n"))
                .doesNotContain(" 200 ");
        assertThat(answer("GET / HTTP/1.1\r\n" + host() + "\r\nX: " + "a".repeat(40_000) + "\r\n\r\n"))
                .doesNotContain(" 200 ");
    }

    @Test
    void refusesBodiesThatCanBeReadTwoWays() throws IOException {
        String both = "POST /api/v1/session/link HTTP/1.1\r\n" + host()
                + "\r\nContent-Type: application/json\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
                + "0\r\n\r\nGET /api/v1/me HTTP/1.1\r\n\r\n";
        String answer = answer(both);
        assertThat(answer).doesNotContain(" 200 ");
    }

    @Test
    void pathsDoNotLeadOutOfTheConsole() throws IOException {
        for (String path : new String[] {
            "/../../etc/passwd",
            "/%2e%2e/%2e%2e/etc/passwd",
            "/assets/..%2f..%2fapplication.yaml",
            "//etc/passwd",
            "/META-INF/MANIFEST.MF",
            "/openapi.yaml",
            "/db/migration/V050__access.sql"
        }) {
            assertThat(get(path, host())).as(path).doesNotContain(" 200 OK");
        }
    }

    @Test
    void aBodyThatIsCutOffLeavesNothingBehind() throws IOException {
        for (int i = 0; i < 50; i++) {
            try (Socket socket = connect()) {
                socket.getOutputStream()
                        .write(("POST /api/v1/session/link HTTP/1.1\r\n" + host()
                                        + "\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{\"link")
                                .getBytes(StandardCharsets.US_ASCII));
                socket.getOutputStream().flush();
            }
        }
        assertThat(get("/api/v1/me", host())).startsWith("HTTP/1.1 200");
        assertThat(server.get("/me").status()).isEqualTo(200);
    }

    @Test
    void manyOpenConnectionsThatSayNothingDoNotKeepOthersOut() throws IOException {
        List<Socket> silent = new ArrayList<>();
        try {
            for (int i = 0; i < 300; i++) {
                Socket socket = connect();
                silent.add(socket);
                if (i % 2 == 0) {
                    socket.getOutputStream().write("GET /api/v1/me HT".getBytes(StandardCharsets.US_ASCII));
                }
            }
            assertThat(server.get("/me").status()).isEqualTo(200);
            // Each is ended by the server, however it stalls.
            for (Socket socket : silent.subList(0, 4)) {
                assertThat(read(socket)).doesNotContain(" 200 ");
            }
        } finally {
            for (Socket socket : silent) {
                socket.close();
            }
        }
    }

    @Test
    void aBodyThatTricklesIsEnded() throws IOException {
        try (Socket socket = connect()) {
            socket.getOutputStream()
                    .write(("POST /api/v1/session/link HTTP/1.1\r\n" + host()
                                    + "\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n{")
                            .getBytes(StandardCharsets.US_ASCII));
            socket.getOutputStream().flush();
            assertThat(read(socket)).startsWith("HTTP/1.1 408");
        }
    }

    @Test
    void guessingIsSlowedDownForTheGuesserOnly() {
        Map<String, String> guess = Map.of("authorization", "Bearer hf_guess");
        int refused = 0;
        int held = 0;
        for (int i = 0; i < 40; i++) {
            switch (server.send("GET", "/devices", null, guess).problem()) {
                case "not-signed-in" -> refused++;
                case "too-many-attempts" -> held++;
                default -> throw new AssertionError("let in");
            }
        }
        assertThat(refused).isBetween(1, 25);
        assertThat(held).isGreaterThan(10);
        assertThat(server.get("/devices").status()).isEqualTo(200);
    }
}
