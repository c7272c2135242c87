package dev.holdfast.identity;

import java.util.Locale;

/// Why what a TPM has shown is not believed, as facts.
public enum TpmFault {
    /// The challenge is over, was answered already, or is not one of ours.
    NONCE_STALE,
    /// Not the TPM structure that belongs there.
    STRUCTURE_MALFORMED,
    /// Signed, but not made by a TPM: TPM_GENERATED is missing.
    MAGIC_WRONG,
    /// An attestation about something else.
    TYPE_WRONG,
    /// Its attributes are not those of an endorsement key.
    ENDORSEMENT_KEY_NOT_ACCEPTED,
    ENDORSEMENT_KEY_NOT_REGISTERED,
    ENDORSEMENT_KEY_BOUND_TO_ANOTHER_DEVICE,
    /// The device has an endorsement key, and it is another one.
    ENDORSEMENT_KEY_IS_NOT_THE_DEVICES,
    ENDORSEMENT_CERTIFICATE_NOT_TRUSTED,
    /// The secret was not recovered: endorsement and attestation key are not shown to be in one TPM.
    CREDENTIAL_NOT_ACTIVATED,
    /// Not restricted, not fixed to its TPM, not for signing...
    ATTESTATION_KEY_NOT_ACCEPTED,
    /// Not the key that was activated for this device.
    ATTESTATION_KEY_UNKNOWN,
    SIGNATURE_WRONG,
    /// The attestation key certified another key than the request's.
    KEY_NOT_CERTIFIED,
    /// The certified key could leave its TPM, or was not made there.
    KEY_NOT_BOUND_TO_THE_TPM,
    /// The quote lacks registers that are asked for.
    PCRS_MISSING,
    /// The values sent are not those that were quoted.
    PCR_VALUES_WRONG,
    PCR_VALUES_NOT_APPROVED,
    /// The device went back to values that newer ones have replaced.
    PCR_REGRESSION,
    /// The TPM counts fewer resets or a shorter life than before: an old state, or a cleared one.
    COUNTERS_WENT_BACK,
    TPM_FIRMWARE_WENT_BACK,
    /// A program that imitates a TPM, and the profile wants a real one.
    SOFTWARE_TPM_NOT_ALLOWED;

    /// `pcr-regression`
    public String text() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
