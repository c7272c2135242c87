package dev.holdfast.bench;

import dev.holdfast.database.Database;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/// From the request to revoke a certificate to the last message that the server accepted on its live
/// session, with nineteen thousand sessions connected; entered on the node that has the session, and on
/// another one.
final class RevokeCutRows {
    private RevokeCutRows() {}

    static List<Row> measure(Bench bench) throws IOException {
        int sessions = bench.size(19_000, 190);
        int victims = bench.size(100, 3);
        int warm = bench.size(10, 2); // the first requests of a fresh server are compiled and load classes
        Fleet fleet = BenchMain.prepare(bench, "revoke-cut", new FleetMain.Sizes(sessions, 0, 0, 0));
        try (ServerProcess first = ServerProcess.start(bench.home(), fleet.data());
                ServerProcess second = secondNode(bench, fleet);
                ApiCaller api = new ApiCaller(fleet.data())) {
            List<Meter> talking = fleet.meters(2 * (victims + warm));
            List<Meter> others = fleet.meters(sessions).subList(2 * (victims + warm), sessions);
            try (TlsRows.Open idle = TlsRows.Open.all(others, meter -> {
                DeviceConnection session = meter.mqtt(fleet, first.port("MQTT"));
                meter.report(session, 1);
                return session;
            })) {
                bench.say(idle.lines().size() + " sessions connected");
                Load.pause(bench.size(20_000, 500)); // their first connection is on record by then
                List<Double> same = new ArrayList<>();
                List<Double> other = new ArrayList<>();
                for (int i = 0; i < warm + victims; i++) {
                    double bySame = cut(fleet, talking.get(2 * i), first, first, api);
                    double byOther = cut(fleet, talking.get(2 * i + 1), first, second, api);
                    if (i >= warm) {
                        same.add(bySame);
                        other.add(byOther);
                    }
                }
                return List.of(
                        row(bench, "entered on the same node", sessions, same),
                        row(bench, "entered on another node", sessions, other));
            }
        }
    }

    private static Row row(Bench bench, String where, int sessions, List<Double> millis) {
        Map<String, Double> distribution = Spread.distribution(millis);
        double p99 = distribution.getOrDefault("p99", Double.NaN);
        bench.say("revoke -> last accepted, " + where + ": " + distribution);
        return new Row(
                "revoke-cut",
                "revoke -> last message accepted, " + where + ", " + sessions + " sessions (p99 of " + millis.size()
                        + ")",
                "ms",
                new Spread(
                        p99,
                        distribution.getOrDefault("min", Double.NaN),
                        distribution.getOrDefault("max", Double.NaN)),
                "",
                Spread.NONE,
                Optional.of(new Row.Promise("p99 <= 100", p99 <= 100)),
                true,
                Map.of("milliseconds", distribution));
    }

    /// @return milliseconds from the request to the last acknowledgement
    private static double cut(Fleet fleet, Meter meter, ServerProcess connected, ServerProcess entered, ApiCaller api)
            throws IOException {
        try (DeviceConnection session = meter.mqtt(fleet, connected.port("MQTT"))) {
            meter.measure(session, 3, 1);
            Load.pause(150); // its first use is on record
            long[] lastAccepted = {System.nanoTime()};
            Thread talker = Thread.ofPlatform().start(() -> {
                try {
                    while (true) {
                        meter.measure(session, 1, 1);
                        lastAccepted[0] = System.nanoTime();
                        Load.pause(1);
                    }
                } catch (IOException cut) {
                    // as intended
                }
            });
            Load.pause(20);
            long act = System.nanoTime();
            api.revoke(entered, meter);
            session.awaitEnd();
            talker.join();
            return Math.max(0, lastAccepted[0] - act) / 1e6;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException(e);
        }
    }

    /// Another node of the same installation: its database, and the keys of its authorities, copied as an
    /// operator would.
    private static ServerProcess secondNode(Bench bench, Fleet fleet) throws IOException {
        Path data = fleet.folder().resolve("second");
        copy(fleet.data().resolve("ca"), data.resolve("ca"));
        Database.Address address;
        try (Database database = RevocationFill.open(fleet.data())) {
            address = database.address();
        }
        return ServerProcess.start(
                bench.home(),
                data,
                Map.of(
                        "HOLDFAST_DATABASE_URL", address.url(),
                        "HOLDFAST_DATABASE_USER", address.user(),
                        "HOLDFAST_DATABASE_PASSWORD_FILE",
                                fleet.data()
                                        .resolve("secrets/postgres-password")
                                        .toString()));
    }

    private static void copy(Path from, Path to) throws IOException {
        Files.createDirectories(to);
        try (Stream<Path> files = Files.list(from)) {
            for (Path file : files.toList()) {
                Files.copy(file, to.resolve(file.getFileName()), StandardCopyOption.COPY_ATTRIBUTES);
            }
        }
    }
}
