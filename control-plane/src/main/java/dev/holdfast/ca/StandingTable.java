package dev.holdfast.ca;

import dev.holdfast.core.DeviceRef;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.locks.StampedLock;
import org.jspecify.annotations.Nullable;

/// A share of the standings in primitive arrays: 28 octets a slot and the device's name, where a map of
/// records takes ten times that. Open addressing; nothing is ever removed. Readers take no lock unless a
/// change gets between.
final class StandingTable {
    private static final int FIRST = 64;
    /// Times three slots are used before a table of four is too full.
    private static final int FULL = 3;
    private static final int FIELDS = 3;
    private static final int PACKED = 0;
    private static final int ENDED_AT = 1;
    private static final int NAME_AT = 2;
    static final int NO_NAME = -1;

    private final StampedLock lock = new StampedLock();
    private volatile Rows rows = new Rows(FIRST, new byte[FIRST]);
    private int size;
    private int namesEnd;

    /// A row as it was at one moment.
    ///
    /// @param packed what [CertificateStandings] packs
    /// @param endedAt seconds since 1970, 0 for none
    /// @param name of the device; null for none
    record Row(int packed, int endedAt, @Nullable String name) {}

    private static final class Rows {
        final int slots;
        final long[] keys;
        final int[] values;
        final byte[] names;

        Rows(int slots, byte[] names) {
            this(slots, new long[2 * slots], new int[FIELDS * slots], names);
        }

        private Rows(int slots, long[] keys, int[] values, byte[] names) {
            this.slots = slots;
            this.keys = keys;
            this.values = values;
            this.names = names;
        }

        Rows with(byte[] otherNames) {
            return new Rows(slots, keys, values, otherNames);
        }

        /// The slot of this key, or the free one where it would be put, as its complement.
        int slot(long high, long low) {
            long mixed = (high ^ low * 0x9E3779B97F4A7C15L) * 0xD1B54A32D192ED03L;
            int at = (int) Math.unsignedMultiplyHigh(mixed, slots);
            for (int tried = 0; tried < slots; tried++) {
                long foundHigh = keys[2 * at];
                long foundLow = keys[2 * at + 1];
                if (foundHigh == high && foundLow == low) {
                    return at;
                }
                if (foundHigh == 0 && foundLow == 0) {
                    return ~at;
                }
                at = at + 1 == slots ? 0 : at + 1;
            }
            return ~slots; // only while a change is under way: looked up again under the lock
        }
    }

    int size() {
        long stamp = lock.readLock();
        try {
            return size;
        } finally {
            lock.unlockRead(stamp);
        }
    }

    /// @param expected when the row is this device's, its name is not read again but taken from here
    @Nullable
    Row find(long high, long low, @Nullable DeviceRef expected) {
        long stamp = lock.tryOptimisticRead();
        if (stamp != 0) {
            Row found = read(rows, high, low, expected);
            if (lock.validate(stamp)) {
                return found;
            }
        }
        stamp = lock.readLock();
        try {
            return read(rows, high, low, expected);
        } finally {
            lock.unlockRead(stamp);
        }
    }

    private static @Nullable Row read(Rows rows, long high, long low, @Nullable DeviceRef expected) {
        int slot = rows.slot(high, low);
        if (slot < 0) {
            return null;
        }
        int at = FIELDS * slot;
        return new Row(
                rows.values[at + PACKED],
                rows.values[at + ENDED_AT],
                name(rows.names, rows.values[at + NAME_AT], expected));
    }

    private static @Nullable String name(byte[] names, int at, @Nullable DeviceRef expected) {
        if (at < 0 || at >= names.length || at + 1 + names[at] > names.length) {
            return null; // none, or a change is under way and the row is read again
        }
        int length = names[at];
        if (expected != null && isName(names, at + 1, length, expected.id().value())) {
            return expected.id().value();
        }
        return new String(names, at + 1, length, StandardCharsets.US_ASCII);
    }

    private static boolean isName(byte[] names, int at, int length, String name) {
        if (name.length() != length) {
            return false;
        }
        for (int i = 0; i < length; i++) {
            if (names[at + i] != name.charAt(i)) {
                return false;
            }
        }
        return true;
    }

    /// What becomes of a row.
    interface Change {
        /// @param before null when there was none
        /// @return null to leave everything as it was; the name counts for a new row only
        @Nullable
        Row apply(@Nullable Row before);
    }

    void change(long high, long low, Change change) {
        long stamp = lock.writeLock();
        try {
            Row before = read(rows, high, low, null);
            Row after = change.apply(before);
            if (after == null) {
                return;
            }
            int nameAt = before == null ? append(after.name()) : NO_NAME;
            if (before == null && (size + 1) * 4L > (long) rows.slots * FULL) {
                grow();
            }
            Rows now = rows;
            int slot = now.slot(high, low);
            if (slot < 0) {
                slot = ~slot;
                now.values[FIELDS * slot + NAME_AT] = nameAt;
                now.keys[2 * slot] = high;
                now.keys[2 * slot + 1] = low;
                size++;
            }
            now.values[FIELDS * slot + PACKED] = after.packed();
            now.values[FIELDS * slot + ENDED_AT] = after.endedAt();
        } finally {
            lock.unlockWrite(stamp);
        }
    }

    private int append(@Nullable String name) {
        if (name == null) {
            return NO_NAME;
        }
        byte[] octets = name.getBytes(StandardCharsets.US_ASCII);
        Rows now = rows;
        byte[] names = now.names;
        if (namesEnd + 1 + octets.length > names.length) {
            names = java.util.Arrays.copyOf(names, Math.max(names.length * 3 / 2, namesEnd + 1 + octets.length));
            rows = now.with(names);
        }
        int at = namesEnd;
        names[at] = (byte) octets.length;
        System.arraycopy(octets, 0, names, at + 1, octets.length);
        namesEnd += 1 + octets.length;
        return at;
    }

    private void grow() {
        Rows old = rows;
        Rows larger = new Rows(old.slots * 3 / 2, old.names);
        for (int slot = 0; slot < old.slots; slot++) {
            long high = old.keys[2 * slot];
            long low = old.keys[2 * slot + 1];
            if (high != 0 || low != 0) {
                int to = ~larger.slot(high, low);
                larger.keys[2 * to] = high;
                larger.keys[2 * to + 1] = low;
                System.arraycopy(old.values, FIELDS * slot, larger.values, FIELDS * to, FIELDS);
            }
        }
        rows = larger;
    }
}
