package dev.holdfast.protocol.x509;

/// The bytes are not a certificate, a key or a PEM text of the expected form.
public final class X509FormatException extends Exception {
    private static final long serialVersionUID = 1L;

    public X509FormatException(String message) {
        super(message);
    }

    public X509FormatException(String message, Throwable cause) {
        super(message, cause);
    }
}
