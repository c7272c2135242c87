package dev.holdfast.protocol.cmp;

/// The bytes are not a CMP message that can be acted upon; says why, in the protocol's terms and in words.
public final class CmpException extends Exception {
    private static final long serialVersionUID = 1L;
    private final CmpFailure failure;

    public CmpException(CmpFailure failure, String message) {
        super(message);
        this.failure = failure;
    }

    public CmpException(CmpFailure failure, String message, Throwable cause) {
        super(message, cause);
        this.failure = failure;
    }

    public CmpFailure failure() {
        return failure;
    }

    public String text() {
        return String.valueOf(getMessage());
    }
}
