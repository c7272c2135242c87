package dev.holdfast.rotation;

import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Serial;
import java.util.List;

/// Which certificates a campaign renews.
public sealed interface Chosen {
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
