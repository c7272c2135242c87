package dev.holdfast.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.holdfast.testkit.RealClient;
import dev.holdfast.testkit.RunningClient;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// Measures a server in a process of its own, beside a named yardstick in the same run; prints a table, writes JSON.
@Command(name = "bench", mixinStandardHelpOptions = true, description = "Server CPU per operation, beside a yardstick.")
public final class BenchMain implements Callable<Integer> {
    private static final PrintStream OUT = System.out;

    @Option(
            names = "--row",
            description = "Only this row: handshake, enrolment, mqtt, poll, memory, cut; may be given more than once.")
    private List<String> rows = new ArrayList<>();

    @Option(names = "--small", description = "A hundredth of the operations: to see that it runs, not to measure.")
    private boolean small;

    @Option(names = "--meters", description = "Connected meters of the memory row, as two numbers: 2000,19000.")
    private String meters = "2000,19000";

    @Option(names = "--out", description = "Where the JSON goes.")
    private Path out = Path.of("target", "bench", "bench.json");

    private BenchMain() {}

    public static void main(String[] args) {
        System.exit(new CommandLine(new BenchMain()).execute(args));
    }

    @Override
    public Integer call() throws Exception {
        Path work = Files.createTempDirectory("holdfast-bench");
        Files.setPosixFilePermissions(work, PosixFilePermissions.fromString("rwx--x--x"));
        try {
            List<Row> table = new ArrayList<>();
            List<String> failed = new ArrayList<>();
            for (String row : List.of("handshake", "enrolment", "mqtt", "poll", "cut", "memory")) {
                if (rows.isEmpty() || rows.contains(row)) {
                    try {
                        table.addAll(measure(row, work.resolve(row)));
                    } catch (IOException | RuntimeException | AssertionError e) {
                        failed.add(row + ": " + e.getMessage());
                    }
                }
            }
            print(table, failed);
            write(table, failed);
            return failed.isEmpty() ? 0 : 1;
        } finally {
            RealClient.of("rm", "-rf", work.toString()).run();
        }
    }

    private int size(int ordinary) {
        return small ? Math.max(2, ordinary / 100) : ordinary;
    }

    private List<Row> measure(String row, Path folder) throws IOException {
        Files.createDirectories(folder);
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
        OUT.println("-- " + row);
        return switch (row) {
            case "handshake" -> List.of(handshake(folder));
            case "enrolment" -> List.of(enrolment(folder));
            case "mqtt" -> List.of(mqtt(folder));
            case "poll" -> List.of(poll(folder));
            case "cut" -> List.of(cut(folder));
            case "memory" -> memory(folder);
            default -> throw new IllegalArgumentException("no row " + row);
        };
    }

    /// The server's process with its prepared fleet.
    private static RunningServer serve(Path folder, int enrolled, int tokens) throws IOException {
        RunningClient child = RealClient.of(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:+UseCompactObjectHeaders",
                        "-XX:+UseSerialGC",
                        "--enable-native-access=ALL-UNNAMED",
                        "--sun-misc-unsafe-memory-access=allow",
                        "-cp",
                        System.getProperty("java.class.path"),
                        ServerUnderTest.class.getName(),
                        folder.toString(),
                        Integer.toString(enrolled),
                        Integer.toString(tokens))
                .keepInputOpen()
                .start();
        String ready = child.awaitLine(line -> line.startsWith("READY "), Duration.ofMinutes(10));
        Map<String, Integer> ports = new LinkedHashMap<>();
        for (String word : ready.substring("READY ".length()).split(" ", -1)) {
            ports.put(word.substring(0, word.indexOf('=')), Integer.parseInt(word.substring(word.indexOf('=') + 1)));
        }
        return RunningServer.read(folder, child, ports);
    }

    private static double microsPer(Duration cpu, int operations) {
        return cpu.toNanos() / 1e3 / operations;
    }

    /// Runs once to warm up with a part of the fleet, then measures the server's CPU.
    private interface Run {
        int run() throws IOException;
    }

    private static double measured(ProcessHandle server, Run run) throws IOException {
        Duration before = CpuMeter.cpu(server);
        int done = run.run();
        return microsPer(CpuMeter.cpu(server).minus(before), done);
    }

    private Row handshake(Path folder) throws IOException {
        int count = size(3_000);
        try (RunningServer server = serve(folder, 2 * count, 0);
                Yardstick nginx = Yardstick.nginx(folder, folder.resolve("nginx"), "/poll")) {
            List<Meter> warm = server.meters().subList(0, count);
            List<Meter> fresh = server.meters().subList(count, 2 * count);
            int port = server.port("mqtt");
            Load.each(warm, meter -> close(meter.mqtt(port)));
            double ours = measured(server.handle(), () -> Load.each(fresh, meter -> close(meter.mqtt(port))));
            Load.each(warm, meter -> Load.handshake(meter, nginx.port(), "/poll", 200));
            double theirs = measured(
                    nginx.process(),
                    () -> Load.each(fresh, meter -> Load.handshake(meter, nginx.port(), "/poll", 200)));
            return new Row(
                    "mTLS reconnect (full handshake, MQTT CONNECT, admission)",
                    "us CPU",
                    ours,
                    "nginx handshake + static GET",
                    theirs,
                    Map.of("operations", count, "certificates", "distinct"));
        }
    }

    private static int close(javax.net.ssl.SSLSocket socket) throws IOException {
        socket.close();
        return 1;
    }

    private Row enrolment(Path folder) throws IOException {
        int count = size(2_000);
        try (RunningServer server = serve(folder, 1, 2 * count)) {
            List<Load.Newcomer> all = server.newcomers();
            int port = server.port("device");
            Load.each(all.subList(0, count), newcomer -> Load.enrol(newcomer, port));
            double ours =
                    measured(server.handle(), () -> Load.each(all.subList(count, 2 * count), n -> Load.enrol(n, port)));
            Map<String, Double> crypto = Yardstick.crypto();
            // Handshake: one signature, one key generation and one agreement; then the request's proof of possession
            // is verified and the certificate signed.
            double floor = 2 * crypto.getOrDefault("sign", Double.NaN)
                    + crypto.getOrDefault("verify", Double.NaN)
                    + 2 * crypto.getOrDefault("agree", Double.NaN);
            return new Row(
                    "EST enrolment (new connection, durable, journalled; PostgreSQL included)",
                    "us CPU",
                    ours,
                    "sum of its crypto by openssl speed",
                    floor,
                    Map.of("operations", count, "crypto", crypto));
        }
    }

    private Row mqtt(Path folder) throws IOException {
        int sessions = size(500);
        int messages = 200;
        try (RunningServer server = serve(folder, sessions, 0);
                Yardstick mosquitto = Yardstick.mosquitto(folder, folder.resolve("mosquitto"))) {
            double ours = publishing(server, server.port("mqtt"), server.handle(), messages);
            double theirs = publishing(server, mosquitto.port(), mosquitto.process(), messages);
            return new Row(
                    "QoS 1 message (parse, authorise, detect, roll up, acknowledge)",
                    "us CPU",
                    ours,
                    "mosquitto with TLS, nobody subscribed",
                    theirs,
                    Map.of("sessions", sessions, "messagesEach", messages));
        }
    }

    private static double publishing(RunningServer fleet, int port, ProcessHandle process, int messages)
            throws IOException {
        Map<Meter, javax.net.ssl.SSLSocket> open = new LinkedHashMap<>();
        try {
            for (Meter meter : fleet.meters()) {
                open.put(meter, meter.mqtt(port));
            }
            List<Map.Entry<Meter, javax.net.ssl.SSLSocket>> sessions = List.copyOf(open.entrySet());
            Load.each(sessions, one -> Load.publish(one.getKey(), one.getValue(), messages / 4, 20));
            return measured(process, () -> {
                int done = 0;
                for (int round = 0; round < 4; round++) {
                    done += Load.each(sessions, one -> Load.publish(one.getKey(), one.getValue(), messages / 4, 20));
                    pause(1_000); // within the rate that each device is allowed
                }
                return done;
            });
        } finally {
            for (javax.net.ssl.SSLSocket socket : open.values()) {
                socket.close();
            }
        }
    }

    private Row poll(Path folder) throws IOException {
        int count = size(2_000);
        int each = 5;
        try (RunningServer server = serve(folder, 2 * count, 0);
                Yardstick nginx = Yardstick.nginx(folder, folder.resolve("nginx"), "/poll")) {
            double ours = polling(server, count, each, server.port("device"), server.handle(), true);
            double theirs = polling(server, count, each, nginx.port(), nginx.process(), false);
            return new Row(
                    "DDI poll, kept alive (handshakes subtracted)",
                    "us CPU",
                    ours,
                    "nginx static file",
                    theirs,
                    Map.of("connections", count, "pollsEach", each));
        }
    }

    /// The CPU of connections with polls, less that of as many connections with one poll.
    private static double polling(
            RunningServer fleet, int count, int each, int port, ProcessHandle process, boolean ddi) throws IOException {
        List<Meter> warm = fleet.meters().subList(0, count);
        List<Meter> fresh = fleet.meters().subList(count, 2 * count);
        Load.Step<Meter> one = meter -> Load.polls(meter, port, path(meter, ddi), 1);
        Load.Step<Meter> many = meter -> Load.polls(meter, port, path(meter, ddi), 1 + each);
        Load.each(warm, many);
        Duration start = CpuMeter.cpu(process);
        Load.each(warm, one);
        Duration middle = CpuMeter.cpu(process);
        Load.each(fresh, many);
        Duration end = CpuMeter.cpu(process);
        Duration alone = middle.minus(start);
        Duration with = end.minus(middle);
        return microsPer(with.minus(alone), count * each);
    }

    private static String path(Meter meter, boolean ddi) {
        return ddi ? "/DEFAULT/controller/v1/" + meter.id() : "/poll";
    }

    /// From the first forbidden message to the end of the session, as the device sees it.
    private Row cut(Path folder) throws IOException {
        int count = Math.max(5, size(40));
        try (RunningServer server = serve(folder, count, 0)) {
            List<Double> millis = new ArrayList<>();
            for (Meter meter : server.meters()) {
                try (javax.net.ssl.SSLSocket session = meter.mqtt(server.port("mqtt"))) {
                    long begun = System.nanoTime();
                    int id = 1;
                    try {
                        while (true) {
                            session.getOutputStream().write(Meter.publish("d/another/telemetry", "{\"kwh\":1}", id++));
                            session.getInputStream().readNBytes(4);
                            if (session.getInputStream().available() == 0 && id > 500) {
                                throw new IllegalStateException("500 forbidden messages, and the session is open");
                            }
                        }
                    } catch (IOException ended) {
                        millis.add((System.nanoTime() - begun) / 1e6);
                    }
                }
            }
            millis.sort(null);
            return new Row(
                    "first forbidden message -> session cut",
                    "ms (median)",
                    millis.get(millis.size() / 2),
                    "-",
                    Double.NaN,
                    Map.of("p99", millis.get((int) (millis.size() * 0.99)), "devices", millis.size()));
        }
    }

    /// Resident memory with so many idle, connected meters, at two sizes: the slope is what one costs.
    private List<Row> memory(Path folder) throws IOException {
        String[] wanted = meters.split(",", -1);
        int fewer = small ? 20 : Integer.parseInt(wanted[0]);
        int more = small ? 190 : Integer.parseInt(wanted[1]);
        String limit = RealClient.of("bash", "-c", "ulimit -n").run().text().strip();
        if (!limit.equals("unlimited") && Integer.parseInt(limit) < more + 500) {
            throw new IOException("ulimit -n is " + limit + ": too low for " + more + " connections");
        }
        List<javax.net.ssl.SSLSocket> open = java.util.Collections.synchronizedList(new ArrayList<>());
        try (RunningServer server = serve(folder, more, 0)) {
            int port = server.port("mqtt");
            long idle = CpuMeter.residentOf(server.handle().pid());
            Load.each(server.meters().subList(0, fewer), meter -> keep(open, meter.mqtt(port)));
            pause(2_000);
            long atFewer = CpuMeter.residentOf(server.handle().pid());
            Load.each(server.meters().subList(fewer, more), meter -> keep(open, meter.mqtt(port)));
            pause(2_000);
            long atMore = CpuMeter.residentOf(server.handle().pid());
            Map<String, Object> details = Map.of("idleBytes", idle, "atFewerBytes", atFewer, "atMoreBytes", atMore);
            return List.of(
                    new Row("RSS at " + fewer + " meters", "MB", atFewer / 1e6, "-", Double.NaN, details),
                    new Row("RSS at " + more + " meters", "MB", atMore / 1e6, "-", Double.NaN, details),
                    new Row(
                            "RSS per connected idle meter (slope)",
                            "KB",
                            (atMore - atFewer) / 1e3 / (more - fewer),
                            "-",
                            Double.NaN,
                            details));
        } finally {
            for (javax.net.ssl.SSLSocket socket : open) {
                socket.close();
            }
        }
    }

    private static int keep(List<javax.net.ssl.SSLSocket> open, javax.net.ssl.SSLSocket socket) {
        open.add(socket);
        return 1;
    }

    private static void pause(long millis) {
        java.util.concurrent.locks.LockSupport.parkNanos(millis * 1_000_000);
    }

    private void print(List<Row> table, List<String> failed) {
        OUT.printf("%n%-76s %12s %-12s %12s  %7s  %s%n", "", "Holdfast", "", "yardstick", "ratio", "beside");
        for (Row row : table) {
            OUT.printf(
                    "%-76s %12.1f %-12s %12s  %7s  %s%n",
                    row.name(),
                    row.ours(),
                    row.unit(),
                    Double.isNaN(row.yardstick()) ? "-" : "%.1f".formatted(row.yardstick()),
                    row.ratio(),
                    row.beside());
        }
        failed.forEach(row -> OUT.println("NOT MEASURED " + row));
        if (small) {
            OUT.println("With --small the figures say only that it runs.");
        }
    }

    private void write(List<Row> table, List<String> failed) throws IOException {
        List<Map<String, Object>> rowsOut = new ArrayList<>();
        for (Row row : table) {
            Map<String, Object> one = new LinkedHashMap<>();
            one.put("name", row.name());
            one.put("unit", row.unit());
            one.put("holdfast", row.ours());
            one.put("beside", row.beside());
            one.put("yardstick", Double.isNaN(row.yardstick()) ? null : row.yardstick());
            one.put("details", row.details());
            rowsOut.add(one);
        }
        Files.createDirectories(out.toAbsolutePath().getParent());
        new ObjectMapper()
                .writerWithDefaultPrettyPrinter()
                .writeValue(
                        out.toFile(),
                        Map.of(
                                "small", small,
                                "processors", Runtime.getRuntime().availableProcessors(),
                                "java", Runtime.version().toString(),
                                "rows", rowsOut,
                                "notMeasured", failed));
        OUT.println("Written to " + out.toAbsolutePath());
    }
}
