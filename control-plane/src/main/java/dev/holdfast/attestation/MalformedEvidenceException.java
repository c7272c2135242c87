package dev.holdfast.attestation;

/// The body is not the message that was expected.
final class MalformedEvidenceException extends Exception {
    private static final long serialVersionUID = 1L;

    MalformedEvidenceException(String message) {
        super(message);
    }
}
