package dev.holdfast.telemetry;

import dev.holdfast.core.Actor;
import dev.holdfast.core.Environment;
import dev.holdfast.journal.Entry;
import java.time.Instant;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// What an import of history must be, and what the journal says of it.
final class HistoryImport {
    private static final int MOST_POINTS = 20_000;

    private HistoryImport() {}

    /// @return the points in the order of their times
    static List<Telemetry.Imported> checked(Environment environment, List<Telemetry.Imported> points, Instant now) {
        if (points.size() > MOST_POINTS) {
            throw new IllegalArgumentException("an import has at most " + MOST_POINTS + " points at once");
        }
        for (int i = 0; i < points.size(); i++) {
            Telemetry.Imported point = points.get(i);
            String which = "point " + i + " of " + point.device() + ": ";
            if (!point.device().environment().equals(environment)) {
                throw new IllegalArgumentException(which + "not of environment " + environment);
            }
            if (point.at().isAfter(now)) {
                throw new IllegalArgumentException(which + "its time " + point.at() + " is in the future");
            }
            Metrics.check(which, point.values());
        }
        return points.stream()
                .sorted(Comparator.comparing(Telemetry.Imported::at))
                .toList();
    }

    static Collection<Rollup> minutes(List<Telemetry.Imported> points) {
        Map<Rollup.Key, Rollup> minutes = new HashMap<>();
        for (Telemetry.Imported point : points) {
            long bucket = RollupBuffer.bucket(point.at(), RollupBuffer.MINUTE);
            point.values()
                    .forEach((metric, value) -> minutes.computeIfAbsent(
                                    new Rollup.Key(point.device(), metric, bucket), Rollup::new)
                            .add(value, point.at()));
        }
        return minutes.values();
    }

    static Entry entry(Environment environment, List<Telemetry.Imported> points, String reason, Actor actor) {
        return new Entry(
                "telemetry.history-imported",
                environment,
                "environment:" + environment,
                actor,
                reason,
                Map.of(
                        "points",
                        points.size(),
                        "devices",
                        points.stream()
                                .map(Telemetry.Imported::device)
                                .distinct()
                                .count(),
                        "from",
                        points.getFirst().at().toString(),
                        "to",
                        points.getLast().at().toString()));
    }
}
