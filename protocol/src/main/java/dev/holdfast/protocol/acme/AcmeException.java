package dev.holdfast.protocol.acme;

/// A message that can't be taken for what it should be, with the problem that its sender is told.
public final class AcmeException extends Exception {
    private static final long serialVersionUID = 1L;
    private final AcmeProblem problem;

    /// @param detail how to mend it; quotes nothing that the sender said
    public AcmeException(AcmeProblem problem, String detail) {
        super(detail);
        this.problem = problem;
    }

    public AcmeProblem problem() {
        return problem;
    }

    public String detail() {
        return String.valueOf(getMessage());
    }
}
