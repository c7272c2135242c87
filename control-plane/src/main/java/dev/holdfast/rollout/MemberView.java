package dev.holdfast.rollout;

import dev.holdfast.core.DeviceId;
import java.time.Instant;
import java.util.Optional;

/// One device of a rollout as people see it.
public record MemberView(
        DeviceId device,
        long action,
        int batch,
        MemberState state,
        Optional<Instant> grantedAt,
        Optional<Instant> exposedAt,
        Optional<Instant> reportedAt,
        Optional<String> reason) {
    static MemberView of(MemberRow row) {
        return new MemberView(
                row.device().id(),
                row.action(),
                row.batch(),
                row.state(),
                row.grantedAt(),
                row.exposedAt(),
                row.reportedAt(),
                row.reason());
    }
}
