package dev.holdfast.bench;

import dev.holdfast.testkit.RealClient;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The first stage of detection, by [DetectionMain].
final class DetectionRow {
    private DetectionRow() {}

    static List<Row> measure(Bench bench, Fleet fleet) throws IOException {
        int devices = bench.size(15_000, 150);
        List<String> lines = java(DetectionMain.class, fleet.data().toString(), "" + devices);
        List<Double> rates = new ArrayList<>();
        double octets = Double.NaN;
        for (String line : lines) {
            if (line.startsWith("RATES ")) {
                Arrays.stream(line.substring(6).split(" ", -1))
                        .map(Double::parseDouble)
                        .forEach(rates::add);
            } else if (line.startsWith("OCTETS ")) {
                octets = Double.parseDouble(line.substring(7));
            }
        }
        if (rates.isEmpty() || Double.isNaN(octets)) {
            throw new IOException("no figures: " + lines);
        }
        Spread rate = Spread.of(rates);
        bench.say("detection: " + rate.text() + " measurements a second");
        return List.of(
                new Row(
                        "detection",
                        "detection, first stage: measurements of 5 values",
                        "per CPU-s",
                        rate,
                        "",
                        Spread.NONE,
                        Row.Promise.atLeast(500_000, rate),
                        false,
                        Map.of("devices", devices)),
                new Row(
                        "detection",
                        "detection: heap for each device with 5 metrics",
                        "bytes",
                        Spread.once(octets),
                        "",
                        Spread.NONE,
                        Row.Promise.atMost(2_048, Spread.once(octets)),
                        false,
                        Map.of()));
    }

    /// Runs one of our main classes to its end, with the flags that `./holdfast` gives the server.
    static List<String> java(Class<?> main, String... arguments) {
        List<String> command = new ArrayList<>(List.of(
                "-XX:+UseCompactObjectHeaders",
                "-XX:+UseSerialGC",
                "-XX:-UsePerfData",
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-Djava.util.logging.config.file="
                        + Optional.ofNullable(System.getProperty("java.util.logging.config.file"))
                                .orElse(""),
                "-cp",
                System.getProperty("java.class.path"),
                main.getName()));
        command.addAll(List.of(arguments));
        return RealClient.of(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        command.toArray(String[]::new))
                .timeout(Duration.ofMinutes(5))
                .run()
                .succeeded()
                .text()
                .lines()
                .toList();
    }
}
