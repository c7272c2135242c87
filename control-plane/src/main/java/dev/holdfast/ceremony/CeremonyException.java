package dev.holdfast.ceremony;

/// Something the people at the table can mend is wrong; the message says what. Nothing was signed.
public final class CeremonyException extends Exception {
    private static final long serialVersionUID = 1L;

    public CeremonyException(String message) {
        super(message);
    }

    public CeremonyException(String message, Throwable cause) {
        super(message, cause);
    }
}
