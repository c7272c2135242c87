package dev.holdfast.rollout;

/// What a device says of its action.
///
/// @param details bounded and free of control characters
public record Feedback(Phase phase, String execution, String result, String details) {
    public enum Phase {
        /// Nothing decided.
        PROCEEDING,
        /// It has the whole image.
        DOWNLOADED,
        SUCCEEDED,
        FAILED,
        /// It will not do it, or has stopped doing it.
        CANCELLED,
        /// It can't stop any more (answer to a cancellation).
        CANCELLATION_REJECTED
    }
}
