package dev.holdfast.response;

import java.time.Duration;

/// What a playbook wants done about an incident. Telling people is not a step: notifications follow the
/// journal, so
/// nothing that is recorded can be forgotten by them.
sealed interface Step {
    /// The device may connect, and reaches only what heals it.
    record Quarantine(Duration limit, String reason) implements Step {}

    /// The device is refused everywhere.
    record Suspend(Duration limit, String reason) implements Step {}

    /// As above, but a person must say yes.
    record AwaitApproval(Action.Kind kind, Duration limit, String reason, String waitsBecause) implements Step {}
}
