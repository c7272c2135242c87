package dev.holdfast.acme;

import dev.holdfast.protocol.acme.AcmeException;
import dev.holdfast.protocol.acme.AcmeProblem;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/// Fetches what http-01 asks for (RFC 8555 section 8.3), and nothing else: one GET of a path that we made, from
/// an address that was looked at, with HTTP/1.0 so that the answer has one form and an end; no redirects (the
/// section only advises to follow them), no cookies, at most 8 KiB and ten seconds.
final class HttpChallengeClient {
    private static final Duration PATIENCE = Duration.ofSeconds(10);
    private static final int MOST_OCTETS = 8 * 1024;
    private static final String PATH = "/.well-known/acme-challenge/";

    private final DnsChallengeClient names;
    private final AllowedTargets targets;
    private final int port;

    HttpChallengeClient(DnsChallengeClient names, AllowedTargets targets, int port) {
        this.names = names;
        this.targets = targets;
        this.port = port;
    }

    /// Returns when the name's server says the key authorization. The name is looked up once and that very
    /// address is connected to, so it can't change its meaning in between. Blocks.
    ///
    /// @throws AcmeException saying what was seen, without quoting it
    void check(String name, String token, String keyAuthorization) throws AcmeException {
        InetAddress address = allowed(name);
        String answer = get(name, address, PATH + token);
        int head = answer.indexOf("\r\n\r\n");
        String[] status = answer.split("[ \r\n]", 3);
        if (head < 0 || status.length < 2 || !status[0].startsWith("HTTP/1.")) {
            throw wrong(AcmeProblem.CONNECTION, name, "did not answer with HTTP");
        }
        if (!status[1].equals("200")) {
            throw wrong(
                    AcmeProblem.UNAUTHORIZED,
                    name,
                    status[1].startsWith("3") ? "answered with a redirect, which is not followed" : "has no such file");
        }
        if (!answer.substring(head + 4).stripTrailing().equals(keyAuthorization)) {
            throw wrong(AcmeProblem.UNAUTHORIZED, name, "says something else than the key authorization");
        }
    }

    private InetAddress allowed(String name) throws AcmeException {
        List<InetAddress> addresses = names.addresses(name);
        String why = "has no address";
        for (InetAddress address : addresses) {
            Optional<String> refusal = targets.refusal(address);
            if (refusal.isEmpty()) {
                return address;
            }
            why = refusal.get();
        }
        throw new AcmeException(addresses.isEmpty() ? AcmeProblem.DNS : AcmeProblem.CONNECTION, name + ": " + why);
    }

    private String get(String name, InetAddress address, String path) throws AcmeException {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(address, port), left(deadline));
            socket.setSoTimeout(left(deadline));
            String host = port == 80 ? name : name + ":" + port;
            socket.getOutputStream()
                    .write(("GET " + path + " HTTP/1.0\r\nHost: " + host
                                    + "\r\nUser-Agent: holdfast\r\nAccept: */*\r\nConnection: close\r\n\r\n")
                            .getBytes(StandardCharsets.US_ASCII));
            return read(socket, deadline);
        } catch (IOException e) {
            throw wrong(
                    AcmeProblem.CONNECTION, name, "can't be reached on port " + port + ", or did not answer in time");
        }
    }

    private static String read(Socket socket, long deadline) throws IOException {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        InputStream in = socket.getInputStream();
        byte[] piece = new byte[2048];
        while (all.size() < MOST_OCTETS) {
            socket.setSoTimeout(left(deadline));
            int count = in.read(piece, 0, Math.min(piece.length, MOST_OCTETS - all.size()));
            if (count < 0) {
                break;
            }
            all.write(piece, 0, count);
        }
        return all.toString(StandardCharsets.ISO_8859_1);
    }

    private static int left(long deadline) throws IOException {
        long millis = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
        if (millis <= 0) {
            throw new IOException("out of time");
        }
        return (int) millis;
    }

    private static AcmeException wrong(AcmeProblem problem, String name, String what) {
        return new AcmeException(problem, name + " " + what);
    }
}
