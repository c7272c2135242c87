package dev.holdfast.ingest;

/// The body is not a report of flows; the message says why, for the developer of the gateway.
final class MalformedReportException extends Exception {
    private static final long serialVersionUID = 1L;

    MalformedReportException(String message) {
        super(message);
    }

    MalformedReportException(String message, Throwable cause) {
        super(message, cause);
    }
}
