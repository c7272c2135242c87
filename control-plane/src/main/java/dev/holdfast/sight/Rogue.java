package dev.holdfast.sight;

import dev.holdfast.core.Serial;
import java.time.Instant;

/// A certificate that one of our authorities' keys has signed, and that we have no record of issuing: whoever
/// made it has the key, or our records were lost.
///
/// @param subject printable
/// @param remoteAddress of whoever showed it last
@SuppressWarnings("ArrayRecordComponent") // never compared
public record Rogue(
        String fingerprint,
        String authority,
        Serial serial,
        String subject,
        Instant firstSeenAt,
        Instant lastSeenAt,
        long times,
        String remoteAddress,
        byte[] der) {}
