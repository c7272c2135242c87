package dev.holdfast.identity;

import dev.holdfast.ca.CertificateState;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Serial;
import dev.holdfast.inventory.Lifecycle;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/// All that [EnrolmentPolicy] may know, read in the transaction that acts on its decision.
///
/// @param device whom the credential names; empty where it names nobody we know
/// @param state of that device; empty when it is unknown
/// @param keyOwner to whom the requested key is bound already
/// @param keyRevoked a certificate of this key was revoked
/// @param repeatable the certificate that this device was granted for this very key and has not used yet
/// @param frozen nothing is issued at present, after a restore
/// @param productionNotReady it is the production environment and its issuer is still a DEVELOPMENT one
record EnrolmentFacts(
        Optional<DeviceRef> device,
        Optional<Lifecycle> state,
        Proof proof,
        Optional<DeviceRef> keyOwner,
        boolean keyRevoked,
        Optional<Serial> repeatable,
        boolean frozen,
        boolean productionNotReady) {

    /// What is known of the credential.
    sealed interface Proof {
        /// @param token empty when there is none with this secret for this device
        record ByToken(Optional<EnrolmentStore.Token> token) implements Proof {}

        /// @param names of the initial identity, which the request may repeat as its subject
        record ByManufacturer(Instant notBefore, Instant notAfter, List<String> names) implements Proof {}

        /// @param state empty when we know no such certificate
        record ByCertificate(Instant notBefore, Instant notAfter, Optional<CertificateState> state, boolean held)
                implements Proof {}
    }
}
