package dev.holdfast.cmp;

import dev.holdfast.identity.Credential;
import dev.holdfast.identity.SharedSecrets;
import dev.holdfast.protocol.cmp.MacAlgorithm;
import dev.holdfast.protocol.x509.Certificates;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;

/// Who protects the messages of a transaction; the protection has been verified.
sealed interface Party {
    /// Who knows this secret. What it may still be used for is another question.
    record BySecret(SharedSecrets.Known secret, MacAlgorithm algorithm) implements Party {}

    /// A device as it left its factory.
    record ByManufacturer(X509Certificate leaf, String anchor) implements Party {}

    /// A device with a certificate of ours, whatever became of that.
    record ByDevice(X509Certificate leaf) implements Party {}

    /// The same for all messages of one party.
    default String name() {
        return switch (this) {
            case BySecret by -> "secret:" + by.secret().id();
            case ByManufacturer by -> "manufacturer:" + Certificates.fingerprint(by.leaf());
            case ByDevice by -> "certificate:" + by.leaf().getSerialNumber().toString(16);
        };
    }

    /// As identity takes it.
    default Credential credential() {
        return switch (this) {
            case BySecret by ->
                new Credential.SharedSecret(
                        by.secret().device().id(), by.secret().id());
            case ByManufacturer by -> new Credential.Manufacturer(by.leaf(), by.anchor());
            case ByDevice by -> new Credential.Operational(by.leaf());
        };
    }

    /// Until when a message of this party that is sent again by somebody else could still pass for a fresh
    /// one.
    default Instant repeatableUntil() {
        return switch (this) {
            case BySecret by -> by.secret().expiresAt();
            case ByManufacturer by -> by.leaf().getNotAfter().toInstant();
            case ByDevice by -> by.leaf().getNotAfter().toInstant().plus(LATEST_RENEWAL);
        };
    }

    /// The longest that a profile may let an expired certificate renew itself: its two windows together.
    Duration LATEST_RENEWAL = Duration.ofDays(2 * 3660L);
}
