package dev.holdfast.protocol.ceremony;

/// What was typed or read is no whole share; the message says which line is wrong, and never what it holds.
public final class ShareFormatException extends Exception {
    private static final long serialVersionUID = 1L;

    ShareFormatException(String message) {
        super(message);
    }
}
