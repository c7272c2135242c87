package dev.holdfast.attestation;

import java.util.Optional;

/// What a device sends in answer to a challenge, as octets that nobody has looked at.
final class Submission {
    private Submission() {}

    /// @param message TPMS_ATTEST
    /// @param signature TPMT_SIGNATURE
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record Signed(byte[] message, byte[] signature) {}

    /// @param values of the quoted PCRs, one after another
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record Quoted(Signed quote, byte[] values) {}

    /// @param activated the secret that the TPM recovered
    /// @param request PKCS #10, DER
    /// @param key TPM2B_PUBLIC of the request's key
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record Enrolment(
            String session, byte[] activated, byte[] request, byte[] key, Signed certification, Quoted quoted) {}

    /// @param eventLog as Linux shows it in `binary_bios_measurements`
    record Reattestation(String session, Quoted quoted, Optional<byte[]> eventLog) {}
}
