package dev.holdfast.notify;

import java.time.Instant;
import java.util.Optional;

/// One notification on its way to one channel.
///
/// @param entry the number of the journal entry it tells of
/// @param nextAttempt when it is tried again, while it waits
public record Delivery(
        long id,
        long channel,
        long entry,
        String kind,
        Status status,
        int attempts,
        Optional<Instant> nextAttempt,
        Optional<Instant> deliveredAt,
        String lastError) {
    public enum Status {
        WAITING,
        DELIVERED,
        /// Given up on after the last attempt; nothing is lost, a person can send it again.
        DEAD
    }
}
