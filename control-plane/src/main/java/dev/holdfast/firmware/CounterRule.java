package dev.holdfast.firmware;

import java.util.Optional;

/// The rule of security counters: they rise only in a release declared irreversible, and never fall.
final class CounterRule {
    private CounterRule() {}

    /// @param floor the model's floor, empty before its first release
    /// @return why the counter is refused, or empty
    static Optional<Registered.Refused> check(long counter, boolean irreversible, Optional<Long> floor) {
        if (floor.isEmpty()) {
            return Optional.empty();
        }
        if (counter < floor.get()) {
            return Optional.of(new Registered.Refused(
                    Registered.Reason.COUNTER_BELOW_FLOOR,
                    "its security counter is " + counter + ", the model's floor " + floor.get()));
        }
        if (counter > floor.get() && !irreversible) {
            return Optional.of(new Registered.Refused(
                    Registered.Reason.COUNTER_RISES_BUT_NOT_DECLARED_IRREVERSIBLE,
                    "its security counter " + counter + " is above the model's floor " + floor.get()
                            + ", so devices can't go back: register it as irreversible and have it approved"));
        }
        return Optional.empty();
    }
}
