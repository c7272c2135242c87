package dev.holdfast.ca;

import dev.holdfast.core.DeviceRef;
import java.time.Instant;
import java.util.Optional;

/// What a hot path must know of a certificate, held in memory for every one that is not long expired.
///
/// @param device empty for our own listeners
/// @param held its device is suspended
/// @param endedAt when it was superseded (an overlap may still be to end then), held or revoked
public record CertificateStanding(
        String authority,
        Optional<DeviceRef> device,
        CertificateState state,
        boolean held,
        Optional<Instant> endedAt,
        Optional<RevocationReason> reason) {
    /// Why the certificate does not count any more, as OCSP and CRLs say it.
    public RevocationReason endedBecause() {
        return endedBecause(state, reason);
    }

    /// As [#endedBecause()], of what is stored.
    public static RevocationReason endedBecause(CertificateState state, Optional<RevocationReason> stored) {
        return switch (state) {
            case REVOKED -> stored.orElse(RevocationReason.UNSPECIFIED);
            case SUPERSEDED -> RevocationReason.SUPERSEDED;
            case INTENDED, PENDING, CURRENT -> RevocationReason.CERTIFICATE_HOLD;
        };
    }

    /// Whether its holder may use it at this time, as far as the certificate goes.
    public boolean counts(Instant now) {
        return switch (state) {
            case PENDING, CURRENT -> !held;
            case SUPERSEDED -> !held && overlaps(now);
            case INTENDED, REVOKED -> false;
        };
    }

    /// Whether it is superseded but still counts beside its successor.
    public boolean overlaps(Instant now) {
        return state == CertificateState.SUPERSEDED
                && endedAt.filter(now::isBefore).isPresent();
    }
}
