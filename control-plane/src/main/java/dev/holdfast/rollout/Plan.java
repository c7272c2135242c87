package dev.holdfast.rollout;

import dev.holdfast.core.Environment;
import dev.holdfast.core.ModelId;
import dev.holdfast.core.Selector;
import java.time.Duration;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// How a release reaches the devices of a model.
///
/// @param selector which devices, in the selector language; empty for all of the model
/// @param release the id of the release
/// @param previous the id of the release to go back to; null when there is no way back (the first release, or
/// one
/// with another security counter): then a failing gate pauses and a person fixes forward
/// @param healing whether quarantined devices get it too
/// @param window outside of which nothing is offered, beside the windows of the devices' sites; null for always
/// @param batches in order; the last one must reach everyone
public record Plan(
        Environment environment,
        ModelId model,
        String selector,
        long release,
        @Nullable Long previous,
        boolean healing,
        @Nullable MaintenanceWindow window,
        List<Batch> batches) {
    private static final int MOST_BATCHES = 20;

    public Plan {
        Selector.parse(selector);
        batches = List.copyOf(batches);
        if (batches.isEmpty() || batches.size() > MOST_BATCHES) {
            throw new IllegalArgumentException("a plan has 1 to " + MOST_BATCHES + " batches");
        }
        if (!batches.getLast().size().equals("100%")) {
            throw new IllegalArgumentException("the last batch must have the size 100%, so that everyone is reached");
        }
    }

    /// One step, gated before the next begins.
    ///
    /// @param name such as `staging`, `canary`, `quarter`
    /// @param group only devices that match are in it (the staging group); empty for any
    /// @param size a number of devices (`25`), or the share of all devices that will have been reached when
    /// this
    /// batch is done (`10%`)
    /// @param cap how many devices may be undecided at a time: offered but not yet healthy or failed
    /// @param soak a device is judged healthy no earlier than this after it first reported the new version
    /// @param healthWindow for so long, too, its telemetry must be fresh and inside its band and nothing be
    /// found
    /// @param errorThreshold the share of failing devices that must not be exceeded, 0 to 1
    /// @param timeout a device undecided for so long (soak not counted) has failed
    public record Batch(
            String name,
            String group,
            String size,
            int cap,
            Duration soak,
            Duration healthWindow,
            double errorThreshold,
            Duration timeout) {
        private static final Pattern SIZE = Pattern.compile("([0-9]{1,9})|([0-9]{1,3}(?:\\.[0-9]{1,3})?)%");
        private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9 ._-]{0,39}");
        private static final Duration LONGEST = Duration.ofDays(90);

        public Batch {
            Selector.parse(group);
            require(NAME.matcher(name).matches(), "not a name of a batch");
            require(SIZE.matcher(size).matches(), "size is a number of devices (25) or a share (10%)");
            require(cap > 0 && cap <= 100_000, "cap is between 1 and 100000");
            require(!soak.isNegative() && soak.compareTo(LONGEST) <= 0, "soak is between 0 and 90 days");
            require(
                    !healthWindow.isNegative() && healthWindow.compareTo(LONGEST) <= 0,
                    "healthWindow is between 0 and 90 days");
            require(errorThreshold >= 0 && errorThreshold < 1, "errorThreshold is from 0 to less than 1");
            require(timeout.isPositive() && timeout.compareTo(LONGEST) <= 0, "timeout is up to 90 days");
        }

        private static void require(boolean holds, String rule) {
            if (!holds) {
                throw new IllegalArgumentException("batch: " + rule);
            }
        }

        /// How many devices it takes.
        ///
        /// @param population of the whole rollout
        /// @param before how many the batches before it took
        public int count(int population, int before) {
            Matcher parts = SIZE.matcher(size);
            if (!parts.matches()) {
                throw new IllegalStateException(size);
            }
            long wanted = parts.group(1) != null
                    ? Long.parseLong(parts.group(1))
                    : (long) Math.ceil(Double.parseDouble(parts.group(2)) / 100 * population) - before;
            return (int) Math.clamp(wanted, 0, (long) population - before);
        }

        /// From the first report of the new version to the verdict.
        public Duration window() {
            return soak.compareTo(healthWindow) > 0 ? soak : healthWindow;
        }
    }
}
