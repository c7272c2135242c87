package dev.holdfast.rollover;

import dev.holdfast.core.DeviceId;
import java.util.List;

/// Whether the next step of a rollover may be taken: a pure function of what is known of the devices.
final class RolloverPolicy {
    private RolloverPolicy() {}

    /// @param missing devices that stand in the way of the step: that have not said that they trust the new
    ///     root, or have a certificate of what would go that still counts
    /// @param some of them, by name
    record Facts(long missing, List<DeviceId> some) {
        static final Facts NOBODY_MISSING = new Facts(0, List.of());

        Facts {
            some = List.copyOf(some);
        }
    }

    /// Who answers for going on without those that are missing.
    enum Despite {
        NOBODY,
        ONE_PERSON,
        /// Two different people, each in writing.
        TWO_PEOPLE
    }

    sealed interface Decision {
        /// @param leftBehind how many devices are missing
        record Go(long leftBehind) implements Decision {}

        record Refuse(Step step) implements Decision {}

        /// It is noted, and a second person must agree.
        record AskAnother(long leftBehind) implements Decision {}
    }

    /// Step 2. For a root: our listeners change, so every device should trust it first; one person may go on,
    /// because the listeners show the way from the old root until the last step.
    static Decision move(Rollover rollover, Facts facts, Despite despite) {
        if (rollover.phase() != Rollover.Phase.READY) {
            return new Decision.Refuse(new Step.NotNow(rollover.phase()));
        }
        return switch (rollover.kind()) {
            case ISSUER -> new Decision.Go(0);
            case EMERGENCY -> new Decision.Refuse(new Step.NotNow(rollover.phase()));
            case ROOT ->
                facts.missing() == 0 || despite != Despite.NOBODY
                        ? new Decision.Go(facts.missing())
                        : new Decision.Refuse(new Step.DevicesDepend(facts.missing(), facts.some()));
        };
    }

    /// Step 3. Nothing goes while a device depends on it. In an emergency one person may leave devices behind,
    /// because the thief is not left waiting; of a root it takes two: those devices can't reach us any more.
    static Decision finish(Rollover rollover, Facts facts, Despite despite) {
        if (rollover.phase() != Rollover.Phase.MOVING) {
            return new Decision.Refuse(new Step.NotNow(rollover.phase()));
        }
        if (facts.missing() == 0) {
            return new Decision.Go(0);
        }
        Decision refused = new Decision.Refuse(new Step.DevicesDepend(facts.missing(), facts.some()));
        return switch (rollover.kind()) {
            case ISSUER -> refused;
            case EMERGENCY -> despite == Despite.NOBODY ? refused : new Decision.Go(facts.missing());
            case ROOT ->
                switch (despite) {
                    case NOBODY -> refused;
                    case ONE_PERSON -> new Decision.AskAnother(facts.missing());
                    case TWO_PEOPLE -> new Decision.Go(facts.missing());
                };
        };
    }
}
