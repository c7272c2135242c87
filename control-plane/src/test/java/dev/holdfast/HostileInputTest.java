package dev.holdfast;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.database.Database;
import dev.holdfast.database.TestDatabase;
import dev.holdfast.mqtt.RawMqtt;
import dev.holdfast.testkit.RealClient;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// Malformed, oversized, slow, truncated, silent and too many requests on every listener of a server in a process of
/// its own: it ends them by itself, serves good clients meanwhile, and holds no file handle, thread, session,
/// connection or memory for them afterwards.
class HostileInputTest {
    private static final List<String> LISTENERS = List.of("device", "mqtt", "syslog", "pki", "operator");
    private static final List<String> BEHIND_TLS = List.of("device", "mqtt", "syslog");
    private static final List<String> HTTP = List.of("device", "pki", "operator");
    private static final long SEED = Long.getLong("holdfast.seed", 20260302L);
    private static final byte[] CLIENT_HELLO_BEGUN = {0x16, 3, 1, 2, 0, 1, 0, 1, (byte) 0xfc, 3, 3, 1, 2, 3, 4};
    private static final int TIMES = 8;
    private static Path folder;
    private static ServerProcess server;
    private static ProcessDevice good;
    private static ProcessDevice bad;

    @BeforeAll
    static void start() throws IOException {
        folder = Files.createTempDirectory("holdfast-hostile");
        Database.Address database = TestDatabase.freshAddress();
        Path password = Files.writeString(folder.resolve("password"), database.password());
        server = ServerProcess.start(
                folder.resolve("data"),
                Map.of(
                        "HOLDFAST_DATABASE_URL", database.url(),
                        "HOLDFAST_DATABASE_USER", database.user(),
                        "HOLDFAST_DATABASE_PASSWORD_FILE", password.toString(),
                        "HOLDFAST_DATABASE_CONNECTIONS", "4",
                        "HOLDFAST_SWITCHES_AUTOMATIC_ISOLATION", "false",
                        "HOLDFAST_LIMITS_HANDSHAKE_TIMEOUT", "PT2S",
                        "HOLDFAST_LIMITS_REQUEST_TIMEOUT", "PT2S",
                        "HOLDFAST_LIMITS_IDLE_TIMEOUT", "PT3S"));
        good = ProcessDevice.enrolled(server, "good");
        bad = ProcessDevice.enrolled(server, "bad");
        goodClientsAreServed();
    }

    @AfterAll
    static void stop() {
        server.close();
        RealClient.of("rm", "-rf", folder.toString()).run();
    }

    // ------------------------------------------------------------------ what is held, and who must be served

    private record Held(long files, long threads, long sessions, long connections, long heap, long direct) {
        static Held now() {
            String[] counts = server.ask("held").split(" ", -1);
            try {
                return new Held(
                        server.openFiles(),
                        server.threads(),
                        Long.parseLong(counts[0]),
                        Long.parseLong(counts[1]),
                        Long.parseLong(counts[2]) >> 20,
                        Long.parseLong(counts[3]) >> 20);
            } catch (IOException e) {
                throw new java.io.UncheckedIOException(e);
            }
        }

        /// Connections to the database and carrier threads come and go by a few; one left behind by each of [#TIMES]
        /// attacks on one listener would be seen.
        boolean isNoMoreThan(Held before) {
            return files <= before.files + 6
                    && threads <= before.threads + 6
                    && sessions == 0
                    && connections == 0
                    && heap <= before.heap + 24
                    && direct <= before.direct + 48;
        }
    }

    private interface Try {
        boolean isDone() throws IOException;
    }

    /// Waits, at most 60 s; a machine that is busy may refuse a good client once, too.
    private static void await(Supplier<String> what, Try attempt) {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        while (true) {
            Optional<IOException> failed = Optional.empty();
            try {
                if (attempt.isDone()) {
                    return;
                }
            } catch (IOException | java.io.UncheckedIOException e) {
                failed = Optional.of(new IOException(e));
            }
            if (System.nanoTime() > deadline) {
                throw new AssertionError("not within 60 s: " + what.get(), failed.orElse(null));
            }
            try {
                TimeUnit.MILLISECONDS.sleep(100);
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        }
    }

    private static void goodClientsAreServed() {
        await(() -> "/crl", () -> status(server.connect("pki"), "GET /crl/none.crl") == 404);
        await(() -> "/livez", () -> status(server.connect("operator"), "GET /livez") == 200);
        await(() -> "EST", () -> status(good.connect(server, "device"), "GET /.well-known/est/cacerts") == 200);
        await(() -> "updates", () -> status(good.connect(server, "device"), "GET /DEFAULT/controller/v1/good") == 200);
        await(() -> "MQTT", HostileInputTest::publishes);
        await(() -> "syslog", HostileInputTest::logs);
    }

    private static boolean publishes() throws IOException {
        try (RawMqtt client = new RawMqtt(good.connect(server, "mqtt"))) {
            client.enter(4, "good").send(RawMqtt.publish(4, "d/good/telemetry", 7, "{\"kwh\":1}"));
            return Arrays.equals(client.read().body(), new byte[] {0, 7});
        }
    }

    private static boolean logs() throws IOException {
        String before = server.ask("lines good");
        try (SSLSocket syslog = good.connect(server, "syslog")) {
            syslog.getOutputStream().write(frame("<14>1 2026-03-02T06:00:00Z h a - - - served"));
            await(() -> "the line is kept", () -> !server.ask("lines good").equals(before));
            return true;
        }
    }

    private static byte[] frame(String message) {
        return ascii(message.length() + " " + message);
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }

    private static int status(Socket connection, String request) throws IOException {
        try (connection) {
            connection
                    .getOutputStream()
                    .write(ascii(request + " HTTP/1.1\r\nHost: localhost:" + server.port("operator")
                            + "\r\nConnection: close\r\n\r\n"));
            return Integer.parseInt(
                    new String(connection.getInputStream().readNBytes(12), StandardCharsets.US_ASCII).substring(9));
        }
    }

    // ------------------------------------------------------------------ how an attack is run

    private interface Attack {
        void on(Socket connection) throws IOException;
    }

    /// Inside TLS where the listener has it: with the certificate of the bad device where one is needed.
    private static Socket inside(String listener) throws IOException {
        return switch (listener) {
            case "device" -> server.tls(listener);
            case "mqtt", "syslog" -> bad.connect(server, listener);
            default -> server.connect(listener);
        };
    }

    private interface Opening {
        Socket open(String listener) throws IOException;
    }

    private record Assault(String listener, Opening opening, Attack attack) {
        boolean once() {
            try (Socket connection = opening.open(listener)) {
                attack.on(connection);
                return true;
            } catch (SocketTimeoutException stillOpen) {
                throw new AssertionError(listener + " does not end the connection", stillOpen);
            } catch (IOException cutByTheServer) {
                return false; // as good an end as any
            }
        }
    }

    private static List<Assault> on(List<String> listeners, Opening opening, Attack attack) {
        return listeners.stream()
                .map(listener -> new Assault(listener, opening, attack))
                .toList();
    }

    private static void run(List<Assault> assaults, int times, Runnable meanwhile) throws Exception {
        try (ExecutorService attackers = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<Boolean>> running = new ArrayList<>();
            for (int i = 0; i < times; i++) {
                assaults.forEach(assault -> running.add(attackers.submit(assault::once)));
            }
            meanwhile.run();
            for (Future<Boolean> one : running) {
                one.get();
            }
        }
    }

    /// Each [#TIMES] times, all at once; good clients are served meanwhile, and afterwards nothing of it is left.
    private static void everywhere(List<List<Assault>> kinds) throws Exception {
        List<Assault> assaults = kinds.stream().flatMap(List::stream).toList();
        run(assaults, 1, () -> {}); // what is made at first use stays
        Held before = Held.now();
        run(assaults, TIMES, HostileInputTest::goodClientsAreServed);
        goodClientsAreServed();
        await(
                () -> "nothing is left; before " + before + ", now " + Held.now(),
                () -> Held.now().isNoMoreThan(before));
    }

    /// Until the server ends it, which it must.
    private static void drain(Socket connection) throws IOException {
        byte[] buffer = new byte[8_192];
        while (connection.getInputStream().read(buffer) >= 0) {
            // whatever it still says
        }
    }

    private static void send(Socket connection, byte[] octets) throws IOException {
        connection.getOutputStream().write(octets);
        connection.getOutputStream().flush();
    }

    /// An octet every 200 ms, over and over, until the server ends it.
    private static void drip(Socket connection, byte[] start) throws IOException {
        send(connection, start);
        for (int i = 0; i < 200; i++) {
            send(connection, new byte[] {'1'});
            try {
                TimeUnit.MILLISECONDS.sleep(200);
            } catch (InterruptedException e) {
                throw new IOException(e);
            }
        }
        throw new SocketTimeoutException("40 s of dripping");
    }

    private static byte[] noise(Random random, int size) {
        byte[] noise = new byte[size];
        random.nextBytes(noise);
        return noise;
    }

    // ------------------------------------------------------------------ malformed

    @Test
    void noiseAndPlainTextAreEndedBeforeAndInsideTls() throws Exception {
        Random random = new Random(SEED);
        Attack noise = connection -> {
            send(connection, noise(random, 50_000));
            drain(connection);
        };
        Attack plainText = connection -> {
            send(connection, ascii("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"));
            drain(connection);
        };
        everywhere(List.of(
                on(LISTENERS, server::connect, noise),
                on(BEHIND_TLS, HostileInputTest::inside, noise),
                on(BEHIND_TLS, server::connect, plainText)));
    }

    @Test
    void requestsThatAreNotHttpOrReadTwoWaysAreEnded() throws Exception {
        List<String> requests = List.of(
                "\0\0\0 / HTTP/1.1\r\n\r\n",
                "GET\r\n\r\n",
                "GET / HTTP/9.9\r\nHost: localhost\r\n\r\n",
                "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
                "GET / HTTP/1.1\r\nHost: localhost\r\nX: a\0b\r\n\r\n",
                "POST /ocsp HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
                "POST /ocsp HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked"
                        + "\r\n\r\n0\r\n\r\n",
                "POST /ocsp HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
                "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
        everywhere(requests.stream()
                .map(request -> on(HTTP, HostileInputTest::inside, connection -> {
                    send(connection, ascii(request));
                    drain(connection);
                }))
                .toList());
    }

    // ------------------------------------------------------------------ oversized

    @Test
    void oversizedHeadsBodiesPacketsAndFramesAreRefused() throws Exception {
        byte[] piece = new byte[1 << 18];
        Arrays.fill(piece, (byte) 'A');
        everywhere(List.of(
                on(HTTP, HostileInputTest::inside, connection -> {
                    send(connection, ascii("GET /" + "a".repeat(200_000) + " HTTP/1.1\r\nHost: localhost\r\n\r\n"));
                    drain(connection);
                }),
                on(HTTP, HostileInputTest::inside, connection -> {
                    send(
                            connection,
                            ascii("POST /.well-known/est/simpleenroll HTTP/1.1\r\nHost: localhost\r\nContent-Type:"
                                    + " application/pkcs10\r\nAuthorization: Basic YmFkOng=\r\nContent-Length:"
                                    + " 900000000\r\n\r\n"));
                    for (int i = 0; i < 4; i++) {
                        send(connection, piece);
                    }
                    drain(connection);
                }),
                on(List.of("mqtt"), HostileInputTest::inside, connection -> {
                    send(connection, RawMqtt.connect(4, "", 60));
                    send(connection, new byte[] {0x30, (byte) 0xff, (byte) 0xff, (byte) 0xff, 0x7f});
                    send(connection, piece);
                    drain(connection);
                }),
                on(List.of("syslog"), HostileInputTest::inside, connection -> {
                    send(connection, ascii("999999999 "));
                    send(connection, piece);
                    drain(connection);
                })));
    }

    // ------------------------------------------------------------------ slow, silent, half-open

    @Test
    void silenceIsEndedBeforeDuringAndAfterTheHandshake() throws Exception {
        everywhere(List.of(
                on(LISTENERS, server::connect, HostileInputTest::drain),
                on(BEHIND_TLS, server::connect, connection -> {
                    send(connection, CLIENT_HELLO_BEGUN);
                    drain(connection);
                }),
                on(List.of("device", "mqtt"), HostileInputTest::inside, HostileInputTest::drain)));
    }

    @Test
    void whoSendsAnOctetNowAndThenIsEnded() throws Exception {
        byte[] head = ascii("GET / HTTP/1.1\r\nHost: localhost\r\nX: ");
        byte[] body = ascii("POST /ocsp HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n");
        byte[] connect = {0x10, 0x7f, 0, 4, 'M', 'Q', 'T', 'T', 4};
        everywhere(List.of(
                on(BEHIND_TLS, server::connect, connection -> drip(connection, CLIENT_HELLO_BEGUN)),
                on(HTTP, HostileInputTest::inside, connection -> drip(connection, head)),
                on(List.of("device", "pki"), HostileInputTest::inside, connection -> drip(connection, body)),
                on(List.of("mqtt"), HostileInputTest::inside, connection -> drip(connection, connect)),
                on(List.of("syslog"), HostileInputTest::inside, connection -> drip(connection, ascii("900 <14>1 ")))));
    }

    // ------------------------------------------------------------------ truncated

    @Test
    void whoLeavesInTheMiddleIsForgotten() throws Exception {
        byte[] publish = RawMqtt.publish(4, "d/bad/event", 1, "{\"v\":1,\"name\":\"cut\"}");
        everywhere(List.of(
                on(BEHIND_TLS, server::connect, connection -> {
                    send(connection, CLIENT_HELLO_BEGUN);
                    connection.setSoLinger(true, 0); // leaves with a reset
                }),
                on(
                        HTTP,
                        HostileInputTest::inside,
                        connection -> send(connection, ascii("POST /ocsp HTTP/1.1\r\nHost: loc"))),
                on(
                        HTTP,
                        HostileInputTest::inside,
                        connection -> send(
                                connection,
                                ascii("POST /.well-known/est/simpleenroll HTTP/1.1\r\nHost: localhost\r\n"
                                        + "Content-Type: application/pkcs10\r\nContent-Length: 100\r\n\r\nMII"))),
                on(List.of("mqtt"), HostileInputTest::inside, connection -> {
                    send(connection, RawMqtt.connect(4, "", 60));
                    send(connection, Arrays.copyOf(publish, publish.length / 2));
                }),
                on(
                        List.of("syslog"),
                        HostileInputTest::inside,
                        connection -> send(connection, ascii("900 <14>1 2026-03-02T06:00:00Z h a - - - cut")))));
        assertThat(server.ask("events bad")).isEmpty();
        assertThat(server.ask("lines bad")).isEqualTo("0");
    }

    // ------------------------------------------------------------------ too many

    /// Also of requests whose answers nobody reads.
    @Test
    void floodsEndTheFloodersConnection() throws Exception {
        ByteArrayOutputStream packets = new ByteArrayOutputStream();
        ByteArrayOutputStream frames = new ByteArrayOutputStream();
        packets.writeBytes(RawMqtt.connect(4, "", 60));
        for (int i = 1; i <= 1_000; i++) {
            packets.writeBytes(RawMqtt.publish(4, "d/bad/telemetry", i, "{\"kwh\":1}"));
            frames.writeBytes(frame("<14>1 2026-03-02T06:00:00Z h a - - - flood"));
        }
        byte[] requests = ascii("GET /.well-known/est/cacerts HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(1_000));
        everywhere(List.of(
                on(List.of("mqtt"), HostileInputTest::inside, connection -> {
                    send(connection, packets.toByteArray());
                    drain(connection);
                }),
                on(List.of("syslog"), HostileInputTest::inside, connection -> {
                    send(connection, frames.toByteArray());
                    drain(connection);
                }),
                on(HTTP, HostileInputTest::inside, connection -> {
                    send(connection, requests);
                })));
    }

    @Test
    void datagramsOfNoiseAreDropped() throws Exception {
        Random random = new Random(SEED);
        Held before = Held.now();
        try (DatagramSocket socket = new DatagramSocket()) {
            for (int i = 0; i < 3_000; i++) {
                byte[] noise = noise(random, 16 + random.nextInt(1_400));
                if (i % 2 == 0) { // of the right version and length
                    noise[0] = 0;
                    noise[1] = 10;
                    noise[2] = (byte) (noise.length >> 8);
                    noise[3] = (byte) noise.length;
                }
                socket.send(new DatagramPacket(
                        noise, noise.length, InetAddress.getLoopbackAddress(), server.port("ipfix")));
            }
        }
        goodClientsAreServed();
        await(
                () -> "nothing is left; before " + before + ", now " + Held.now(),
                () -> Held.now().isNoMoreThan(before));
    }
}
