package dev.holdfast.bench;

import dev.holdfast.ca.ListName;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// What status and lists cost with nobody revoked, a hundred thousand, and a million: it should be the same.
final class RevocationRows {
    private static final int AT_ONCE = 16;
    private static final int PASSES = 20;
    private static final String ID = "revocation";

    private final Bench bench;
    private final Fleet fleet;
    private final List<Row> rows = new ArrayList<>();
    private final List<OcspRow.Question> plain;
    private final List<OcspRow.Question> withNonce;
    private int nextVictim;
    private long emptyHeap;
    private final Map<String, Double> withNobody = new HashMap<>();

    private RevocationRows(Bench bench, Fleet fleet) throws IOException {
        this.bench = bench;
        this.fleet = fleet;
        var asked = fleet.meters(bench.size(2_000, 40)).stream()
                .map(meter -> meter.certificate().getSerialNumber())
                .toList();
        plain = OcspRow.questions(fleet.issuer(), asked, false);
        withNonce = OcspRow.questions(fleet.issuer(), asked, true);
    }

    static List<Row> measure(Bench bench) throws IOException {
        Fleet fleet = BenchMain.prepare(bench, "revocation", new FleetMain.Sizes(bench.size(2_600, 100), 0, 0, 0));
        RevocationRows all = new RevocationRows(bench, fleet);
        int filled = 0;
        for (int revoked : List.of(0, bench.size(100_000, 1_000), bench.size(1_000_000, 5_000))) {
            if (revoked > filled) {
                try (ServerProcess server = ServerProcess.start(bench.home(), fleet.data())) {
                    bench.say("filling in " + revoked + " revoked certificates; the server started after "
                            + server.startTime().toMillis() + " ms");
                    RevocationFill.fill(fleet.data(), filled, revoked);
                }
                filled = revoked;
            }
            try (ServerProcess server = ServerProcess.start(bench.home(), fleet.data())) {
                all.measure(server, revoked);
            }
        }
        return all.rows;
    }

    private void measure(ServerProcess server, int revoked) throws IOException {
        String with = " with " + String.format(java.util.Locale.ROOT, "%,d", revoked) + " revoked";
        add("serve: restart" + with, "s", server.startTime().toMillis() / 1e3, Optional.empty(), true);
        long heap = server.heap();
        if (revoked == 0) {
            emptyHeap = heap;
        } else {
            double each = (heap - emptyHeap) / (double) revoked;
            add(
                    "memory: heap for each certificate" + with,
                    "bytes",
                    each,
                    Row.Promise.atMost(100, Spread.once(each)),
                    false);
        }
        // What a server makes after its start, on the schedule, is no part of the answers measured next.
        try (ApiCaller api = new ApiCaller(fleet.data())) {
            api.list(server, new ListName(part(fleet.meters(1).getFirst()).authority(), 0, false).file());
        }
        bench.settle(server);
        ocsp(server, with, revoked);
        lists(server, with);
    }

    private void ocsp(ServerProcess server, String with, int revoked) throws IOException {
        List<DeviceConnection> kept = new ArrayList<>();
        for (int i = 0; i < AT_ONCE; i++) {
            kept.add(DeviceConnection.plain(i, server.port("PKI")));
        }
        int times = bench.size(5, 1); // the kernel counts in hundredths of a second
        Bench.Cost cached =
                bench.compare("ocsp" + revoked, server, Duration.ZERO, _ -> onKept(kept, plain, times), null);
        Bench.Cost signed =
                bench.compare("ocsp-nonce" + revoked, server, Duration.ZERO, _ -> onKept(kept, withNonce, times), null);
        kept.forEach(DeviceConnection::close);
        Bench.Cost alone = bench.compare(
                "ocsp-new" + revoked,
                server,
                Duration.ZERO,
                _ -> Load.each(plain, AT_ONCE, question -> OcspRow.alone(question, server.port("PKI"))),
                null);
        rows.add(Bench.row(
                ID, "OCSP, connection kept" + with, cached, "", Row.Promise.atMost(100, cached.total()), plain.size()));
        rows.add(Bench.row(
                ID,
                "OCSP with a nonce (each signed), kept" + with,
                signed,
                "",
                Row.Promise.atMost(100, signed.total()),
                plain.size()));
        rows.add(Bench.row(ID, "OCSP, new connection" + with, alone, "", Optional.empty(), plain.size()));
        // Of the figures above, what the answers themselves cost: the rest is what a server does at any time.
        flat("OCSP, the answering threads alone", with, "us CPU", false, cached.loops());
        flat("OCSP with a nonce, the answering threads alone", with, "us CPU", false, signed.loops());
        flat("OCSP, from question to answer, one at a time, processors awake", with, "us", true, oneAtATime(server));
    }

    /// @param quiet whether it depends on wall time
    private void flat(String what, String with, String unit, boolean quiet, Spread measured) {
        double base = withNobody.computeIfAbsent(what, _ -> measured.median());
        boolean kept = measured.median() <= 1.25 * base + 2;
        rows.add(new Row(
                ID,
                what + with,
                unit,
                measured,
                "",
                Spread.NONE,
                Optional.of(new Row.Promise("flat", kept)),
                quiet,
                Map.of()));
        bench.say(what + with + ": " + measured.text() + " " + unit);
    }

    /// With the processors kept awake (see [Awake]), each time over a connection of its own: which event loop serves
    /// it, and on which processor, is chance, and is worth more than what is measured.
    ///
    /// @return of the medians of the passes
    private Spread oneAtATime(ServerProcess server) throws IOException {
        List<Double> medians = new ArrayList<>();
        try (Awake _ = Awake.begin()) {
            for (int pass = 0; pass < bench.size(PASSES, 1); pass++) {
                medians.add(onePass(server, pass));
            }
        }
        return Spread.of(medians);
    }

    private double onePass(ServerProcess server, int pass) throws IOException {
        double[] micros = new double[plain.size()];
        try (DeviceConnection line = DeviceConnection.plain(AT_ONCE + pass, server.port("PKI"))) {
            for (int i = 0; i < micros.length; i++) {
                long begun = System.nanoTime();
                OcspRow.ask(line, plain.get(i));
                micros[i] = (System.nanoTime() - begun) / 1e3;
            }
        }
        java.util.Arrays.sort(micros);
        return Spread.quantile(micros, 0.5);
    }

    private static int onKept(List<DeviceConnection> kept, List<OcspRow.Question> questions, int times)
            throws IOException {
        return Load.each(kept, AT_ONCE, line -> {
            int done = 0;
            for (int time = 0; time < times; time++) {
                for (int i = kept.indexOf(line); i < questions.size(); i += AT_ONCE) {
                    done += OcspRow.ask(line, questions.get(i));
                }
            }
            return done;
        });
    }

    /// One revocation after another, each until it is in the list of its part and in the delta.
    private void lists(ServerProcess server, String with) throws IOException {
        int count = bench.size(180, 6);
        List<Meter> victims = fleet.meters(bench.size(2_000, 40) + nextVictim + count)
                .subList(bench.size(2_000, 40) + nextVictim, bench.size(2_000, 40) + nextVictim + count);
        nextVictim += count;
        try (ApiCaller api = new ApiCaller(fleet.data())) {
            ListName part = part(victims.getFirst());
            api.list(server, part.file());
            api.list(server, part.toDelta().file());
            // The first ones of a fresh server are compiled and load classes.
            for (Meter victim : victims.subList(0, count / 3)) {
                api.revoke(server, victim);
            }
            Duration before = CpuMeter.family(server.handle()).minus(CpuMeter.compiler(server.handle()));
            for (Meter victim : victims.subList(count / 3, count)) {
                api.revoke(server, victim);
            }
            double each = Bench.micros(
                    CpuMeter.family(server.handle())
                            .minus(CpuMeter.compiler(server.handle()))
                            .minus(before),
                    count - count / 3);
            add("one revocation, over the API, durable" + with, "us CPU", each, Optional.empty(), false);
            timed(server, api, part, "the list of a part" + with);
            timed(server, api, part.toDelta(), "the delta to it" + with);
            timed(server, api, new ListName(part.authority(), 0, true), "the delta to everything" + with);
            timed(server, api, new ListName(part.authority(), 0, false), "everything (on the schedule)" + with);
        }
    }

    private void timed(ServerProcess server, ApiCaller api, ListName name, String what) throws IOException {
        List<Double> millis = new ArrayList<>();
        int octets = 0;
        for (int i = 0; i < 5; i++) {
            long begun = System.nanoTime();
            octets = api.list(server, name.file()).length;
            millis.add((System.nanoTime() - begun) / 1e6);
        }
        rows.add(new Row(
                ID,
                "CRL: " + what,
                "ms",
                Spread.of(millis),
                "",
                Spread.NONE,
                Optional.empty(),
                true,
                Map.of("octets", octets, "firstMillis", millis.getFirst())));
        bench.say(what + ": " + octets + " octets, first " + Spread.figure(millis.getFirst()) + " ms");
    }

    private static ListName part(Meter meter) {
        String points = new String(meter.certificate().getExtensionValue("2.5.29.31"), StandardCharsets.ISO_8859_1);
        return ListName.parse(points.substring(points.lastIndexOf('/') + 1)).orElseThrow();
    }

    private void add(String name, String unit, double value, Optional<Row.Promise> promise, boolean quiet) {
        rows.add(new Row(ID, name, unit, Spread.once(value), "", Spread.NONE, promise, quiet, Map.of()));
        bench.say(name + ": " + Spread.figure(value) + " " + unit);
    }
}
