package dev.holdfast.sight;

import dev.holdfast.core.Environment;
import dev.holdfast.telemetry.SafeText;
import java.time.Instant;

/// That somebody did not come in, for one cause and from one host: how often, first and last. Of whichever node.
///
/// @param device one of ours that it names; empty for nobody of ours
/// @param host the address, without the port; of IPv6 the /64
/// @param subject as its certificate says; it proves nothing
/// @param detail of the last time, in a sentence, safe to show
/// @param remoteAddress of the last time, as our socket saw it
public record FailedAttempt(
        Environment environment,
        String device,
        String host,
        Attempt.Stage stage,
        String cause,
        Shelf shelf,
        String subject,
        String detail,
        String remoteAddress,
        Instant firstAt,
        Instant lastAt,
        long times) {
    private static final int LONGEST = 300;
    private static final int LONGEST_WORD = 80;

    public FailedAttempt {
        cause = SafeText.of(cause, LONGEST_WORD);
        subject = SafeText.of(subject, LONGEST);
        detail = SafeText.of(detail, LONGEST);
        remoteAddress = SafeText.of(remoteAddress, LONGEST_WORD);
    }

    /// What is counted as the same.
    record Key(Environment environment, String device, String host, Attempt.Stage stage, String cause)
            implements Comparable<Key> {
        @Override
        public int compareTo(Key other) {
            return sorted().compareTo(other.sorted());
        }

        private String sorted() {
            return String.join("\n", environment.value(), device, host, stage.name(), cause);
        }
    }

    Key key() {
        return new Key(environment, device, host, stage, cause);
    }

    /// Both together.
    FailedAttempt and(FailedAttempt other) {
        FailedAttempt newer = other.lastAt.isBefore(lastAt) ? this : other;
        return new FailedAttempt(
                environment,
                device,
                host,
                stage,
                cause,
                shelf.compareTo(other.shelf) <= 0 ? shelf : other.shelf,
                newer.subject,
                newer.detail,
                newer.remoteAddress,
                firstAt.isBefore(other.firstAt) ? firstAt : other.firstAt,
                newer.lastAt,
                times + other.times);
    }

    FailedAttempt on(Shelf other) {
        return new FailedAttempt(
                environment, device, host, stage, cause, other, subject, detail, remoteAddress, firstAt, lastAt, times);
    }

    /// @param sure whether it is taken for the device's own
    public Attempt attempt(boolean sure) {
        return new Attempt(lastAt, stage, cause, detail, remoteAddress, sure, times);
    }
}
