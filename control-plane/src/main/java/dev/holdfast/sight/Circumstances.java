package dev.holdfast.sight;

import dev.holdfast.ca.IssuedCertificate;
import dev.holdfast.inventory.Lifecycle;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/// All that a diagnosis may know of a device.
///
/// @param certificates newest first
/// @param attempts newest first
/// @param renewableAfterExpiry of the profile of its newest certificate
/// @param lateWindow of that profile: after the other, with attestation or a person's approval
/// @param waitingRequest the detail of a request of this device that waits for a person
/// @param blind this node has not heard the database and lets nobody new in
/// @param frozen nobody is let in and nothing issued, until a restore is settled
public record Circumstances(
        String device,
        Lifecycle state,
        String stateReason,
        boolean connected,
        Optional<Instant> lastContact,
        List<IssuedCertificate> certificates,
        List<Attempt> attempts,
        Duration renewableAfterExpiry,
        Duration lateWindow,
        Optional<String> waitingRequest,
        boolean blind,
        boolean frozen,
        Instant now) {

    public Circumstances {
        certificates = List.copyOf(certificates);
        attempts = List.copyOf(attempts);
    }
}
