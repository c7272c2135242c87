package dev.holdfast.protocol.scep;

/// A message that can't be taken for a request.
public final class ScepException extends Exception {
    private static final long serialVersionUID = 1L;
    private final FailInfo info;

    ScepException(FailInfo info, String message) {
        super(message);
        this.info = info;
    }

    public FailInfo info() {
        return info;
    }
}
