package dev.holdfast.acme;

import dev.holdfast.core.DeviceRef;
import dev.holdfast.protocol.acme.AcmeException;
import dev.holdfast.protocol.acme.AttestationObject;

/// Verifies one format of attestation for device-attest-01.
@FunctionalInterface
public interface AttestationVerifier {
    /// @param keyAuthorization what the evidence must have been made for: only the account's holder can say
    ///     it, and only for this challenge
    /// @param device whom the evidence must be about
    /// @return what it shows
    /// @throws AcmeException `badAttestationStatement` for evidence that shows nothing
    Evidence verify(AttestationObject object, String keyAuthorization, DeviceRef device) throws AcmeException;
}
