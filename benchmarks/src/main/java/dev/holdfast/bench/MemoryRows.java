package dev.holdfast.bench;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// Resident memory with so many connected meters that each have sent a measurement and are silent now, at two
/// sizes: the slope is what one more costs, whatever a connection, a session and a history take; and how much of
/// that is live in the Java heap, so that the rest is native memory and what the heap has grown by.
final class MemoryRows {
    private static final int VALUES = 5;

    private MemoryRows() {}

    private record Level(long resident, long withDatabase, long heap) {
        /// Looks at what is resident before it collects.
        static Level of(ServerProcess server) {
            long resident = CpuMeter.resident(server.handle());
            return new Level(resident, server.memory(), server.heap());
        }
    }

    static List<Row> measure(Bench bench, Fleet fleet, ServerProcess server) throws IOException {
        List<Meter> all = fleet.meters(bench.size(19_000, 190));
        int fewer = bench.size(2_000, 20);
        List<Meter> first = all.subList(0, fewer);
        List<Meter> rest = all.subList(fewer, all.size());
        Level idle = Level.of(server);
        try (TlsRows.Open a = connect(fleet, server, first)) {
            Load.pause(bench.size(7_000, 500));
            Level raw = Level.of(server);
            bench.say("memory: " + a.lines().size() + " connected, " + raw.resident() / 1_000_000 + " MB");
            try (TlsRows.Open b = connect(fleet, server, rest)) {
                Load.pause(bench.size(7_000, 500));
                Level rawMore = Level.of(server);
                Duration before = CpuMeter.family(server.handle());
                Load.pause(bench.size(10_000, 500));
                double idleCpu =
                        CpuMeter.family(server.handle()).minus(before).toMillis() / (bench.size(100, 5) / 10.0);
                bench.say("memory: " + (fewer + b.lines().size()) + " connected, " + rawMore.resident() / 1_000_000
                        + " MB");
                Map<String, Object> details = new TreeMap<>(Map.of(
                        "idle", idle,
                        "fewer", raw,
                        "more", rawMore,
                        "idleCpuMillisPerSecond", idleCpu,
                        "valuesOfEach", VALUES));
                double heap = (rawMore.heap() - raw.heap()) / 1e3 / rest.size();
                double rawSlope = (rawMore.resident() - raw.resident()) / 1e3 / rest.size();
                return List.of(
                        row("RSS of the server at " + fewer + " connected meters", "MB", raw.resident() / 1e6, details),
                        row(
                                "RSS of the server at " + all.size() + " connected meters",
                                "MB",
                                rawMore.resident() / 1e6,
                                details),
                        new Row(
                                "memory",
                                "RSS for each connected idle meter (slope)",
                                "KB",
                                Spread.once(rawSlope),
                                "",
                                Spread.NONE,
                                Row.Promise.atMost(20, Spread.once(rawSlope)),
                                false,
                                details),
                        row("of which live in the Java heap", "KB", heap, details),
                        row("CPU with " + all.size() + " idle meters, PostgreSQL included", "ms/s", idleCpu, details));
            }
        }
    }

    private static Row row(String name, String unit, double value, Map<String, Object> details) {
        return new Row("memory", name, unit, Spread.once(value), "", Spread.NONE, Optional.empty(), false, details);
    }

    private static TlsRows.Open connect(Fleet fleet, ServerProcess server, List<Meter> meters) throws IOException {
        return TlsRows.Open.all(meters, meter -> {
            DeviceConnection session = meter.mqtt(fleet, server.port("MQTT"));
            meter.report(session, VALUES);
            return session;
        });
    }
}
