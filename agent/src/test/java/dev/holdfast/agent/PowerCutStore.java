package dev.holdfast.agent;

import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/// A device's flash whose power goes at a chosen write: what was under way is done, undone, or done in part, as flash
/// does it.
final class PowerCutStore implements DeviceStore {
    private final MemoryDeviceStore flash;
    private final SplittableRandom random;
    private int writesLeft;
    private int writes;

    /// The power went.
    static final class PowerCutException extends IOException {
        private static final long serialVersionUID = 1L;

        PowerCutException() {
            super("power cut");
        }
    }

    /// @param writesLeft the write that does not end well, from 1; a negative number for none
    PowerCutStore(MemoryDeviceStore flash, int writesLeft, SplittableRandom random) {
        this.flash = flash;
        this.writesLeft = writesLeft;
        this.random = random;
    }

    int writes() {
        return writes;
    }

    private boolean cutNow() {
        writes++;
        return writesLeft > 0 && --writesLeft == 0;
    }

    @Override
    public byte @Nullable [] read(String name) {
        return flash.read(name);
    }

    @Override
    public void write(String name, byte[] content) throws IOException {
        if (cutNow()) {
            if (random.nextBoolean()) {
                flash.write(name, content);
            }
            throw new PowerCutException();
        }
        flash.write(name, content);
    }

    @Override
    public void delete(String name) throws IOException {
        if (cutNow()) {
            if (random.nextBoolean()) {
                flash.delete(name);
            }
            throw new PowerCutException();
        }
        flash.delete(name);
    }

    @Override
    public void eraseSlot(Slot slot) throws IOException {
        if (cutNow()) {
            byte[] before;
            try (InputStream image = flash.openSlot(slot)) {
                before = image.readAllBytes();
            }
            flash.eraseSlot(slot);
            flash.appendToSlot(slot, Arrays.copyOf(before, random.nextInt(before.length + 1)));
            throw new PowerCutException();
        }
        flash.eraseSlot(slot);
    }

    @Override
    public void appendToSlot(Slot slot, byte[] bytes) throws IOException {
        if (cutNow()) {
            flash.appendToSlot(slot, Arrays.copyOf(bytes, random.nextInt(bytes.length + 1)));
            throw new PowerCutException();
        }
        flash.appendToSlot(slot, bytes);
    }

    @Override
    public long slotLength(Slot slot) {
        return flash.slotLength(slot);
    }

    @Override
    public InputStream openSlot(Slot slot) {
        return flash.openSlot(slot);
    }

    @Override
    public void syncSlot(Slot slot) throws IOException {
        if (cutNow()) {
            throw new PowerCutException();
        }
        flash.syncSlot(slot);
    }
}
