package dev.holdfast.protocol.swu;

/// An image that must not be used, and why.
public final class SwuException extends Exception {
    private static final long serialVersionUID = 1L;

    /// Facts.
    public enum Reason {
        MALFORMED,
        NOT_SIGNED_BY_A_TRUSTED_CERTIFICATE,
        IMAGE_MISSING,
        IMAGE_DIFFERS
    }

    private final Reason reason;

    SwuException(Reason reason, String detail) {
        super(detail);
        this.reason = reason;
    }

    public Reason reason() {
        return reason;
    }
}
