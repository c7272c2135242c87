package dev.holdfast;

import dev.holdfast.database.TestDatabase;
import dev.holdfast.testkit.RealClient;
import dev.holdfast.testkit.RunningClient;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;

/// A [ServerProbe] that runs, with its embedded database, on free ports.
final class ServerProcess implements AutoCloseable {
    private final RunningClient process;
    private final Map<String, Integer> ports = new HashMap<>();

    private ServerProcess(RunningClient process, String ready) {
        this.process = process;
        for (String word : ready.substring("READY ".length()).split(" ", -1)) {
            ports.put(word.substring(0, word.indexOf('=')), Integer.parseInt(word.substring(word.indexOf('=') + 1)));
        }
    }

    /// @param data its data folder, which may have been used before
    /// @param settings configuration as environment variables
    static ServerProcess start(Path data, Map<String, String> settings) {
        Map<String, String> variables = new HashMap<>(settings);
        for (String listener : List.of("OPERATOR", "DEVICE", "MQTT", "PKI", "SYSLOG", "IPFIX")) {
            variables.putIfAbsent("HOLDFAST_LISTENERS_" + listener + "_PORT", "0");
            variables.putIfAbsent("HOLDFAST_LISTENERS_" + listener + "_HOST", "127.0.0.1");
        }
        try {
            Files.createDirectories(TestDatabase.binaries());
            Files.setPosixFilePermissions(TestDatabase.binaries(), PosixFilePermissions.fromString("rwxr-xr-x"));
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
        variables.put("HOLDFAST_DATABASE_BINARIES", TestDatabase.binaries().toString());
        RunningClient process = RealClient.of(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:+UseSerialGC",
                        "-XX:TieredStopAtLevel=1",
                        "--enable-native-access=ALL-UNNAMED",
                        "--sun-misc-unsafe-memory-access=allow",
                        "-cp",
                        System.getProperty("java.class.path"),
                        ServerProbe.class.getName(),
                        data.toString())
                .with(variables)
                .keepInputOpen()
                .start();
        return new ServerProcess(process, process.awaitLine(line -> line.startsWith("READY "), Duration.ofMinutes(3)));
    }

    /// Ports by name: device, mqtt, pki, operator, syslog.
    Map<String, Integer> ports() {
        return ports;
    }

    int port(String name) {
        return java.util.Objects.requireNonNull(ports.get(name), name);
    }

    /// Sends a line and returns the answer, without the words that were sent.
    String ask(String line) {
        process.send(line + "\n");
        return process.awaitLine(answer -> answer.startsWith(line + " "), Duration.ofMinutes(1))
                .substring(line.length() + 1);
    }

    long openFiles() throws IOException {
        return count("fd");
    }

    long threads() throws IOException {
        return count("task");
    }

    private long count(String what) throws IOException {
        try (Stream<Path> all = Files.list(Path.of("/proc", Long.toString(process.pid()), what))) {
            return all.count();
        }
    }

    /// SIGKILL, to the server alone: its database must see to itself.
    void kill() {
        process.handle().destroyForcibly();
        process.awaitExit(Duration.ofSeconds(30));
    }

    Socket connect(String listener) throws IOException {
        Socket socket = new Socket();
        socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port(listener)), 10_000);
        socket.setSoTimeout(60_000);
        return socket;
    }

    /// TLS without a client certificate, trusting anybody: it is the server that is tried here.
    SSLSocket tls(String listener) throws IOException {
        try {
            SSLContext context = SSLContext.getInstance("TLSv1.3");
            context.init(null, new TrustManager[] {new Anybody()}, new SecureRandom());
            Socket plain = connect(listener);
            SSLSocket socket =
                    (SSLSocket) context.getSocketFactory().createSocket(plain, "localhost", port(listener), true);
            socket.setSoTimeout(60_000);
            socket.startHandshake();
            return socket;
        } catch (GeneralSecurityException e) {
            throw new IOException(e);
        }
    }

    private static final class Anybody implements X509TrustManager {
        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type) {}

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }

    @Override
    public void close() {
        process.close();
    }
}
