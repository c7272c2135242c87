package dev.holdfast.detection;

import dev.holdfast.detection.Baseline.Draft;
import dev.holdfast.detection.Finding.Cause;
import dev.holdfast.detection.Finding.Severity;
import dev.holdfast.inventory.Model;
import dev.holdfast.telemetry.Observation;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Measurements against the model's band and the device's own history.
final class MetricDetector {
    /// Distance, in spreads, from which a sample counts against the device at all.
    private static final double SLACK = 4;
    /// Suspicion at which it is a finding: never one sample alone, however far out.
    static final double SUSPICIOUS = 9;

    private static final double MOST_OF_ONE_SAMPLE = 8;
    private static final double MOST = 18;
    private static final double DRIFTED = 4;

    private MetricDetector() {}

    static void learnImported(Draft draft, Expectation expectation, Observation.Measurement m) {
        long at = m.measuredAt().getEpochSecond();
        m.values().forEach((metric, value) -> {
            Model.Band band = expectation.bands.get(metric);
            int place = isWatched(expectation, metric) && isPossible(band, value) ? draft.place(metric) : -1;
            if (place >= 0) {
                draft.setHistory(
                        place,
                        draft.history[place].learn(at, value, true, expectation.interval.toSeconds(), width(band)));
            }
        });
    }

    static void judge(Detector.Work work, Expectation expectation, Observation.Measurement m) {
        long at = m.measuredAt().getEpochSecond();
        boolean healthy = true;
        double worst = 0;
        String worstExpected = "";
        String worstSeen = "";
        boolean calm = true;
        for (Map.Entry<String, Double> entry : m.values().entrySet()) {
            String metric = entry.getKey();
            double value = entry.getValue();
            Model.Band band = expectation.bands.get(metric);
            if (!isPossible(band, value)) {
                healthy = false;
                impossible(work, m, metric, value, band);
                continue;
            }
            int place = isWatched(expectation, metric) ? work.draft.place(metric) : -1;
            if (place < 0) {
                continue;
            }
            Seasonal history = work.draft.history[place];
            double width = width(band);
            double distance = history.distance(at, value, width);
            double drift = history.drift();
            double suspicion = suspicion(history.suspicion, Math.max(Math.abs(distance), drifted(drift)));
            if (suspicion > worst) {
                worst = suspicion;
                if (worst >= SUSPICIOUS) { // nobody reads it otherwise, and a suspicion below that is no rare thing
                    worstExpected = expected(history, at, metric, width);
                    worstSeen = drifted(drift) > Math.abs(distance)
                            ? number(metric, value) + ": its usual level has crept " + Math.round(drift)
                                    + " spreads away"
                            : number(metric, value) + ", " + Math.round(Math.abs(distance)) + " spreads away";
                }
            }
            calm &= suspicion == 0;
            healthy &= suspicion < SUSPICIOUS && Math.abs(distance) < SLACK;
            work.draft.setHistory(
                    place,
                    history.learn(at, value, false, expectation.interval.toSeconds(), width)
                            .withSuspicion(suspicion));
        }
        if (healthy && !m.values().isEmpty()) {
            work.draft.healthyAt = work.now;
        } else if (!healthy) {
            work.draft.unhealthyAt = work.now;
        }
        if (worst >= SUSPICIOUS) {
            work.raise(
                    Cause.TELEMETRY_OUT_OF_HISTORY,
                    worst >= MOST ? Severity.MEDIUM : Severity.LOW,
                    m.provenance(),
                    worst / MOST,
                    work.now,
                    worstExpected,
                    worstSeen);
        } else if (calm) {
            work.ended(Cause.TELEMETRY_OUT_OF_HISTORY);
        }
    }

    private static double suspicion(double before, double distance) {
        return Math.clamp(before + Math.min(distance, SLACK + MOST_OF_ONE_SAMPLE) - SLACK, 0, MOST);
    }

    /// A crept level is judged like a distance, beyond what a season may do.
    private static double drifted(double drift) {
        return Math.abs(drift) > DRIFTED ? Math.abs(drift) + 1 : 0;
    }

    private static void impossible(
            Detector.Work work, Observation.Measurement m, String metric, double value, Model.@Nullable Band band) {
        work.draft.impossible = work.draft.impossible.plus(work.now, 60 * 60_000L);
        work.raise(
                Cause.TELEMETRY_IMPOSSIBLE,
                work.draft.impossible.count() > 1 ? Severity.MEDIUM : Severity.LOW,
                m.provenance(),
                0.9,
                work.draft.impossible.since(),
                band == null
                        ? "a finite number"
                        : Detector.shown(metric, 40) + " between " + band.min() + " and " + band.max() + " "
                                + Detector.shown(band.unit(), 12),
                number(metric, value));
    }

    private static String expected(Seasonal history, long at, String metric, double width) {
        int hour = Seasonal.hour(at);
        double reach = SLACK * history.spread(hour, width);
        return Detector.shown(metric, 40) + " between " + figure(history.mean(hour) - reach) + " and "
                + figure(history.mean(hour) + reach) + " at this hour, by its own history";
    }

    private static String number(String metric, double value) {
        return Detector.shown(metric, 40) + " = " + figure(value);
    }

    private static String figure(double value) {
        return String.format(Locale.ROOT, "%.4g", value);
    }

    /// A model that states bands says which metrics matter; what else the device sends takes no memory.
    private static boolean isWatched(Expectation expectation, String metric) {
        return expectation.bands.isEmpty() || expectation.bands.containsKey(metric);
    }

    private static boolean isPossible(Model.@Nullable Band band, double value) {
        return Double.isFinite(value) && (band == null || (value >= band.min() && value <= band.max()));
    }

    private static double width(Model.@Nullable Band band) {
        return band == null ? 0 : Math.min(band.max() - band.min(), 1e6);
    }
}
