package dev.holdfast.bench;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/// Enrolment over EST, each on a connection of its own, durable and journalled, beside the sum of its
/// unavoidable cryptography.
final class EnrolmentRow {
    private static final int AT_ONCE = 32;

    private EnrolmentRow() {}

    /// The same measurement against what the issue of identity asks: 1.6 times its unavoidable cryptography.
    static List<Row> identity(Row measured) {
        return List.of(new Row(
                "issuance",
                measured.name(),
                measured.unit(),
                measured.ours(),
                measured.beside(),
                measured.yardstick(),
                Row.Promise.ratioAtMost(1.6, measured.ours(), measured.yardstick()),
                measured.quiet(),
                measured.details()));
    }

    static List<Row> measure(Bench bench, Fleet fleet, ServerProcess server) throws IOException {
        // Whoever enrols a fleet enrols thousands: the first two fifths only warm up.
        int warm = fleet.newcomers().size() * 2 / 5;
        int each = (fleet.newcomers().size() - warm) / (bench.rounds() + 1);
        Bench.Cost cost = bench.compare(
                "enrolment",
                server,
                Duration.ofMillis(500),
                round -> Load.each(
                        round == 0
                                ? fleet.newcomers().subList(0, warm)
                                : fleet.newcomers().subList(warm + (round - 1) * each, warm + round * each),
                        AT_ONCE,
                        newcomer -> newcomer.enrol(fleet, server.port("DEVICE"))),
                null);
        Map<String, Double> crypto = Yardstick.crypto(bench.size(2, 1));
        // The handshake: one signature, one key made (as costly as an agreement), one agreement. The enrolment: the
        // request's proof of possession verified, the certificate signed.
        double floor = 2 * crypto.getOrDefault("sign", Double.NaN)
                + crypto.getOrDefault("verify", Double.NaN)
                + 2 * crypto.getOrDefault("agree", Double.NaN);
        Bench.Cost withFloor = cost.beside(Spread.once(floor), Spread.NONE);
        return List.of(Bench.row(
                "enrolment",
                "EST enrolment: new connection, durable, journalled",
                withFloor,
                "openssl speed: its signatures and key agreement",
                Row.Promise.atMost(1_000, cost.total()),
                each));
    }
}
