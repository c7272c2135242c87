package dev.holdfast.bench;

import dev.holdfast.testkit.RealClient;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// Measures `./holdfast serve` from outside, its CPU and its database's, beside a named yardstick in the same
/// run; prints a table and where the time goes, writes JSON. The load comes from this process, whose CPU is not
/// counted.
@Command(name = "bench", mixinStandardHelpOptions = true, description = "Server CPU per operation, beside a yardstick.")
public final class BenchMain implements Callable<Integer> {
    private static final List<String> ALL = List.of(
            "start", "handshake", "poll", "enrolment", "mqtt", "ocsp", "cut", "memory", "detection", "demo", "unbuilt");
    private static final Set<String> ON_ONE_SERVER = Set.of("handshake", "poll", "enrolment", "mqtt", "ocsp", "cut");

    @Option(
            names = "--only",
            paramLabel = "ROW",
            description = "start, handshake, poll, enrolment, mqtt, ocsp, cut, memory, detection, demo, unbuilt;"
                    + " may be given more than once.")
    private List<String> only = new ArrayList<>();

    @Parameters(
            arity = "0..1",
            paramLabel = "GROUP",
            description = "identity: what identity promises, each part on a fleet of its own; with --only: revocation,"
                    + " revoke-cut.")
    private @Nullable String group;

    @Option(names = "--small", description = "Few operations, once: to see that it runs, not to measure.")
    private boolean small;

    @Option(names = "--unbuilt", description = "Also the demo in a fresh clone, which is built first (minutes).")
    private boolean unbuilt;

    @Option(names = "--home", description = "Where ./holdfast is.", hidden = true)
    private Path home = Path.of("");

    private BenchMain() {}

    public static void main(String[] args) {
        System.exit(new CommandLine(new BenchMain()).execute(args));
    }

    @Override
    public Integer call() throws Exception {
        Set<String> wanted = new LinkedHashSet<>(only.isEmpty() ? ALL : only);
        List<String> known = group == null ? ALL : IdentityBench.parts();
        if ((group != null && !group.equals(IdentityBench.NAME)) || !known.containsAll(only)) {
            System.err.println("bench: the rows are " + String.join(", ", ALL) + "; or those of the group identity: "
                    + String.join(", ", IdentityBench.parts()));
            return 2;
        }
        if (only.isEmpty() && !unbuilt) {
            wanted.remove("unbuilt");
        }
        if (only.isEmpty() && small) {
            wanted.remove("demo");
        }
        Path work = Files.createTempDirectory("holdfast-bench");
        // The yardsticks and the database may run as other users.
        Files.setPosixFilePermissions(work, PosixFilePermissions.fromString("rwxr-xr-x"));
        Runtime.getRuntime()
                .addShutdownHook(Thread.ofPlatform()
                        .unstarted(() -> ProcessHandle.current().descendants().forEach(ProcessHandle::destroy)));
        Bench bench = new Bench(home.toAbsolutePath(), work, small);
        Report report = new Report(bench);
        try {
            if (group == null) {
                measure(bench, wanted, report);
            } else {
                IdentityBench.measure(bench, only, report);
            }
        } finally {
            RealClient.of("rm", "-rf", work.toString()).run();
        }
        report.print();
        report.write(bench.home().resolve("target/bench"));
        return report.isWhole() ? 0 : 1;
    }

    private static void measure(Bench bench, Set<String> wanted, Report report) {
        if (wanted.contains("start")) {
            report.add("start", () -> StartRows.serve(bench));
        }
        Fleet fleet = wanted.stream()
                        .anyMatch(row -> ON_ONE_SERVER.contains(row) || row.equals("memory") || row.equals("detection"))
                ? report.prepared(() -> prepare(bench, wanted))
                : null;
        if (fleet != null) {
            measure(bench, fleet, wanted, report);
        }
        if (wanted.contains("demo")) {
            report.add("demo", () -> List.of(StartRows.demo(bench)));
        }
        if (wanted.contains("unbuilt")) {
            report.add("unbuilt", () -> List.of(StartRows.unbuilt(bench)));
        }
    }

    private static void measure(Bench bench, Fleet fleet, Set<String> wanted, Report report) {
        if (wanted.stream().anyMatch(ON_ONE_SERVER::contains)) {
            report.with("the server", () -> serve(bench, fleet), server -> {
                when(wanted, "handshake", report, () -> TlsRows.handshakes(bench, fleet, server));
                when(wanted, "poll", report, () -> TlsRows.polls(bench, fleet, server));
                when(wanted, "enrolment", report, () -> EnrolmentRow.measure(bench, fleet, server));
                when(wanted, "mqtt", report, () -> MqttRows.measure(bench, fleet, server));
                when(wanted, "ocsp", report, () -> OcspRow.measure(bench, fleet, server));
                when(wanted, "cut", report, () -> CutRow.measure(bench, fleet, server));
                bench.say("memory of the server after all this: " + server.memory() / 1_000_000 + " MB");
            });
        }
        if (wanted.contains("memory")) {
            report.with(
                    "the server",
                    () -> serve(bench, fleet),
                    server -> when(wanted, "memory", report, () -> MemoryRows.measure(bench, fleet, server)));
        }
        when(wanted, "detection", report, () -> DetectionRow.measure(bench, fleet));
    }

    private static void when(Set<String> wanted, String row, Report report, Report.Rows rows) {
        if (wanted.contains(row)) {
            report.add(row, rows);
        }
    }

    private static ServerProcess serve(Bench bench, Fleet fleet) throws IOException {
        ServerProcess server = ServerProcess.start(bench.home(), fleet.data());
        bench.say("the server is up with its fleet after " + server.startTime().toMillis() + " ms");
        return server;
    }

    private static int meters(Set<String> wanted) {
        return wanted.contains("memory") || wanted.contains("detection")
                ? 19_000
                : wanted.contains("mqtt") ? 8_000 : 4_000;
    }

    private static Fleet prepare(Bench bench, Set<String> wanted) throws IOException {
        FleetMain.Sizes sizes = new FleetMain.Sizes(
                bench.size(meters(wanted), 190),
                wanted.contains("cut") ? bench.size(50, 3) : 0,
                wanted.contains("enrolment") ? bench.size(10_000, 60) : 0,
                wanted.contains("cut") ? bench.size(5_000, 100) : 0);
        return prepare(bench, "fleet", sizes);
    }

    /// A data folder with a fleet in it, of this name among those of the run.
    static Fleet prepare(Bench bench, String name, FleetMain.Sizes sizes) throws IOException {
        bench.say("preparing a fleet: " + sizes);
        Path folder = bench.work().resolve(name);
        Files.createDirectories(folder);
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
        List<String> arguments = new ArrayList<>(List.of(folder.toString()));
        arguments.addAll(List.of(sizes.arguments()));
        List<String> _ = DetectionRow.java(FleetMain.class, arguments.toArray(String[]::new));
        return Fleet.read(folder);
    }
}
