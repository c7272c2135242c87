package dev.holdfast.protocol.tpm;

/// The bytes are not the TPM structure that was expected, or one of a kind that is not accepted.
public final class TpmFormatException extends Exception {
    private static final long serialVersionUID = 1L;

    /// What is wrong, as far as a caller must tell apart.
    public enum Reason {
        /// Truncated, too long, with octets after its end, or with a field out of its range.
        MALFORMED,
        /// An attestation that does not begin with TPM_GENERATED: any key could have signed it.
        WRONG_MAGIC,
        /// An attestation about something else.
        WRONG_TYPE,
        /// Well-formed, but of an algorithm or size that is not accepted.
        NOT_SUPPORTED
    }

    private final Reason reason;

    TpmFormatException(Reason reason, String message) {
        super(message);
        this.reason = reason;
    }

    static TpmFormatException malformed(String message) {
        return new TpmFormatException(Reason.MALFORMED, message);
    }

    static TpmFormatException unsupported(String message) {
        return new TpmFormatException(Reason.NOT_SUPPORTED, message);
    }

    public Reason reason() {
        return reason;
    }
}
