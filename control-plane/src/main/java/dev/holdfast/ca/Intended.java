package dev.holdfast.ca;

import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Environment;
import dev.holdfast.core.Serial;
import dev.holdfast.profiles.CertificateProfile;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;

/// A certificate whose serial and contents are decided but which may not have been signed yet. Signing it again
/// gives a certificate with the same serial and contents: where that is stored first, it is finished, not
/// repeated, after a crash.
///
/// @param renewAt when its device should ask for its successor ([RenewalSchedule])
/// @param profile the name of the one it was granted by
/// @param listPart which part of its authority's revocation list it belongs to; 0 for the whole
public record Intended(
        Serial serial,
        String authority,
        String profile,
        Set<CertificateProfile.Usage> usages,
        Environment environment,
        Optional<DeviceRef> device,
        String name,
        List<String> alternativeNames,
        SubjectPublicKeyInfo publicKey,
        Instant notBefore,
        Instant notAfter,
        Instant renewAt,
        String grantedBy,
        long listPart) {
    /// A device's counts as its current one from its first use on; others at once.
    CertificateState whenSigned() {
        return device.isPresent() ? CertificateState.PENDING : CertificateState.CURRENT;
    }
}
