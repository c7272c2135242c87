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
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;

/// A [ServerProbe] that runs, with its embedded database, on free ports.
final class ServerProcess implements AutoCloseable {
    private final RunningClient process;
    private final Map<String, Integer> ports = new HashMap<>();
    private final AtomicInteger questions = new AtomicInteger();

    private ServerProcess(RunningClient process, String ready) {
        this.process = process;
        for (String word : ready.substring("READY ".length()).split(" ", -1)) {
            ports.put(word.substring(0, word.indexOf('=')), Integer.parseInt(word.substring(word.indexOf('=') + 1)));
        }
    }

    /// @param data its data folder, which may have been used before
    /// @param settings configuration as environment variables
    static ServerProcess start(Path data, Map<String, String> settings) {
        return start(List.of(), data, settings);
    }

    /// @param launcher a command that runs the one it is given, such as `unshare`
    static ServerProcess start(List<String> launcher, Path data, Map<String, String> settings) {
        Map<String, String> variables = new HashMap<>(settings);
        for (String listener : List.of("OPERATOR", "DEVICE", "CHANNEL_BOUND", "MQTT", "PKI", "SYSLOG", "IPFIX")) {
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
        List<String> command = new ArrayList<>(launcher);
        command.addAll(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-cp",
                System.getProperty("java.class.path"),
                ServerProbe.class.getName(),
                data.toString()));
        RunningClient process = RealClient.of(
                        command.getFirst(), command.subList(1, command.size()).toArray(String[]::new))
                .with(variables)
                .keepInputOpen()
                .start();
        return new ServerProcess(process, process.awaitLine(line -> line.startsWith("READY "), Duration.ofMinutes(3)));
    }

    /// Of the listener: device, mqtt, pki, operator, syslog, ipfix.
    int port(String name) {
        return java.util.Objects.requireNonNull(ports.get(name), name);
    }

    /// What [ServerProbe] answers.
    String ask(String question) {
        String number = "#" + questions.incrementAndGet() + " ";
        process.send(number + question + "\n");
        return process.awaitLine(answer -> answer.startsWith(number), Duration.ofMinutes(1))
                .substring(number.length());
    }

    /// The first line of that beginning, already printed or still to come.
    String await(String beginning) {
        return process.awaitLine(line -> line.startsWith(beginning), Duration.ofMinutes(1));
    }

    /// Every line printed so far.
    List<String> lines() {
        return process.lines();
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

    /// TLS without a client certificate.
    SSLSocket tls(String listener) throws IOException {
        return tls(listener, new KeyManager[0]);
    }

    /// TLS that trusts anybody: it is the server that is tried here.
    SSLSocket tls(String listener, KeyManager[] keys) throws IOException {
        try {
            SSLContext context = SSLContext.getInstance("TLSv1.3");
            context.init(keys, new TrustManager[] {new Anybody()}, new SecureRandom());
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
