package dev.holdfast.rotation;

import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Serial;
import java.util.List;

/// Which certificates a campaign renews.
public sealed interface Chosen {
    /// For the journal.
    default String text() {
        return switch (this) {
            case All _ -> "all";
            case OfAuthority by -> "of authority " + by.authority();
            case OfDevices of -> "of " + of.devices().size() + " devices";
            case One one -> "serial " + one.certificate().hex();
        };
    }

    /// Every one of the environment that counts.
    record All() implements Chosen {}

    /// Those that this authority issued.
    record OfAuthority(String authority) implements Chosen {}

    record OfDevices(List<DeviceRef> devices) implements Chosen {
        public OfDevices {
            devices = List.copyOf(devices);
        }
    }

    record One(Serial certificate) implements Chosen {}
}
