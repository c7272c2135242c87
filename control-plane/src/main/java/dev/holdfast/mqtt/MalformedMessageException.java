package dev.holdfast.mqtt;

/// The payload is not what its topic is for; the message says why, for the developer of the device.
final class MalformedMessageException extends Exception {
    private static final long serialVersionUID = 1L;

    MalformedMessageException(String message) {
        super(message);
    }

    MalformedMessageException(String message, Throwable cause) {
        super(message, cause);
    }
}
