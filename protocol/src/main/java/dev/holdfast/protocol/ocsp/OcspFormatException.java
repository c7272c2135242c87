package dev.holdfast.protocol.ocsp;

/// The bytes are not an OCSP request that can be answered.
public final class OcspFormatException extends Exception {
    private static final long serialVersionUID = 1L;

    public OcspFormatException(String message) {
        super(message);
    }

    public OcspFormatException(String message, Throwable cause) {
        super(message, cause);
    }
}
