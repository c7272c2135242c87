package dev.holdfast.bench;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/// Measurements by MQTT with QoS 1: parsed, authorised, judged against the device's history, rolled up,
/// acknowledged. Beside mosquitto, which takes them in and has nobody to give them to.
final class MqttRows {
    /// Longer than the server gathers before it writes.
    private static final Duration WRITTEN = Duration.ofMillis(5_500);

    private MqttRows() {}

    static List<Row> measure(Bench bench, Fleet fleet, ServerProcess server) throws IOException {
        // Many devices that each say little, as in life: a device that says more than 120 things a minute is a flood.
        List<Meter> meters = fleet.meters(bench.size(8_000, 60));
        try (Yardstick mosquitto =
                        Yardstick.mosquitto(fleet.folder(), bench.work().resolve("mosquitto"));
                TlsRows.Open ours = TlsRows.Open.all(meters, meter -> meter.mqtt(fleet, server.port("MQTT")));
                TlsRows.Open theirs = TlsRows.Open.all(meters, meter -> meter.mqtt(fleet, mosquitto.port()))) {
            Duration written = bench.isSmall() ? Duration.ofMillis(200) : WRITTEN;
            int many = 19;
            Bench.Cost windows = bench.compare(
                    "mqtt",
                    server,
                    written,
                    _ -> publish(ours, many, many),
                    new Bench.Beside(mosquitto.process(), _ -> publish(theirs, many, many)));
            int few = 4;
            Bench.Cost single = bench.compare(
                    "mqtt-single",
                    server,
                    written,
                    _ -> publish(ours, few, 1),
                    new Bench.Beside(mosquitto.process(), _ -> publish(theirs, few, 1)));
            String theirName = "mosquitto with TLS, bare ingest";
            return List.of(
                    Bench.row(
                            "mqtt",
                            "QoS 1 message: parse, authorise, detect, roll up (19 in flight)",
                            windows,
                            theirName,
                            Row.Promise.atMost(4, windows.total()),
                            meters.size() * many),
                    Bench.row(
                            "mqtt-single",
                            "the same, one message in flight",
                            single,
                            theirName,
                            Optional.empty(),
                            meters.size() * few));
        }
    }

    private static int publish(TlsRows.Open open, int messages, int window) throws IOException {
        return Load.each(open.lines(), 200, line -> line.meter().measure(line.connection(), messages, window));
    }
}
