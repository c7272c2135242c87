package dev.holdfast.protocol.senml;

/// The octets are not a SenML pack that we can understand; the message says why and names no content.
public final class MalformedSenmlException extends Exception {
    private static final long serialVersionUID = 1L;

    public MalformedSenmlException(String message) {
        super(message);
    }

    public MalformedSenmlException(String message, Throwable cause) {
        super(message, cause);
    }
}
