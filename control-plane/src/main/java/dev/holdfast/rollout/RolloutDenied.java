package dev.holdfast.rollout;

/// A wish about a rollout that can't be met, and why.
public final class RolloutDenied extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /// Facts.
    public enum Reason {
        RELEASE_UNKNOWN,
        RELEASE_NOT_FOR_THIS_MODEL,
        RELEASE_NEEDS_APPROVAL,
        RELEASE_HALTED_OR_WITHDRAWN,
        WAY_BACK_HAS_ANOTHER_COUNTER,
        COUNTER_BELOW_FLOOR,
        NO_DEVICE_MATCHES,
        ANOTHER_ROLLOUT_OF_THE_MODEL_IS_ACTIVE,
        ROLLOUT_UNKNOWN,
        NOT_IN_THIS_STATE
    }

    private final Reason reason;

    public RolloutDenied(Reason reason, String detail) {
        super(detail);
        this.reason = reason;
    }

    public Reason reason() {
        return reason;
    }
}
