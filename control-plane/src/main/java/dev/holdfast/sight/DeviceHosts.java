package dev.holdfast.sight;

import dev.holdfast.core.DeviceRef;
import dev.holdfast.telemetry.Observation.SessionActivity;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Whence devices come, gathered to be written: each device's last host, and only when it is another than before
/// (or a day has passed).
final class DeviceHosts {
    private static final int MOST_WAITING = 20_000;
    private static final int MOST_WRITTEN = 1_000;
    private static final int REMEMBERED = 1 << 16; // half a MiB: which device was heard where, as far as slots go
    private static final Duration AFRESH = Duration.ofDays(1);

    private final Map<DeviceRef, Seen> waiting = new LinkedHashMap<>();
    private final long[] written = new long[REMEMBERED];
    private Instant forgetAt = Instant.MIN;

    record Seen(DeviceRef device, String host, Instant at) {}

    /// A session was opened: the device has proven who it is.
    synchronized void saw(SessionActivity opened) {
        String host = SourceHost.of(opened.remoteAddress());
        if (host.isEmpty() || written[slot(opened.device())] == mark(opened.device(), host)) {
            return;
        }
        if (waiting.size() < MOST_WAITING || waiting.containsKey(opened.device())) {
            waiting.put(opened.device(), new Seen(opened.device(), host, opened.receivedAt()));
        }
    }

    /// What to write now, in the order of the devices' names.
    synchronized List<Seen> take(Instant now) {
        if (now.isAfter(forgetAt)) {
            Arrays.fill(written, 0);
            forgetAt = now.plus(AFRESH);
        }
        List<Seen> some = new ArrayList<>();
        for (Seen seen : waiting.values()) {
            if (some.size() == MOST_WRITTEN) {
                break;
            }
            some.add(seen);
        }
        some.sort((a, b) -> a.device().toString().compareTo(b.device().toString()));
        return some;
    }

    /// They stand in the database.
    synchronized void written(List<Seen> taken) {
        for (Seen seen : taken) {
            waiting.remove(seen.device(), seen);
            written[slot(seen.device())] = mark(seen.device(), seen.host());
        }
    }

    private static int slot(DeviceRef device) {
        return (int) (spread(device.hashCode()) >>> 48) & (REMEMBERED - 1);
    }

    private static long mark(DeviceRef device, String host) {
        return ((long) device.hashCode() << 32) | (host.hashCode() & 0xffff_ffffL);
    }

    private static long spread(long hash) {
        return hash * 0x9E37_79B9_7F4A_7C15L;
    }
}
