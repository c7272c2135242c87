package dev.holdfast.ca;

import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Environment;
import dev.holdfast.profiles.CertificateProfile;
import java.util.List;
import java.util.Optional;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;

/// A certificate that policy has granted. Only `identity.EnrolmentPolicy` makes one for a device, and only
/// [ServerCertificateStore] and [ServiceCertificates] for our own listeners and services; `ArchitectureTest`
/// holds the code to that.
///
/// @param device empty for our own listeners
/// @param name the common name
/// @param alternativeNames `URI:...`, `DNS:...` or `IP:...`
/// @param publicKey whose possession was proven
/// @param grantedBy the credential: `token`, `manufacturer`, `renewal`, `holdfast`
public record ApprovedRequest(
        Environment environment,
        Optional<DeviceRef> device,
        String name,
        List<String> alternativeNames,
        SubjectPublicKeyInfo publicKey,
        CertificateProfile profile,
        String grantedBy) {
    public ApprovedRequest {
        alternativeNames = List.copyOf(alternativeNames);
    }
}
