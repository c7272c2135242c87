package dev.holdfast.protocol.ddi;

/// A message of a device that can't be read.
public final class DdiException extends Exception {
    private static final long serialVersionUID = 1L;

    DdiException(String message) {
        super(message);
    }
}
