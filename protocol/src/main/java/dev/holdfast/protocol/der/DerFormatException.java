package dev.holdfast.protocol.der;

/// The bytes are not DER of the expected form.
public final class DerFormatException extends Exception {
    private static final long serialVersionUID = 1L;

    public DerFormatException(String message) {
        super(message);
    }
}
