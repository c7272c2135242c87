package dev.holdfast.rollout;

import dev.holdfast.firmware.Release;

/// What a device is to do now.
public sealed interface Offer {
    /// Nothing, and why.
    record Nothing(String reason) implements Offer {}

    /// Install this.
    ///
    /// @param action the id under which the device reports
    record Update(long action, long rollout, long release) implements Offer {}

    /// It has installed and is being watched: it should say which firmware it runs.
    record Watched(long rollout) implements Offer {}

    /// Forget that action.
    record Cancel(long action, long rollout) implements Offer {}

    /// The particulars of an action, for the device that it belongs to.
    record Work(long action, long rollout, long epoch, Release release) {}
}
