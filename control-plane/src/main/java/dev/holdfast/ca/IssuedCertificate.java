package dev.holdfast.ca;

import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Serial;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/// A certificate as the records have it, for people and scripts.
///
/// @param device empty for our own listeners
/// @param held its device is suspended, so it counts as revoked until the device is reinstated
/// @param grantedBy the credential that asked for it: `token`, `manufacturer`, `renewal`, `holdfast`
/// @param endedAt when it was superseded (which may be still to come, [CertificateProfile.Rotation#overlap]),
///     held or revoked
/// @param renewAt when its device should ask for its successor; empty for our own listeners
/// @param der absent while it is only intended
public record IssuedCertificate(
        Serial serial,
        String authority,
        String profile,
        Optional<DeviceRef> device,
        String name,
        String keyFingerprint,
        CertificateState state,
        boolean held,
        Instant notBefore,
        Instant notAfter,
        String grantedBy,
        Optional<Instant> issuedAt,
        Optional<Instant> activatedAt,
        Optional<Instant> endedAt,
        Optional<RevocationReason> reason,
        List<String> alternativeNames,
        Optional<Instant> renewAt,
        Optional<byte[]> der) {
    /// Whether it is superseded but still counts beside its successor.
    public boolean overlaps(Instant now) {
        return state == CertificateState.SUPERSEDED
                && endedAt.filter(now::isBefore).isPresent();
    }
}
