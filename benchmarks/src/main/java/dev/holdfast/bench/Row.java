package dev.holdfast.bench;

import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// One line of the table.
///
/// @param id what `--only` takes
/// @param ours in the unit
/// @param beside the yardstick's name; empty where there is none
/// @param yardstick the same of the program beside it
/// @param promise of the design, where it has one
/// @param quiet whether the figure is worth something only on a machine that does nothing else
record Row(
        String id,
        String name,
        String unit,
        Spread ours,
        String beside,
        Spread yardstick,
        Optional<Promise> promise,
        boolean quiet,
        Map<String, Object> details) {
    Row {
        details = new TreeMap<>(details);
    }

    /// @param text as the table says it, such as `<= 1,000`
    record Promise(String text, boolean kept) {
        static Optional<Promise> atMost(double limit, Spread measured) {
            return Optional.of(new Promise("<= " + Spread.figure(limit), measured.median() <= limit));
        }

        static Optional<Promise> atLeast(double limit, Spread measured) {
            return Optional.of(new Promise(">= " + Spread.figure(limit), measured.median() >= limit));
        }

        /// Of the ratio to the yardstick.
        static Optional<Promise> ratioAtMost(double limit, Spread ours, Spread yardstick) {
            return Optional.of(
                    new Promise("ratio <= " + Spread.figure(limit), ours.median() / yardstick.median() <= limit));
        }
    }

    String ratio() {
        return yardstick.isKnown() && yardstick.median() != 0 ? Spread.figure(ours.median() / yardstick.median()) : "-";
    }

    String verdict() {
        return promise.map(p -> p.text() + (p.kept() ? "  kept" : "  SHORT")).orElse("");
    }
}
