package dev.holdfast.simulator;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.regex.Pattern;

/// The server of the demo: `holdfast serve` itself, as a child process on loopback, configured as anybody would
/// configure it.
final class DemoServer implements AutoCloseable {
    /// The last of the lines that it prints when it is ready; the link for the first operator comes before.
    private static final Pattern READY = Pattern.compile("Ctrl-C stops it");
    private static final Pattern LINK = Pattern.compile("https?://\\S+/welcome#\\S+");

    private final ChildProcess process;
    private final Path data;
    private final int operatorPort;
    private final int devicePort;
    private final int mqttPort;

    /// @param switches such as HOLDFAST_SWITCHES_ROLLOUT_GATE
    static DemoServer start(Path folder, Map<String, String> switches) throws IOException, InterruptedException {
        DemoServer server = new DemoServer(folder, switches);
        server.process.await(READY, Duration.ofMinutes(2));
        return server;
    }

    private DemoServer(Path folder, Map<String, String> switches) throws IOException {
        this.data = folder.resolve("server");
        List<Integer> free = freePorts(7);
        // The ports that the documentation names, where nobody else has them.
        this.operatorPort = isFree(8080) ? 8080 : free.get(0);
        this.devicePort = isFree(8443) ? 8443 : free.get(1);
        this.mqttPort = isFree(8883) ? 8883 : free.get(2);
        int pkiPort = isFree(8081) ? 8081 : free.get(3);
        Map<String, String> environment = new TreeMap<>();
        listener(environment, "OPERATOR", operatorPort);
        listener(environment, "DEVICE", devicePort);
        listener(environment, "MQTT", mqttPort);
        listener(environment, "PKI", pkiPort);
        listener(environment, "SYSLOG", free.get(4));
        listener(environment, "IPFIX", free.get(5));
        listener(environment, "CHANNEL_BOUND", free.get(6));
        environment.put("HOLDFAST_PUBLIC_BASE_URLS_DEVICE", "https://127.0.0.1:" + devicePort);
        environment.put("HOLDFAST_PUBLIC_BASE_URLS_PKI", "http://127.0.0.1:" + pkiPort);
        environment.put("HOLDFAST_ACCESS_FIRST_TOKEN", "true");
        environment.putAll(switches);
        this.process = ChildProcess.start(
                "server",
                folder.resolve("server.log"),
                1024,
                environment,
                List.of("dev.holdfast.Main", "serve", "--data", data.toString()));
    }

    private static void listener(Map<String, String> environment, String name, int port) {
        environment.put("HOLDFAST_LISTENERS_" + name + "_HOST", "127.0.0.1");
        environment.put("HOLDFAST_LISTENERS_" + name + "_PORT", Integer.toString(port));
    }

    private static boolean isFree(int port) {
        try (ServerSocket probe = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
            return probe.isBound();
        } catch (IOException taken) {
            return false;
        }
    }

    /// Ports that nobody uses now; all are held at once, so that they differ.
    /// Below those that the system gives to clients (32768 and up), or one of theirs may take it before the
    /// server does.
    private static List<Integer> freePorts(int count) throws IOException {
        List<Integer> ports = new ArrayList<>();
        int next = (int) (ProcessHandle.current().pid() * 61 % 20_000);
        for (int tried = 0; tried < 1_000 && ports.size() < count; tried++) {
            int port = 10_000 + (next + tried) % 22_000;
            if (isFree(port)) {
                ports.add(port);
            }
        }
        if (ports.size() < count) {
            throw new IOException("no free ports between 10000 and 32000");
        }
        return ports;
    }

    /// Tells of an end that nobody here asked for.
    void onUnexpectedEnd(Consumer<String> heard) {
        process.onUnexpectedEnd(heard);
    }

    /// Where people find the console.
    String origin() {
        return "http://localhost:" + operatorPort;
    }

    String https() {
        return "127.0.0.1:" + devicePort;
    }

    String mqtt() {
        return "127.0.0.1:" + mqttPort;
    }

    int devicePort() {
        return devicePort;
    }

    int mqttPort() {
        return mqttPort;
    }

    /// The link by which the first person makes a passkey.
    Optional<String> signInLink() {
        return process.find(LINK).map(found -> found.group());
    }

    /// The token that the server leaves for the first script, in a file that only its owner can read.
    String token() throws IOException {
        return Files.readString(tokenFile()).strip();
    }

    Path tokenFile() {
        return data.resolve("secrets/first-token");
    }

    boolean isAlive() {
        return process.isAlive();
    }

    List<String> lastLines() {
        return process.lastLines();
    }

    @Override
    public void close() {
        process.close();
    }
}
