package dev.holdfast.agent;

import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// A device's flash, simulated: for a city of many devices in one process, and for tests that cut the power.
public final class MemoryDeviceStore implements DeviceStore {
    private final Map<String, byte[]> records = new TreeMap<>();
    private final Map<Slot, byte[]> slots = new EnumMap<>(Slot.class);

    @Override
    public synchronized byte @Nullable [] read(String name) {
        byte[] content = records.get(name);
        return content == null ? null : content.clone();
    }

    @Override
    public synchronized void write(String name, byte[] content) {
        records.put(name, content.clone());
    }

    @Override
    public synchronized void delete(String name) {
        records.remove(name);
    }

    @Override
    public synchronized void eraseSlot(Slot slot) {
        slots.remove(slot);
    }

    @Override
    public synchronized void appendToSlot(Slot slot, byte[] bytes) {
        byte[] before = slots.getOrDefault(slot, new byte[0]);
        byte[] after = Arrays.copyOf(before, before.length + bytes.length);
        System.arraycopy(bytes, 0, after, before.length, bytes.length);
        slots.put(slot, after);
    }

    @Override
    public synchronized long slotLength(Slot slot) {
        return slots.getOrDefault(slot, new byte[0]).length;
    }

    @Override
    public synchronized InputStream openSlot(Slot slot) {
        return new ByteArrayInputStream(slots.getOrDefault(slot, new byte[0]));
    }

    @Override
    public void syncSlot(Slot slot) {
        // Memory has nothing to flush.
    }
}
