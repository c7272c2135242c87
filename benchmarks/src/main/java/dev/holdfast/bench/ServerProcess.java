package dev.holdfast.bench;

import dev.holdfast.testkit.RealClient;
import dev.holdfast.testkit.RunningClient;
import java.io.IOException;
import java.net.BindException;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// `./holdfast serve` itself, as anybody would start it, in a process of its own.
final class ServerProcess implements AutoCloseable {
    private static final AtomicInteger NEXT_PORT =
            new AtomicInteger((int) (ProcessHandle.current().pid() * 61 % 20_000));
    private static final String[] LISTENERS = {"OPERATOR", "DEVICE", "CHANNEL_BOUND", "MQTT", "PKI", "SYSLOG", "IPFIX"};

    private static final Pattern USED = Pattern.compile("(?:DefNew|Tenured)\\s+total \\d+K, used (\\d+)K");

    private final RunningClient process;
    private final Map<String, Integer> ports;
    private final Duration start;

    private ServerProcess(RunningClient process, Map<String, Integer> ports, Duration start) {
        this.process = process;
        this.ports = ports;
        this.start = start;
    }

    /// Starts it and waits until it is ready.
    ///
    /// @param home where `./holdfast` is
    static ServerProcess start(Path home, Path data) throws IOException {
        return start(home, data, Map.of());
    }

    /// @param settings besides those that every measurement has
    static ServerProcess start(Path home, Path data, Map<String, String> settings) throws IOException {
        Map<String, Integer> ports = new HashMap<>();
        Map<String, String> environment = new HashMap<>(variables());
        environment.putAll(settings);
        environment.put("MEASURED_BY_BENCH", "1"); // or nobody may attach to it and ask for its heap
        for (String listener : LISTENERS) {
            int port = freePort();
            ports.put(listener, port);
            environment.put("HOLDFAST_LISTENERS_" + listener + "_PORT", Integer.toString(port));
        }
        long begun = System.nanoTime();
        RunningClient process = RealClient.of(home.resolve("holdfast").toString(), "serve", "--data", data.toString())
                .with(environment)
                .start();
        try {
            process.awaitLine(line -> line.startsWith("Holdfast is ready"), Duration.ofMinutes(2));
        } catch (AssertionError e) {
            process.close();
            throw new IOException("the server does not start: " + e.getMessage(), e);
        }
        return new ServerProcess(process, ports, Duration.ofNanos(System.nanoTime() - begun));
    }

    /// What differs from the defaults: limits that are there to be hit by an attacker, not by a measurement.
    static Map<String, String> variables() {
        Map<String, String> variables = new HashMap<>();
        for (String listener : LISTENERS) {
            variables.put("HOLDFAST_LISTENERS_" + listener + "_HOST", "127.0.0.1");
            variables.put("HOLDFAST_LISTENERS_" + listener + "_PORT", "0");
        }
        variables.put("HOLDFAST_ACCESS_FIRST_TOKEN", "true");
        variables.put("HOLDFAST_LIMITS_HANDSHAKES_PER_SECOND", "100000");
        variables.put("HOLDFAST_LIMITS_SESSIONS", "19500");
        variables.put("HOLDFAST_LIMITS_MESSAGES_PER_SECOND", "1000000");
        variables.put("HOLDFAST_LIMITS_MESSAGE_BURST", "1000000");
        return variables;
    }

    int port(String listener) {
        Integer port = ports.get(listener);
        if (port == null) {
            throw new IllegalStateException("the server has no listener " + listener);
        }
        return port;
    }

    /// From the command to the line that says it is ready.
    Duration startTime() {
        return start;
    }

    ProcessHandle handle() {
        return process.handle();
    }

    /// Resident memory of the server and what its PostgreSQL takes, in octets.
    long memory() {
        return CpuMeter.resident(handle()) + CpuMeter.proportionalOfDescendants(handle());
    }

    /// Octets of heap in use after a full collection.
    long heap() {
        // A server that has just become ready may be too busy to answer at once.
        for (int attempt = 1; ; attempt++) {
            try {
                jcmd("GC.run");
                break;
            } catch (AssertionError busy) {
                if (attempt == 3) {
                    throw busy;
                }
                Load.pause(5_000);
            }
        }
        long kib = 0;
        Matcher used = USED.matcher(jcmd("GC.heap_info"));
        while (used.find()) {
            kib += Long.parseLong(used.group(1));
        }
        return kib * 1024;
    }

    String jcmd(String... command) {
        String[] all = new String[command.length + 1];
        all[0] = Long.toString(handle().pid());
        System.arraycopy(command, 0, all, 1, command.length);
        return RealClient.of(
                        Path.of(System.getProperty("java.home"), "bin", "jcmd").toString(), all)
                .timeout(Duration.ofMinutes(1))
                .run()
                .succeeded()
                .text();
    }

    /// Below those that the system gives to clients (32768 and up), or one of theirs may take it before the
    /// server does.
    static int freePort() throws IOException {
        for (int tried = 0; tried < 1_000; tried++) {
            int port = 10_000 + NEXT_PORT.getAndIncrement() % 22_000;
            try (ServerSocket socket = new ServerSocket(port, 1)) {
                return socket.getLocalPort();
            } catch (BindException taken) {
                // the next one, then
            }
        }
        throw new IOException("no free port between 10000 and 32000");
    }

    /// Asks it to end as Ctrl-C does, so that the next start is an ordinary one.
    @Override
    public void close() {
        process.terminate();
        try {
            process.awaitExit(Duration.ofSeconds(90));
        } finally {
            process.close();
        }
    }
}
