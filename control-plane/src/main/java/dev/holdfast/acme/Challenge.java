package dev.holdfast.acme;

import dev.holdfast.protocol.acme.ChallengeType;
import java.time.Instant;
import java.util.Locale;
import java.util.Optional;

/// One way to prove an authorization (RFC 8555 section 8).
///
/// @param token 128 random bits, base64url
/// @param answeredAt when its answer was last begun to be looked at
record Challenge(
        String id,
        String authorization,
        ChallengeType type,
        String token,
        State state,
        Optional<Instant> answeredAt,
        Optional<Instant> validatedAt,
        Optional<Fault> fault,
        Optional<Evidence> evidence) {

    enum State {
        PENDING,
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
}
