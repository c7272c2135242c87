package dev.holdfast.protocol.manifest;

/// A manifest that must not be used, and why.
public final class ManifestException extends Exception {
    private static final long serialVersionUID = 1L;

    /// Facts.
    public enum Reason {
        TOO_LARGE,
        MALFORMED_ENVELOPE,
        UNKNOWN_PAYLOAD_TYPE,
        NO_SIGNATURE_BY_A_TRUSTED_KEY,
        MALFORMED_PAYLOAD
    }

    private final Reason reason;

    ManifestException(Reason reason, String detail) {
        super(reason + ": " + detail);
        this.reason = reason;
    }

    public Reason reason() {
        return reason;
    }
}
