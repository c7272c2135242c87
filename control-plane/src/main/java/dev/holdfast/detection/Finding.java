package dev.holdfast.detection;

import dev.holdfast.core.DeviceRef;
import dev.holdfast.telemetry.Provenance;
import java.time.Instant;

/// A deviation: what was expected, what was seen, since when, and how it is known.
///
/// @param score how far outside, 0 (just) to 1 (certain)
/// @param since when the first observation that belongs to it was received
/// @param at when it was found
public record Finding(
        DeviceRef device,
        Cause cause,
        Severity severity,
        Provenance provenance,
        double score,
        Instant since,
        Instant at,
        String expected,
        String seen) {

    /// Facts, one per detector outcome; incidents are deduplicated by device and cause.
    public enum Cause {
        IDENTITY_USED_IN_TWO_PLACES,
        SUPERSEDED_CERTIFICATE_IN_USE,
        /// Refused each time, and the present one is not used in turn: an old image, more likely than a copy.
        OLD_CERTIFICATE_PRESENTED,
        KEY_SHARED,
        KEY_WEAK,
        CERTIFICATE_ENDING,
        FORBIDDEN_TOPIC_REPEATED,
        FOREIGN_ACTION_REPEATED,
        MALFORMED_MESSAGES_REPEATED,
        AUTHENTICATION_FAILURES_REPEATED,
        DESTINATION_NOT_ALLOWED,
        DESTINATION_FAN_OUT,
        PORT_SCAN,
        SILENCE,
        SILENCE_BEHIND_GATEWAY,
        TELEMETRY_OUT_OF_HISTORY,
        TELEMETRY_IMPOSSIBLE,
        CONFIGURATION_DRIFT,
        MESSAGE_FLOOD,
        /// Its TPM has signed a state that nobody approved, or one from the past.
        ATTESTED_STATE_NOT_APPROVED,
        ATTESTATION_KEY_WRONG,
        /// No fresh quote of what it says: stale, replayed, not readable.
        ATTESTATION_NOT_BELIEVED,
        /// Nothing was heard; who can drop packets can bring it about.
        ATTESTATION_OVERDUE
    }

    public enum Severity {
        LOW,
        MEDIUM,
        HIGH,
        CRITICAL
    }
}
