package dev.holdfast.bench;

import dev.holdfast.protocol.x509.CertificationRequest;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import javax.net.ssl.SSLSocket;

/// What the clients do. Each method works through its list on a few threads and returns how many operations succeeded;
/// the first failure ends the run, because a figure over failures means nothing.
final class Load {
    private static final int THREADS = 8;

    private Load() {}

    /// One thing a client does.
    @FunctionalInterface
    interface Step<T> {
        int run(T item) throws IOException;
    }

    static <T> int each(List<T> items, Step<T> step) throws IOException {
        try (var threads = Executors.newFixedThreadPool(THREADS)) {
            List<Future<Integer>> all = new ArrayList<>();
            for (T item : items) {
                all.add(threads.submit(() -> step.run(item)));
            }
            int done = 0;
            for (Future<Integer> one : all) {
                done += one.get();
            }
            return done;
        } catch (ExecutionException e) {
            throw new IOException(e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException(e);
        }
    }

    /// A full mutual handshake and a request on it, which must be answered with the status.
    static int handshake(Meter meter, int port, String path, int status) throws IOException {
        try (SSLSocket socket = meter.connect(port)) {
            expect(get(socket, path), status);
            return 1;
        }
    }

    /// Polls on one kept connection.
    static int polls(Meter meter, int port, String path, int times) throws IOException {
        try (SSLSocket socket = meter.connect(port)) {
            for (int i = 0; i < times; i++) {
                expect(get(socket, path), 200);
            }
            return times;
        }
    }

    private static int get(SSLSocket socket, String path) throws IOException {
        socket.getOutputStream()
                .write(("GET " + path + " HTTP/1.1\r\nHost: localhost\r\nAccept: application/hal+json\r\n\r\n")
                        .getBytes(StandardCharsets.US_ASCII));
        return Meter.readResponse(socket.getInputStream());
    }

    private static void expect(int found, int status) throws IOException {
        if (found != status) {
            throw new IOException("status " + found + " instead of " + status);
        }
    }

    /// Enrols by EST over a new connection (RFC 7030 section 4.2), key and request made before the clock starts.
    record Newcomer(String id, String token, String request) {
        static Newcomer parse(String line) {
            String[] parts = line.split("\t", -1);
            return new Newcomer(
                    parts[0],
                    parts[1],
                    Base64.getEncoder()
                            .encodeToString(CertificationRequest.create(parts[0], ServerUnderTest.newKey())));
        }
    }

    static int enrol(Newcomer newcomer, int port) throws IOException {
        String body = newcomer.request();
        String credential = Base64.getEncoder()
                .encodeToString((newcomer.id() + ":" + newcomer.token()).getBytes(StandardCharsets.US_ASCII));
        try (SSLSocket socket = Meter.bare(newcomer.id()).connect(port)) {
            socket.getOutputStream()
                    .write(("POST /.well-known/est/simpleenroll HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic "
                                    + credential + "\r\nContent-Type: application/pkcs10\r\nContent-Length: "
                                    + body.length() + "\r\n\r\n" + body)
                            .getBytes(StandardCharsets.US_ASCII));
            expect(Meter.readResponse(socket.getInputStream()), 200);
            return 1;
        }
    }

    /// Publishes measurements on an open session, QoS 1, in windows that are each acknowledged.
    static int publish(Meter meter, SSLSocket socket, int messages, int window) throws IOException {
        OutputStream out = socket.getOutputStream();
        InputStream in = socket.getInputStream();
        String topic = "d/" + meter.id() + "/telemetry";
        for (int sent = 0; sent < messages; ) {
            int now = Math.min(window, messages - sent);
            java.io.ByteArrayOutputStream packets = new java.io.ByteArrayOutputStream();
            for (int i = 0; i < now; i++) {
                packets.writeBytes(Meter.publish(topic, "{\"kwh\":" + (sent + i) + ".5,\"v\":230.1}", i + 1));
            }
            out.write(packets.toByteArray());
            byte[] answers = in.readNBytes(4 * now);
            if (answers.length < 4 * now || answers[0] != 0x40) {
                throw new IOException(meter.id() + ": not every message was acknowledged");
            }
            sent += now;
        }
        return messages;
    }
}
