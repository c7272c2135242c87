package dev.holdfast.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import dev.holdfast.testkit.RealClient;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// What was measured, and what could not be and why.
final class Report {
    private static final PrintStream OUT = System.out;

    private final Bench bench;
    private final List<Row> rows = new ArrayList<>();
    private final List<String> failed = new ArrayList<>();
    private final Map<String, Object> machine;

    Report(Bench bench) {
        this.bench = bench;
        this.machine = machine();
    }

    interface Rows {
        List<Row> measure() throws IOException;
    }

    interface Opening<T> {
        T open() throws IOException;
    }

    interface Use {
        void use(ServerProcess server);
    }

    void add(String what, Rows measured) {
        bench.say("-- " + what);
        try {
            rows.addAll(measured.measure());
        } catch (IOException | RuntimeException | AssertionError e) {
            failed(what, e);
        }
    }

    /// Null when it failed, which is then in the report.
    <T> @Nullable T prepared(Opening<T> opening) {
        try {
            return opening.open();
        } catch (IOException | RuntimeException | AssertionError e) {
            failed("preparation", e);
            return null;
        }
    }

    void with(String what, Opening<ServerProcess> opening, Use use) {
        try (ServerProcess server = opening.open()) {
            use.use(server);
        } catch (IOException | RuntimeException | AssertionError e) {
            failed(what, e);
        }
    }

    private void failed(String what, Throwable e) {
        failed.add(what + ": " + e.getMessage());
        bench.say(what + " FAILED: " + e.getMessage());
    }

    boolean isWhole() {
        return failed.isEmpty();
    }

    void print() {
        for (Profile profile : bench.profiles()) {
            OUT.println();
            profile.lines().forEach(OUT::println);
        }
        OUT.printf(
                "%n%-68s %-9s %9s %-16s %9s %9s %7s  %-18s %s%n",
                "", "unit", "Holdfast", "(range)", "+compiler", "yardstick", "ratio", "promise", "beside");
        for (Row row : rows) {
            OUT.printf(
                    "%-68s %-9s %9s %-16s %9s %9s %7s  %-18s %s%n",
                    row.name() + (row.quiet() ? " *" : ""),
                    row.unit(),
                    row.ours().text(),
                    row.ours().range(),
                    row.details().get("compiler") instanceof Spread compiler ? compiler.text() : "",
                    row.yardstick().text(),
                    row.ratio(),
                    row.verdict(),
                    row.beside());
        }
        OUT.println(
                "CPU is of the server and its PostgreSQL, for each operation; what compiling its Java took in the same time"
                        + " stands apart (+compiler); median of " + bench.rounds()
                        + " rounds.  * means little unless the machine is quiet.");
        failed.forEach(row -> OUT.println("NOT MEASURED " + row));
        if (bench.isSmall()) {
            OUT.println("With --small the figures say only that it runs.");
        }
    }

    void write(Path folder) throws IOException {
        List<Map<String, Object>> table = new ArrayList<>();
        for (Row row : rows) {
            Map<String, Object> one = new LinkedHashMap<>();
            one.put("row", row.id());
            one.put("name", row.name());
            one.put("unit", row.unit());
            one.put("holdfast", row.ours());
            one.put("beside", row.beside());
            one.put("yardstick", row.yardstick().isKnown() ? row.yardstick() : null);
            one.put("promise", row.promise().map(Row.Promise::text).orElse(null));
            one.put("kept", row.promise().map(Row.Promise::kept).orElse(null));
            one.put("needsQuietMachine", row.quiet());
            one.put("details", row.details());
            table.add(one);
        }
        Map<String, Object> all = new LinkedHashMap<>();
        all.put("small", bench.isSmall());
        all.put("machine", machine);
        all.put("loadAtEnd", first("/proc/loadavg", ".*"));
        all.put("rows", table);
        all.put("notMeasured", failed);
        all.put("profiles", bench.profiles());
        Files.createDirectories(folder);
        Path out = folder.resolve("bench.json");
        new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT).writeValue(out.toFile(), all);
        Files.writeString(folder.resolve("bench.md"), markdown());
        OUT.println("Written to " + out + " and bench.md beside it");
    }

    /// The table as Markdown, for the documentation.
    private String markdown() {
        StringBuilder text =
                new StringBuilder("| what | unit | Holdfast (range) | compiling | yardstick | ratio | promise |\n"
                        + "|---|---|---|---|---|---|---|\n");
        for (Row row : rows) {
            text.append("| ")
                    .append(row.name())
                    .append(row.quiet() ? " * | " : " | ")
                    .append(row.unit())
                    .append(" | ")
                    .append(row.ours().text())
                    .append(
                            row.ours().range().isEmpty()
                                    ? ""
                                    : " (" + row.ours().range() + ")")
                    .append(" | ")
                    .append(row.details().get("compiler") instanceof Spread compiler ? compiler.text() : "")
                    .append(" | ")
                    .append(row.beside().isEmpty() ? "" : row.yardstick().text() + " " + row.beside())
                    .append(" | ")
                    .append(row.ratio())
                    .append(" | ")
                    .append(row.verdict())
                    .append(" |\n");
        }
        failed.forEach(row -> text.append("| NOT MEASURED: ").append(row).append(" | | | | | | |\n"));
        return text.toString();
    }

    private static Map<String, Object> machine() {
        Map<String, Object> machine = new LinkedHashMap<>();
        machine.put("at", Instant.now().truncatedTo(ChronoUnit.SECONDS).toString());
        machine.put("processors", Runtime.getRuntime().availableProcessors());
        machine.put("processor", first("/proc/cpuinfo", "model name\\s*: (.*)"));
        machine.put("memory", first("/proc/meminfo", "MemTotal: *(.*)"));
        machine.put("kernel", first("/proc/sys/kernel/osrelease", "(.*)"));
        machine.put("java", Runtime.version().toString());
        machine.put("openssl", version("openssl", "version"));
        machine.put("nginx", version("nginx", "-v"));
        machine.put("mosquitto", version("mosquitto", "-h"));
        machine.put("loadAtStart", first("/proc/loadavg", "(.*)"));
        return machine;
    }

    private static String version(String program, String argument) {
        RealClient.Result said = RealClient.of(program, argument).run();
        return (said.text() + said.errors()).lines().findFirst().orElse("");
    }

    private static String first(String file, String pattern) {
        try {
            Matcher found = Pattern.compile(pattern).matcher(Files.readString(Path.of(file)));
            return found.find() ? found.group(found.groupCount()).strip() : "";
        } catch (IOException e) {
            return "";
        }
    }
}
