package dev.holdfast.ingest;

import dev.holdfast.core.DeviceRef;
import dev.holdfast.inventory.DeviceDirectory;
import dev.holdfast.inventory.Standing;
import java.net.InetAddress;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/// Which device has which address, by the label `address` that operators set; in memory, and kept by the directory.
///
/// An address that two devices are said to have belongs to neither.
final class AddressBook {
    private static final String LABEL = "address";
    private final Map<String, Set<DeviceRef>> devices = new ConcurrentHashMap<>();
    private final Map<DeviceRef, String> addresses = new ConcurrentHashMap<>();

    AddressBook(DeviceDirectory directory) {
        directory.onChange(this::changed);
    }

    Optional<DeviceRef> find(InetAddress address) {
        Set<DeviceRef> found = devices.getOrDefault(address.getHostAddress(), Set.of());
        return found.size() == 1 ? found.stream().findFirst() : Optional.empty();
    }

    private void changed(DeviceRef device, Standing standing) {
        String now = standing.labels().get(LABEL).orElse("");
        String before = now.isEmpty() ? addresses.remove(device) : addresses.put(device, now);
        if (now.equals(before)) {
            return;
        }
        if (before != null) {
            devices.computeIfPresent(before, (_, all) -> without(all, device));
        }
        if (!now.isEmpty()) {
            devices.merge(now, Set.of(device), AddressBook::both);
        }
    }

    private static Set<DeviceRef> both(Set<DeviceRef> some, Set<DeviceRef> more) {
        Set<DeviceRef> all = new HashSet<>(some);
        all.addAll(more);
        return Set.copyOf(all);
    }

    private static Set<DeviceRef> without(Set<DeviceRef> all, DeviceRef one) {
        Set<DeviceRef> rest = new HashSet<>(all);
        rest.remove(one);
        return Set.copyOf(rest);
    }
}
