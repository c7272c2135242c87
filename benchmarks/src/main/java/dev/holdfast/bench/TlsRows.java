package dev.holdfast.bench;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/// Handshakes and polls of devices with a certificate each, beside nginx with the same certificates.
final class TlsRows {
    private static final int AT_ONCE = 32;
    private static final String FILE = "/poll";

    private TlsRows() {}

    /// A full mutual handshake and one answer on it, over HTTPS; then the same as an MQTT session.
    static List<Row> handshakes(Bench bench, Fleet fleet, ServerProcess server) throws IOException {
        List<Meter> meters = fleet.meters(bench.size(3_000, 40));
        int https = server.port("DEVICE");
        int mqtt = server.port("MQTT");
        try (Yardstick nginx = Yardstick.nginx(fleet.folder(), bench.work().resolve("nginx"), FILE)) {
            Bench.Beside beside = new Bench.Beside(
                    nginx.process(),
                    _ -> Load.each(meters, AT_ONCE, meter -> once(fleet, meter, nginx.port(), FILE, 200)));
            Bench.Cost bare = bench.compare(
                    "handshake",
                    server,
                    Duration.ZERO,
                    _ -> Load.each(meters, AT_ONCE, meter -> once(fleet, meter, https, "/nowhere", 404)),
                    beside);
            Bench.Cost reconnect = bench.compare(
                    "reconnect",
                    server,
                    Duration.ofMillis(500),
                    _ -> Load.each(meters, AT_ONCE, meter -> {
                        meter.mqtt(fleet, mqtt).close();
                        return 1;
                    }),
                    null);
            Bench.Cost withYardstick = reconnect.beside(bare.yardstick(), bare.yardstickWall());
            String theirs = "nginx: handshake, static GET";
            return List.of(
                    Bench.row(
                            "handshake",
                            "mutual TLS 1.3, full handshake (HTTPS, one 404)",
                            bare,
                            theirs,
                            Row.Promise.ratioAtMost(1 / 1.2, bare.total(), bare.yardstick()),
                            meters.size()),
                    Bench.row(
                            "reconnect",
                            "MQTT reconnect (full handshake, CONNECT, admission, session)",
                            withYardstick,
                            theirs,
                            java.util.Optional.empty(),
                            meters.size()));
        }
    }

    private static int once(Fleet fleet, Meter meter, int port, String path, int status) throws IOException {
        try (DeviceConnection connection = DeviceConnection.mutual(fleet, meter, port)) {
            return Load.get(connection, path, status);
        }
    }

    /// Polls on connections that stay open; the handshakes are made before anything is counted.
    static List<Row> polls(Bench bench, Fleet fleet, ServerProcess server) throws IOException {
        List<Meter> meters = fleet.meters(bench.size(1_500, 40));
        int each = 20; // five rounds of it are within the burst that one connection is allowed
        try (Yardstick nginx = Yardstick.nginx(fleet.folder(), bench.work().resolve("nginx"), FILE);
                Open ours = Open.all(fleet, meters, server.port("DEVICE"));
                Open theirs = Open.all(fleet, meters, nginx.port())) {
            Bench.Cost cost = bench.compare(
                    "poll",
                    server,
                    Duration.ofMillis(500),
                    _ -> Load.each(
                            ours.lines(),
                            AT_ONCE,
                            line -> polls(
                                    line,
                                    "/DEFAULT/controller/v1/" + line.meter().id(),
                                    each)),
                    new Bench.Beside(
                            nginx.process(), _ -> Load.each(theirs.lines(), AT_ONCE, line -> polls(line, FILE, each))));
            return List.of(Bench.row(
                    "poll",
                    "DDI poll, connection kept alive",
                    cost,
                    "nginx: static file, mutual TLS",
                    Row.Promise.atMost(40, cost.total()),
                    meters.size() * each));
        }
    }

    private static int polls(Open.Line line, String path, int times) throws IOException {
        for (int i = 0; i < times; i++) {
            Load.get(line.connection(), path, 200);
        }
        return times;
    }

    /// Connections that stay open for several rounds.
    record Open(List<Line> lines) implements AutoCloseable {
        record Line(Meter meter, DeviceConnection connection) {}

        static Open all(Fleet fleet, List<Meter> meters, int port) throws IOException {
            return all(meters, meter -> DeviceConnection.mutual(fleet, meter, port));
        }

        static Open all(List<Meter> meters, Dial dial) throws IOException {
            List<Line> lines = java.util.Collections.synchronizedList(new ArrayList<>());
            Load.each(meters, AT_ONCE, meter -> {
                lines.add(new Line(meter, dial.connect(meter)));
                return 1;
            });
            return new Open(List.copyOf(lines));
        }

        interface Dial {
            DeviceConnection connect(Meter meter) throws IOException;
        }

        @Override
        public void close() {
            lines.forEach(line -> line.connection().close());
        }
    }
}
