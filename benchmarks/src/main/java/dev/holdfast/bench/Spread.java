package dev.holdfast.bench;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// The same thing measured several times: the median counts, and how far the others lie from it says how far to trust
/// it.
record Spread(double median, double least, double most) {
    static final Spread NONE = new Spread(Double.NaN, Double.NaN, Double.NaN);

    static Spread of(List<Double> values) {
        double[] sorted = values.stream().mapToDouble(v -> v).sorted().toArray();
        return new Spread(quantile(sorted, 0.5), sorted[0], sorted[sorted.length - 1]);
    }

    static Spread once(double value) {
        return new Spread(value, value, value);
    }

    /// @param sorted ascending, not empty
    static double quantile(double[] sorted, double share) {
        double at = share * (sorted.length - 1);
        int below = (int) at;
        int above = Math.min(sorted.length - 1, below + 1);
        return sorted[below] + (sorted[above] - sorted[below]) * (at - below);
    }

    static Map<String, Double> distribution(List<Double> values) {
        double[] sorted = values.stream().mapToDouble(v -> v).toArray();
        Arrays.sort(sorted);
        return Map.of(
                "min", sorted[0],
                "p50", quantile(sorted, 0.5),
                "p90", quantile(sorted, 0.9),
                "p99", quantile(sorted, 0.99),
                "max", sorted[sorted.length - 1]);
    }

    boolean isKnown() {
        return !Double.isNaN(median);
    }

    String text() {
        return isKnown() ? figure(median) : "-";
    }

    String range() {
        return isKnown() && least < most ? figure(least) + ".." + figure(most) : "";
    }

    static String figure(double value) {
        return String.format(
                Locale.ROOT, Math.abs(value) >= 1_000 ? "%,.0f" : Math.abs(value) >= 20 ? "%.0f" : "%.2f", value);
    }
}
