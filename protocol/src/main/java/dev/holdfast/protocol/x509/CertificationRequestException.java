package dev.holdfast.protocol.x509;

import org.jspecify.annotations.Nullable;

/// A request for a certificate that can't be taken as one.
public final class CertificationRequestException extends Exception {
    private static final long serialVersionUID = 1L;
    private final Reason reason;

    public enum Reason {
        MALFORMED,
        KEY_WEAK,
        KEY_NOT_ACCEPTED,
        SIGNATURE_SCHEME_NOT_ACCEPTED,
        SIGNATURE_WRONG,
        /// Critical and not known here, twice, or an empty list of them.
        EXTENSION_NOT_ACCEPTED,
        /// Control characters anywhere; in the names that count, anything but printable ASCII.
        NAME_NOT_ACCEPTED
    }

    CertificationRequestException(Reason reason, String message) {
        this(reason, message, null);
    }

    CertificationRequestException(Reason reason, String message, @Nullable Exception cause) {
        super(message, cause);
        this.reason = reason;
    }

    public Reason reason() {
        return reason;
    }
}
