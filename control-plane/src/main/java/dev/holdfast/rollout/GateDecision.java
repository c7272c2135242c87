package dev.holdfast.rollout;

/// What the gate says.
public sealed interface GateDecision {
    /// The batch is done and was good: the next one may begin, or the rollout has finished.
    record Advance() implements GateDecision {}

    /// @param until what is waited for
    record Wait(String until) implements GateDecision {}

    /// It fails and there is no way back: stop, and let a person fix forward.
    record Pause(String reason) implements GateDecision {}

    /// It fails: stop, and send everyone who was exposed back.
    record RollBack(String reason) implements GateDecision {}
}
