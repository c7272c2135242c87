package dev.holdfast.inventory;

import dev.holdfast.core.DeviceRef;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.BiConsumer;

/// The standing of every device, in memory on every node, kept current by the journal's tail.
///
/// Decisions at connect and during a session are made from here; a device that is not here is unknown, and
/// refused.
public final class DeviceDirectory {
    private final Map<DeviceRef, Standing> standings = new ConcurrentHashMap<>();
    private final CopyOnWriteArrayList<BiConsumer<DeviceRef, Standing>> listeners = new CopyOnWriteArrayList<>();

    public Optional<Standing> find(DeviceRef device) {
        return Optional.ofNullable(standings.get(device));
    }

    public int size() {
        return standings.size();
    }

    /// Called after the standing has changed in memory, on the journal's tail thread: be quick.
    public void onChange(BiConsumer<DeviceRef, Standing> listener) {
        listeners.add(listener);
    }

    void put(DeviceRef device, Standing standing) {
        Standing before = standings.put(device, standing);
        if (!standing.equals(before)) {
            listeners.forEach(listener -> listener.accept(device, standing));
        }
    }
}
