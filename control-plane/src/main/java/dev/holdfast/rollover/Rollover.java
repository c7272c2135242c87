package dev.holdfast.rollover;

import dev.holdfast.core.Environment;
import java.time.Instant;
import java.util.Locale;
import java.util.Optional;

/// The replacement of one authority by the next.
///
/// @param environment empty for a root's, which is of all environments
/// @param perHour how many devices are told in an hour to renew
/// @param distrustAt in an emergency: when the old issuer is distrusted at the latest, whoever still depends on
///     it
public record Rollover(
        String id,
        Optional<Environment> environment,
        Kind kind,
        String oldAuthority,
        String newAuthority,
        Phase phase,
        String reason,
        String startedBy,
        Instant startedAt,
        Optional<Instant> movedAt,
        Optional<Instant> endedAt,
        int perHour,
        Optional<Instant> distrustAt) {
    public enum Kind {
        /// Of the issuer of an environment's devices, under the same root.
        ISSUER,
        /// Of the root, with all issuers below it.
        ROOT,
        /// Of an issuer whose key is in wrong hands.
        EMERGENCY;

        public String text() {
            return name().toLowerCase(Locale.ROOT);
        }

        static Kind of(String text) {
            return valueOf(text.toUpperCase(Locale.ROOT));
        }
    }

    /// In this order; from the first it may also be abandoned.
    public enum Phase {
        /// The new authority is published and issues nothing.
        READY,
        /// The new authority issues, both count, devices move.
        MOVING,
        /// The old authority does not count any more.
        ENDED,
        ABANDONED;

        public String text() {
            return name().toLowerCase(Locale.ROOT);
        }

        static Phase of(String text) {
            return valueOf(text.toUpperCase(Locale.ROOT));
        }
    }
}
