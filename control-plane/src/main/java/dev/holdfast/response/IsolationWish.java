package dev.holdfast.response;

import dev.holdfast.core.Environment;
import dev.holdfast.core.Selector;
import java.time.Duration;

/// What an operator wants isolated.
///
/// @param reason a sentence, kept in the journal
/// @param limit after which the devices return by themselves; at most 90 days
public record IsolationWish(Environment environment, Selector which, Action.Kind kind, String reason, Duration limit) {
    private static final Duration LONGEST = Duration.ofDays(90);

    public IsolationWish {
        reason = reason.strip();
        if (reason.isEmpty() || reason.length() > 500) {
            throw new IllegalArgumentException("an isolation needs a reason of 1 to 500 characters");
        }
        if (limit.isNegative() || limit.isZero() || limit.compareTo(LONGEST) > 0) {
            throw new IllegalArgumentException("an isolation needs a time limit of more than 0 and at most 90 days");
        }
        if (which.requirements().isEmpty()) {
            throw new IllegalArgumentException("an isolation of every device needs to name them: give a selector");
        }
    }
}
