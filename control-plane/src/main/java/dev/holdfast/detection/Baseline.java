package dev.holdfast.detection;

import java.util.Arrays;
import java.util.List;

/// What the detectors remember of one device: bounded, at most 2 KB with five metrics. Immutable to everybody
/// but
/// [Draft].
///
/// Times are milliseconds since 1970; 0 means never.
public final class Baseline {
    /// Metrics past this number are not judged by history.
    static final int MOST_METRICS = 16;

    private static final String[] NO_NAMES = {};
    private static final Seasonal[] NO_HISTORY = {};
    static final Baseline NEW = new Baseline(new Draft());

    final long heardAt;
    final long healthyAt;
    final long unhealthyAt;
    final String[] metrics;
    final Seasonal[] history;
    final Parties parties;
    final Reach reach;
    final Tally messages;
    final Tally forbidden;
    final Tally foreign;
    final Tally malformed;
    final Tally limited;
    final Tally failures;
    final Tally impossible;
    final List<Ongoing> ongoing;

    /// Something that was found and has not ended yet; says when it may be told again.
    ///
    /// @param seenAt when it last happened
    /// @param toldAt when it was last made a finding
    record Ongoing(Finding.Cause cause, Finding.Severity severity, long since, long seenAt, long toldAt, int told) {}

    private Baseline(Draft draft) {
        heardAt = draft.heardAt;
        healthyAt = draft.healthyAt;
        unhealthyAt = draft.unhealthyAt;
        metrics = draft.metrics;
        history = draft.history;
        parties = draft.parties;
        reach = draft.reach;
        messages = draft.messages;
        forbidden = draft.forbidden;
        foreign = draft.foreign;
        malformed = draft.malformed;
        limited = draft.limited;
        failures = draft.failures;
        impossible = draft.impossible;
        ongoing = draft.ongoing;
    }

    /// A baseline in the making. Arrays are replaced, never written to once frozen.
    static final class Draft {
        long heardAt;
        long healthyAt;
        long unhealthyAt;
        String[] metrics = NO_NAMES;
        Seasonal[] history = NO_HISTORY;
        Parties parties = Parties.NONE;
        Reach reach = Reach.NONE;
        Tally messages = Tally.NONE;
        Tally forbidden = Tally.NONE;
        Tally foreign = Tally.NONE;
        Tally malformed = Tally.NONE;
        Tally limited = Tally.NONE;
        Tally failures = Tally.NONE;
        Tally impossible = Tally.NONE;
        List<Ongoing> ongoing = List.of();
        private boolean ownsHistory;

        Draft() {}

        Draft(Baseline from) {
            heardAt = from.heardAt;
            healthyAt = from.healthyAt;
            unhealthyAt = from.unhealthyAt;
            metrics = from.metrics;
            history = from.history;
            parties = from.parties;
            reach = from.reach;
            messages = from.messages;
            forbidden = from.forbidden;
            foreign = from.foreign;
            malformed = from.malformed;
            limited = from.limited;
            failures = from.failures;
            impossible = from.impossible;
            ongoing = from.ongoing;
        }

        /// @return the metric's place, or -1 when there is none left
        int place(String metric) {
            for (int i = 0; i < metrics.length; i++) {
                if (metrics[i].equals(metric)) {
                    return i;
                }
            }
            if (metrics.length >= MOST_METRICS) {
                return -1;
            }
            metrics = Arrays.copyOf(metrics, metrics.length + 1);
            history = Arrays.copyOf(history, history.length + 1);
            ownsHistory = true;
            metrics[metrics.length - 1] = metric.intern();
            history[history.length - 1] = Seasonal.NONE;
            return metrics.length - 1;
        }

        void setHistory(int place, Seasonal seasonal) {
            if (!ownsHistory) {
                history = history.clone();
                ownsHistory = true;
            }
            history[place] = seasonal;
        }

        Baseline freeze() {
            return new Baseline(this);
        }
    }
}
