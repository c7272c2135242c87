package dev.holdfast.protocol.est;

/// The body of an EST message is not of the form that RFC 7030 and RFC 8951 give it.
public final class EstFormatException extends Exception {
    private static final long serialVersionUID = 1L;

    public EstFormatException(String message) {
        super(message);
    }

    public EstFormatException(String message, Throwable cause) {
        super(message, cause);
    }
}
