package dev.holdfast.rollover;

import dev.holdfast.core.DeviceId;
import dev.holdfast.protocol.x509.RootKeyUpdate;
import java.util.List;

/// What became of a wish to go on with a rollover.
public sealed interface Step {
    record Done(Rollover rollover) implements Step {}

    record Unknown() implements Step {}

    /// It is not in a phase for that.
    record NotNow(Rollover.Phase phase) implements Step {}

    /// Devices depend on what would go.
    ///
    /// @param some of them by name
    record DevicesDepend(long count, List<DeviceId> some) implements Step {
        public DevicesDepend {
            some = List.copyOf(some);
        }
    }

    /// It is noted; a second person must agree that these devices are left behind.
    record NeedsAnother(Rollover rollover, long devices) implements Step {}

    /// The key that would have to sign is not here: ask for a request, hold a ceremony, install the answer.
    record NeedsCeremony(String authority) implements Step {}

    /// What a ceremony handed in is not the next root of the one in use.
    record RootRefused(RootKeyUpdate.Refused why) implements Step {}

    /// The authority is being replaced already, or is not one that can be.
    record NotReplaceable(String detail) implements Step {}
}
