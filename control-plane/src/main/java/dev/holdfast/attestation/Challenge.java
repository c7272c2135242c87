package dev.holdfast.attestation;

import dev.holdfast.core.DeviceId;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/// What a device was asked to prove, and over what. It is not stored: the device keeps it, sealed, and sends
/// it back.
///
/// @param profile of certificates that the device wants; empty for none named
/// @param nonce 32 octets, hexadecimal
/// @param endorsement TPMT_PUBLIC of the endorsement key, hexadecimal; empty for [Purpose#QUOTE], like the
///     two after it
/// @param attestation TPMT_PUBLIC of the attestation key, hexadecimal
/// @param certificates DER of the endorsement key's certificate and of those above it, hexadecimal
record Challenge(
        Purpose purpose,
        DeviceId device,
        Optional<String> profile,
        String nonce,
        Instant expiresAt,
        String endorsement,
        String attestation,
        List<String> certificates) {
    Challenge {
        certificates = List.copyOf(certificates);
    }

    enum Purpose {
        ENROL,
        QUOTE
    }
}
