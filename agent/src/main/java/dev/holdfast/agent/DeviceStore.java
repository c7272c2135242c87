package dev.holdfast.agent;

import java.io.IOException;
import java.io.InputStream;
import org.jspecify.annotations.Nullable;

/// What a device keeps across power cuts: small named records, and two slots for firmware.
///
/// A record is written wholly or not at all, and is on stable storage when [#write] returns. A slot is flash: a power
/// cut while it is written or erased may leave any prefix of what was meant.
public interface DeviceStore {
    /// The record, or null when there is none.
    byte @Nullable [] read(String name) throws IOException;

    void write(String name, byte[] content) throws IOException;

    void delete(String name) throws IOException;

    void eraseSlot(Slot slot) throws IOException;

    void appendToSlot(Slot slot, byte[] bytes) throws IOException;

    long slotLength(Slot slot) throws IOException;

    InputStream openSlot(Slot slot) throws IOException;

    /// Makes what was appended to the slot survive a power cut.
    void syncSlot(Slot slot) throws IOException;
}
