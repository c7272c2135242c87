package dev.holdfast.protocol.pkcs8;

/// What should be an encrypted secret can't be read.
public final class SealedFormatException extends Exception {
    private static final long serialVersionUID = 1L;

    public enum Reason {
        /// Not DER, or not the structure of RFC 5958 section 3.
        MALFORMED,
        /// Other algorithms than ours, or so costly that opening it would be an attack on us.
        ALGORITHM_NOT_ACCEPTED,
        /// The authentication tag differs: another passphrase, or the content was changed.
        PASSPHRASE_WRONG
    }

    private final Reason reason;

    SealedFormatException(Reason reason, String message) {
        super(message);
        this.reason = reason;
    }

    public Reason reason() {
        return reason;
    }
}
