package dev.holdfast.rollover;

import dev.holdfast.core.DeviceId;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/// How far a rollover has come. A device is *moved* when it has connected with a certificate of the new
/// authority: that alone shows that it has it and can use it. It *trusts* a new root when its configuration
/// report names that root's fingerprint (setting `trust.roots`); what it fetched does not count.
///
/// @param devices that are not retired and have a certificate that counts
/// @param moved with a certificate of the new authority in use
/// @param depending with a certificate of the old authority that still counts
/// @param trusting of a root's: devices that said they trust the new one
/// @param fetched of a root's: devices that have fetched the certificates that carry it in
/// @param lastMinute how many moved in the last minute
/// @param missing some of those that are missing in this phase, by name; not all, where there are many
public record Progress(
        long devices,
        long moved,
        long depending,
        long trusting,
        long fetched,
        long lastMinute,
        List<DeviceId> missing) {
    public Progress {
        missing = List.copyOf(missing);
    }

    /// How long it takes at the pace of the last minute.
    public Optional<Duration> remaining() {
        return lastMinute == 0 ? Optional.empty() : Optional.of(Duration.ofMinutes(depending / lastMinute + 1));
    }
}
