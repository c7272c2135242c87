package dev.holdfast.acme;

import dev.holdfast.core.Serial;
import dev.holdfast.protocol.acme.AcmeIdentifier;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// A wish for one certificate (RFC 8555 section 7.1.3).
///
/// @param request PKCS #10, from finalization on
/// @param finalizedFrom where the finalization came from, as our socket saw it
/// @param replaces as the client wrote it (RFC 9773 section 5)
@SuppressWarnings("ArrayRecordComponent") // never compared
record Order(
        String id,
        String account,
        State state,
        List<AcmeIdentifier> identifiers,
        Optional<String> replaces,
        Instant expiresAt,
        Optional<byte[]> request,
        String finalizedFrom,
        Optional<Serial> serial,
        Optional<Fault> fault) {

    /// Section 7.1.6.
    enum State {
        PENDING,
        READY,
        PROCESSING,
        VALID,
        INVALID;

        String text() {
            return name().toLowerCase(Locale.ROOT);
        }

        static State of(String text) {
            return valueOf(text.toUpperCase(Locale.ROOT));
        }
    }

    Order {
        identifiers = List.copyOf(identifiers);
    }

    /// What the client is told: an order that was not finished in time is invalid.
    State stateAt(Instant now) {
        return switch (state) {
            case PENDING, READY -> now.isAfter(expiresAt) ? State.INVALID : state;
            case PROCESSING, VALID, INVALID -> state;
        };
    }
}
