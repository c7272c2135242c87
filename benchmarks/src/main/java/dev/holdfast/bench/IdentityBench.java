package dev.holdfast.bench;

import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// The group `identity` of measurements: each part prepares what it needs and cleans up after itself, so
/// that any can be run alone. Another one is another line here.
final class IdentityBench {
    static final String NAME = "identity";

    /// In the order in which they run.
    private static final Map<String, Part> PARTS = new LinkedHashMap<>();

    static {
        PARTS.put("issuance", IdentityBench::issuance);
        PARTS.put("re-key", RekeyRows::measure);
        PARTS.put("revocation", RevocationRows::measure);
        PARTS.put("revoke-cut", RevokeCutRows::measure);
    }

    private IdentityBench() {}

    @FunctionalInterface
    interface Part {
        List<Row> measure(Bench bench) throws IOException;
    }

    private static List<Row> issuance(Bench bench) throws IOException {
        Fleet fleet = BenchMain.prepare(
                bench, "issuance", new FleetMain.Sizes(bench.size(100, 10), 0, bench.size(20_000, 60), 0));
        try (ServerProcess server = ServerProcess.start(bench.home(), fleet.data())) {
            return EnrolmentRow.identity(
                    EnrolmentRow.measure(bench, fleet, server).getFirst());
        }
    }

    static List<String> parts() {
        return List.copyOf(PARTS.keySet());
    }

    /// @param wanted names of parts; all when empty
    static void measure(Bench bench, List<String> wanted, Report report) {
        PARTS.forEach((name, part) -> {
            if (wanted.isEmpty() || wanted.contains(name)) {
                report.add(name, () -> part.measure(bench));
            }
        });
    }
}
