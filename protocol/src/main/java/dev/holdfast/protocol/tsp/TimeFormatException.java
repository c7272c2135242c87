package dev.holdfast.protocol.tsp;

/// The bytes are not a time-stamp answer that says what time it is.
public final class TimeFormatException extends Exception {
    private static final long serialVersionUID = 1L;

    public TimeFormatException(String message) {
        super(message);
    }

    public TimeFormatException(String message, Throwable cause) {
        super(message, cause);
    }
}
