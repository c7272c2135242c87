package dev.holdfast.acme;

import dev.holdfast.protocol.acme.AcmeIdentifier;
import java.time.Instant;
import java.util.List;
import java.util.Locale;

/// The question whether an account may have one identifier certified (RFC 8555 section 7.1.4), for one order.
record Authorization(
        String id,
        String order,
        String account,
        AcmeIdentifier identifier,
        State state,
        Instant expiresAt,
        List<Challenge> challenges) {

    enum State {
        PENDING,
        VALID,
        INVALID,
        DEACTIVATED,
        /// Never stored: what a pending or valid one is after its time.
        EXPIRED;

        String text() {
            return name().toLowerCase(Locale.ROOT);
        }

        static State of(String text) {
            return valueOf(text.toUpperCase(Locale.ROOT));
        }
    }

    Authorization {
        challenges = List.copyOf(challenges);
    }

    State stateAt(Instant now) {
        return switch (state) {
            case PENDING, VALID -> now.isAfter(expiresAt) ? State.EXPIRED : state;
            case INVALID, DEACTIVATED, EXPIRED -> state;
        };
    }
}
