package dev.holdfast.rollout;

import dev.holdfast.core.DeviceRef;
import java.time.Instant;
import java.util.Optional;

/// A row of the rollout_device table.
record MemberRow(
        long rollout,
        DeviceRef device,
        long action,
        int batch,
        MemberState state,
        Optional<Instant> grantedAt,
        Optional<Instant> deadline,
        Optional<Instant> exposedAt,
        Optional<Instant> installedAt,
        Optional<Instant> reportedAt,
        Optional<Cancel> cancel,
        Optional<String> reason) {
    enum Cancel {
        ASKED,
        CONFIRMED,
        REFUSED
    }
}
