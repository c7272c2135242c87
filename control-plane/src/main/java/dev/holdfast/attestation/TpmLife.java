package dev.holdfast.attestation;

import dev.holdfast.identity.TpmFacts.Found;
import dev.holdfast.identity.TpmFault;
import dev.holdfast.protocol.tpm.TpmStatement;
import java.util.Optional;

/// How far a TPM's life has got, as its attestations tell: it only goes forward.
///
/// @param attestationKey name of the key that told it
/// @param genuine the numbers are the TPM's own: the key is in the endorsement hierarchy; else they are
///     shifted by an amount that is constant for the key
record TpmLife(
        String attestationKey,
        boolean genuine,
        long clock,
        boolean clockSafe,
        long resets,
        long restarts,
        long firmware) {

    static TpmLife of(String attestationKey, boolean genuine, TpmStatement says) {
        return new TpmLife(
                attestationKey,
                genuine,
                says.clock(),
                says.clockSafe(),
                says.resetCount(),
                says.restartCount(),
                says.firmwareVersion());
    }

    /// What went back since then. Numbers of different keys are compared only where both are the TPM's own.
    Optional<Found> wentBackSince(TpmLife before) {
        if (!attestationKey.equals(before.attestationKey) && !(genuine && before.genuine)) {
            return Optional.empty();
        }
        if (Long.compareUnsigned(firmware, before.firmware) < 0) {
            return Optional.of(new Found(
                    TpmFault.TPM_FIRMWARE_WENT_BACK,
                    "the TPM's firmware is version " + Long.toHexString(firmware) + ", it was "
                            + Long.toHexString(before.firmware)));
        }
        if (resets < before.resets || (resets == before.resets && restarts < before.restarts)) {
            return Optional.of(new Found(
                    TpmFault.COUNTERS_WENT_BACK,
                    "the TPM counts " + resets + " resets and " + restarts + " restarts, it counted " + before.resets
                            + " and " + before.restarts + "; was it cleared?"));
        }
        if (clockSafe && Long.compareUnsigned(clock, before.clock) < 0) {
            return Optional.of(new Found(
                    TpmFault.COUNTERS_WENT_BACK,
                    "the TPM's clock stands at " + clock + " ms, it stood at " + before.clock));
        }
        return Optional.empty();
    }
}
