package dev.holdfast.bench;

import dev.holdfast.testkit.RealClient;
import dev.holdfast.testkit.RunningClient;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// How long a person waits: from the command to the server's being ready, and to the demo's first page.
final class StartRows {
    private static final Pattern CONSOLE = Pattern.compile("The console is on (http://\\S+) after");

    private StartRows() {}

    static List<Row> serve(Bench bench) throws IOException {
        Path data = bench.work().resolve("start");
        Files.createDirectories(data);
        Files.setPosixFilePermissions(data, PosixFilePermissions.fromString("rwxr-xr-x"));
        double first;
        try (ServerProcess server = ServerProcess.start(bench.home(), data.resolve("data"))) {
            first = seconds(server.startTime());
        }
        List<Double> again = new ArrayList<>();
        List<Double> memory = new ArrayList<>();
        for (int i = 0; i < bench.rounds(); i++) {
            try (ServerProcess server = ServerProcess.start(bench.home(), data.resolve("data"))) {
                again.add(seconds(server.startTime()));
                Load.pause(bench.size(5_000, 200));
                memory.add(server.memory() / 1e6);
            }
        }
        Spread restart = Spread.of(again);
        Spread idle = Spread.of(memory);
        bench.say("start: first " + Spread.figure(first) + " s, restart " + restart.text() + " s");
        return List.of(
                row("serve: first start, from the command to ready", "s", Spread.once(first), Optional.empty()),
                row("serve: restart", "s", restart, Row.Promise.atMost(3, restart)),
                new Row(
                        "start",
                        "serve: idle memory, PostgreSQL included",
                        "MB",
                        idle,
                        "",
                        Spread.NONE,
                        Row.Promise.atMost(600, idle),
                        false,
                        Map.of()));
    }

    private static Row row(String name, String unit, Spread value, Optional<Row.Promise> promise) {
        return new Row("start", name, unit, value, "", Spread.NONE, promise, true, Map.of());
    }

    /// The demo as it is by default: from the command to the console's page.
    static Row demo(Bench bench) throws IOException {
        Spread live = Spread.once(live(bench.home(), Duration.ofMinutes(3)));
        bench.say("demo: page live after " + live.text() + " s");
        return row("demo: from the command to the live page, built", "s", live, Row.Promise.atMost(15, live));
    }

    /// The same in a fresh clone, where everything has to be built first; what Maven and npm had fetched before is
    /// there.
    static Row unbuilt(Bench bench) throws IOException {
        Path clone = bench.work().resolve("clone");
        RealClient.of("git", "clone", "-q", bench.home().toString(), clone.toString())
                .timeout(Duration.ofMinutes(2))
                .run()
                .succeeded();
        Spread live = Spread.once(live(clone, Duration.ofMinutes(15)));
        bench.say("demo, unbuilt: page live after " + live.text() + " s");
        return row("demo: the same in a fresh clone, building first", "s", live, Optional.empty());
    }

    private static double live(Path home, Duration longest) throws IOException {
        long begun = System.nanoTime();
        RunningClient demo =
                RealClient.of(home.resolve("holdfast").toString(), "demo").start();
        try (HttpClient client = HttpClient.newHttpClient()) {
            Matcher console =
                    CONSOLE.matcher(demo.awaitLine(line -> CONSOLE.matcher(line).find(), longest));
            if (!console.find()) {
                throw new IOException("the demo says no address");
            }
            HttpRequest page =
                    HttpRequest.newBuilder(URI.create(console.group(1))).build();
            HttpResponse<String> answer = client.send(page, HttpResponse.BodyHandlers.ofString());
            if (answer.statusCode() != 200 || !answer.body().contains("<html")) {
                throw new IOException("the demo's page answers " + answer.statusCode());
            }
            return seconds(Duration.ofNanos(System.nanoTime() - begun));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException(e);
        } finally {
            demo.terminate();
            try {
                demo.awaitExit(Duration.ofMinutes(2));
            } finally {
                demo.close();
            }
        }
    }

    private static double seconds(Duration duration) {
        return duration.toMillis() / 1e3;
    }
}
