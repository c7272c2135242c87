package dev.holdfast.response;

import java.time.Duration;

/// How far automatic isolation may go by itself; past this a person is asked.
///
/// @param share of the population, of the environment and of each site alike
/// @param most devices, whatever the population
/// @param window in which they are counted
public record Limits(double share, int most, Duration window) {
    public static final Limits DEFAULT = new Limits(0.01, 50, Duration.ofHours(1));

    public Limits {
        if (!(share >= 0 && share <= 1) || most < 0 || window.isNegative() || window.isZero()) {
            throw new IllegalArgumentException("limits: share between 0 and 1, most >= 0, window > 0");
        }
    }

    /// How many devices of a population may be isolated within the window: at least one, unless `most` is 0.
    public int allowance(long population) {
        return (int) Math.min(most, Math.max(1, Math.floor(population * share)));
    }
}
