package dev.holdfast.detection;

/// The history of one metric of one device, as hours of the day (UTC): a robust mean for each hour, a robust
/// spread for
/// each three hours. About 260 octets.
///
/// Each sample weighs as much time as it stands for (the gap since the one before, at most an hour), so neither
/// a fast
/// nor a flooding device teaches more than a slow one. A bucket remembers two weeks. What lies further out than
/// [#CLIP] spreads teaches only that much, so one outlier changes little and a lie must be slow; the slow one
/// is met by
/// the anchor, the level of the first days, which follows with a time constant of 90 days.
///
/// Immutable: learning returns another.
final class Seasonal {
    static final int HOURS = 24;
    static final int BLOCKS = 8;
    private static final int SECONDS_AN_HOUR = 3_600;
    /// Two weeks of an hour each: 50,400, which fits the 16 bits of a weight.
    private static final int MOST_WEIGHT = 14 * SECONDS_AN_HOUR;

    private static final int READY = 3 * SECONDS_AN_HOUR;
    private static final int ANCHORED = 96 * SECONDS_AN_HOUR;
    private static final double ANCHOR_SECONDS = 90d * 24 * SECONDS_AN_HOUR;
    static final double CLIP = 3;
    private static final double SIGMA_OF_MEAN_DEVIATION = 1.2533;

    /// Mean of each hour, then mean absolute deviation of each block.
    final float[] level;
    /// Seconds that each hour has been watched.
    final char[] weight;
    final long lastAt;
    final long lastImportedAt;
    /// NaN until there are some days of history.
    final float anchor;
    /// How wide the history was spread when the anchor was dropped.
    final float anchorSpread;
    /// How much evidence against the present behaviour has gathered.
    final float suspicion;

    static final Seasonal NONE = new Seasonal(new float[HOURS + BLOCKS], new char[HOURS], 0, 0, Float.NaN, 0, 0);

    Seasonal(
            float[] level,
            char[] weight,
            long lastAt,
            long lastImportedAt,
            float anchor,
            float anchorSpread,
            float suspicion) {
        this.level = level;
        this.weight = weight;
        this.lastAt = lastAt;
        this.lastImportedAt = lastImportedAt;
        this.anchor = anchor;
        this.anchorSpread = anchorSpread;
        this.suspicion = suspicion;
    }

    static int hour(long epochSecond) {
        return (int) Math.floorMod(epochSecond / SECONDS_AN_HOUR, (long) HOURS);
    }

    /// Whether this hour has been watched long enough to judge by.
    boolean isReady(int hour) {
        return weight[hour] >= READY;
    }

    double mean(int hour) {
        return level[hour];
    }

    /// The spread of an hour as a standard deviation; never so small that a rounding error is an anomaly.
    ///
    /// @param bandWidth of the model, 0 when not stated
    double spread(int hour, double bandWidth) {
        double own = level[HOURS + hour / 3];
        double all = 0;
        for (int block = 0; block < BLOCKS; block++) {
            all += level[HOURS + block];
        }
        double robust = SIGMA_OF_MEAN_DEVIATION * Math.max(own, 0.35 * all / BLOCKS);
        double floor = Math.max(1e-6, Math.max(0.01 * Math.abs(level[hour]), 0.001 * bandWidth));
        // The mean itself is uncertain while the hour has been seen on few days only.
        return Math.max(robust, floor) * Math.sqrt(1 + SECONDS_AN_HOUR / Math.max(1d, weight[hour]));
    }

    /// How many spreads the value is away from this hour's mean; 0 while there is too little history.
    double distance(long epochSecond, double value, double bandWidth) {
        int hour = hour(epochSecond);
        return isReady(hour) ? (value - level[hour]) / spread(hour, bandWidth) : 0;
    }

    /// How many spreads the level has moved from the anchor, without any single sample having been conspicuous.
    double drift() {
        if (Float.isNaN(anchor)) {
            return 0;
        }
        return (meanOfHours() - anchor) / anchorSpread;
    }

    private double meanSpread(double bandWidth) {
        double spread = 0;
        for (int hour = 0; hour < HOURS; hour += HOURS / BLOCKS) {
            spread += spread(hour, bandWidth);
        }
        return spread / BLOCKS;
    }

    private double meanOfHours() {
        double sum = 0;
        int ready = 0;
        for (int hour = 0; hour < HOURS; hour++) {
            if (isReady(hour)) {
                sum += level[hour];
                ready++;
            }
        }
        return ready == 0 ? 0 : sum / ready;
    }

    private int watched() {
        int sum = 0;
        for (char w : weight) {
            sum += w;
        }
        return sum;
    }

    Seasonal withSuspicion(double next) {
        return new Seasonal(level, weight, lastAt, lastImportedAt, anchor, anchorSpread, (float) next);
    }

    /// This history with one sample more.
    ///
    /// @param usualGap seconds that the very first sample stands for
    Seasonal learn(long at, double value, boolean imported, long usualGap, double bandWidth) {
        long before = imported ? lastImportedAt : lastAt;
        long gap = before == 0 ? Math.min(usualGap, SECONDS_AN_HOUR) : Math.min(at - before, SECONDS_AN_HOUR);
        if (gap <= 0) {
            return this; // a repeated or reordered sample stands for no time of its own
        }
        int hour = hour(at);
        float[] nextLevel = level.clone();
        char[] nextWeight = weight.clone();
        int watched = weight[hour];
        double residual = value - level[hour];
        if (watched == 0) {
            nextLevel[hour] = (float) value;
        } else {
            if (watched >= READY) {
                double most = CLIP * spread(hour, bandWidth);
                residual = Math.clamp(residual, -most, most);
            }
            nextLevel[hour] = (float) (level[hour] + residual * gap / (watched + gap));
            int block = HOURS + hour / 3;
            int first = hour / 3 * 3;
            double blockWatched = weight[first] + weight[first + 1] + weight[first + 2];
            nextLevel[block] = (float)
                    (level[block] + (Math.abs(residual) - level[block]) * gap / Math.max((double) gap, blockWatched));
        }
        nextWeight[hour] = (char) Math.min(MOST_WEIGHT, watched + gap);
        Seasonal next = new Seasonal(
                nextLevel,
                nextWeight,
                imported ? lastAt : at,
                imported ? at : lastImportedAt,
                anchor,
                anchorSpread,
                suspicion);
        return hour == hour(before) ? next : next.moveAnchor(bandWidth);
    }

    /// Once an hour.
    private Seasonal moveAnchor(double bandWidth) {
        if (Float.isNaN(anchor)) {
            return watched() >= ANCHORED ? anchored(meanOfHours(), meanSpread(bandWidth)) : this;
        }
        return anchored(anchor + (meanOfHours() - anchor) * SECONDS_AN_HOUR / ANCHOR_SECONDS, anchorSpread);
    }

    private Seasonal anchored(double at, double spread) {
        return new Seasonal(level, weight, lastAt, lastImportedAt, (float) at, (float) spread, suspicion);
    }
}
