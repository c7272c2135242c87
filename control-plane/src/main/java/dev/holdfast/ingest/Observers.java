package dev.holdfast.ingest;

import dev.holdfast.core.DeviceRef;
import dev.holdfast.inventory.Lifecycle;
import dev.holdfast.inventory.Standing;
import dev.holdfast.telemetry.Provenance;
import java.util.Optional;

/// Whose word counts how much. Pure.
///
/// A gateway (label `role=gateway`, which only operators set) is believed about the devices that are reached through
/// it, and about no others; a device may speak of itself, and that is only its own claim.
final class Observers {
    private Observers() {}

    /// @param reporterStanding of who reports, as admitted
    /// @param subjectStanding of whom it speaks
    /// @return how it is known; empty where the reporter has no say
    static Optional<Provenance> provenance(
            DeviceRef reporter, Standing reporterStanding, DeviceRef subject, Optional<Standing> subjectStanding) {
        if (subject.equals(reporter)) {
            return Optional.of(Provenance.CLAIMED);
        }
        boolean gateway = reporterStanding.labels().get("role").equals(Optional.of("gateway"))
                && reporterStanding.state() != Lifecycle.QUARANTINED;
        boolean child = subject.environment().equals(reporter.environment())
                && subjectStanding.flatMap(Standing::reachesVia).equals(Optional.of(reporter.id()));
        return gateway && child ? Optional.of(Provenance.OBSERVED) : Optional.empty();
    }
}
