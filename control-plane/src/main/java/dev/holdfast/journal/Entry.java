package dev.holdfast.journal;

import dev.holdfast.core.Actor;
import dev.holdfast.core.Environment;
import java.util.Map;
import java.util.regex.Pattern;

/// What is to be recorded of one decision or change.
///
/// @param kind what happened, `room.past-tense`, such as `device.quarantined` or `rollout.stopped`
/// @param subject whom or what it concerns, `type:id`, such as `device:meter-1`, `rollout:42`
/// @param reason why, in a sentence for people; never empty
/// @param body the particulars, as a JSON object; no secrets and no personal data
public record Entry(
        String kind, Environment environment, String subject, Actor actor, String reason, Map<String, ?> body) {
    private static final Pattern KIND = Pattern.compile("[a-z][a-z0-9-]*\\.[a-z][a-z0-9-]*");
    private static final Pattern SUBJECT = Pattern.compile("[a-z-]+:.{1,200}");

    public Entry {
        if (!KIND.matcher(kind).matches()) {
            throw new IllegalArgumentException("not a kind of entry: " + kind);
        }
        if (reason.isBlank()) {
            throw new IllegalArgumentException("an entry without a reason: " + kind);
        }
        if (!SUBJECT.matcher(subject).matches()) {
            throw new IllegalArgumentException("not a subject: " + subject);
        }
        body = Map.copyOf(body);
    }
}
