package dev.holdfast.identity;

import dev.holdfast.ca.CertificateState;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Serial;
import dev.holdfast.inventory.Lifecycle;
import dev.holdfast.profiles.CertificateProfile;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// All that [EnrolmentPolicy] may know beside the request itself, read in the transaction that acts on its
/// decision.
///
/// @param device whom the credential names; empty where it names nobody we know
/// @param state of that device; empty when it is unknown, unless its claim registers it
/// @param profile by which the certificate would be issued; empty when there is none of that name
/// @param about what a person's decision about this request would be about
/// @param inWords the same for the person
/// @param keyOwner to whom the requested key is bound already
/// @param keyOfABatch the requested key is that of a claim certificate, which many devices have
/// @param keyRevoked a certificate of this key was revoked
/// @param repeatable the certificate that this device was granted for this very key and has not used yet
/// @param decisions what people have decided about this device's request with this key, or are asked to
/// @param frozen nothing is issued at present, after a restore
/// @param productionNotReady it is the production environment and its issuer is still a DEVELOPMENT one
record EnrolmentFacts(
        Optional<DeviceRef> device,
        Optional<Lifecycle> state,
        Proof proof,
        Optional<CertificateProfile> profile,
        String about,
        String inWords,
        Optional<DeviceRef> keyOwner,
        boolean keyOfABatch,
        boolean keyRevoked,
        Optional<Serial> repeatable,
        Map<HeldRequests.Cause, HeldRequests.State> decisions,
        boolean frozen,
        boolean productionNotReady) {

    /// What is known of the credential.
    sealed interface Proof {
        /// @param token empty when there is none with this secret for this device
        record ByToken(Optional<EnrolmentStore.Token> token) implements Proof {}

        /// @param secret empty when there is none of this id for this device
        record BySharedSecret(Optional<SharedSecrets.Known> secret) implements Proof {}

        record ByAccount(String account) implements Proof {}

        record ByTpm(TpmFacts facts) implements Proof {}

        /// @param claim empty when no batch has this claim certificate
        record ByClaim(Optional<Claims.Claim> claim) implements Proof {}

        /// @param names of the initial identity, which the request may repeat as its subject
        /// @param unregistered the product, where nobody has registered it and a person is to decide
        record ByManufacturer(
                Instant notBefore, Instant notAfter, List<String> names, Optional<Unregistered> unregistered)
                implements Proof {}

        /// @param state empty when we know no such certificate
        /// @param overlaps it is superseded, but still counts beside its successor
        /// @param commonName of the certificate, which its successor keeps: a gateway's may be a DNS name
        /// @param alternativeNames of the certificate, which its successor keeps
        record ByCertificate(
                Instant notBefore,
                Instant notAfter,
                Optional<CertificateState> state,
                boolean held,
                boolean overlaps,
                Optional<String> commonName,
                List<String> alternativeNames)
                implements Proof {}
    }

    static Optional<Unregistered> unregistered(Proof proof) {
        return proof instanceof Proof.ByManufacturer by ? by.unregistered() : Optional.empty();
    }

    Optional<Unregistered> unregistered() {
        return unregistered(proof);
    }

    /// A product that a person is asked about.
    ///
    /// @param key of its initial identity, by which it is known until it is a device
    record Unregistered(HeldRequests.Product product, String key) {}
}
