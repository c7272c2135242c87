package dev.holdfast.response;

import dev.holdfast.inventory.Device;
import dev.holdfast.inventory.Lifecycle;
import dev.holdfast.response.Incident.Evidence;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/// What is to be done about an incident. Pure.
///
/// Only evidence that is proven or observed, and at least HIGH, isolates; and only for families in which the
/// device
/// itself acts. A silent or wrongly configured device, or one that others try to pass for, is not isolated.
final class Playbook {
    static final Duration QUARANTINE_FOR = Duration.ofHours(24);
    static final Duration SUSPEND_FOR = Duration.ofDays(7);
    /// After a person has undone an isolation, the next one of that device is theirs to approve.
    static final Duration RESPECT_FOR = Duration.ofHours(24);

    private Playbook() {}

    static List<Step> plan(Incident incident, Device device, BlastRadius blastRadius, Instant now) {
        Optional<Action.Kind> kind = isolation(incident);
        if (kind.isEmpty() || !mayBe(kind.get(), device.state())) {
            return List.of();
        }
        Duration limit = kind.get() == Action.Kind.SUSPEND ? SUSPEND_FOR : QUARANTINE_FOR;
        String reason = reason(incident);
        Optional<String> waits = restraint(blastRadius, now);
        if (waits.isPresent()) {
            return List.of(new Step.AwaitApproval(kind.get(), limit, reason, waits.get()));
        }
        return List.of(
                switch (kind.get()) {
                    case QUARANTINE -> new Step.Quarantine(limit, reason);
                    case SUSPEND -> new Step.Suspend(limit, reason);
                });
    }

    private static Optional<Action.Kind> isolation(Incident incident) {
        if (!incident.isOpen() || incident.evidence().stream().noneMatch(Correlation::isActionable)) {
            return Optional.empty();
        }
        return answer(incident.family());
    }

    private static Optional<Action.Kind> answer(Incident.Family family) {
        return switch (family) {
            case IDENTITY -> Optional.of(Action.Kind.SUSPEND);
            case PROTOCOL, TRAFFIC, INTEGRITY -> Optional.of(Action.Kind.QUARANTINE);
            case CREDENTIAL, ACCESS, TELEMETRY, PRESENCE, CONFIGURATION, ROLLOUT, MANUAL -> Optional.empty();
        };
    }

    /// Whether incidents of this family may isolate a device at all.
    static boolean isolates(Incident.Family family) {
        return answer(family).isPresent();
    }

    private static boolean mayBe(Action.Kind kind, Lifecycle state) {
        return switch (kind) {
            case QUARANTINE -> state == Lifecycle.ACTIVE || state == Lifecycle.ENROLLED;
            case SUSPEND -> state == Lifecycle.ACTIVE || state == Lifecycle.ENROLLED || state == Lifecycle.QUARANTINED;
        };
    }

    private static Optional<String> restraint(BlastRadius blastRadius, Instant now) {
        if (blastRadius.switchedOff()) {
            return Optional.of("automatic isolation is switched off");
        }
        if (blastRadius.exempt().isPresent()) {
            return blastRadius.exempt();
        }
        Optional<Instant> undone =
                blastRadius.undone().filter(at -> at.plus(RESPECT_FOR).isAfter(now));
        if (undone.isPresent()) {
            return Optional.of("a person undid the isolation of this device at " + undone.get());
        }
        return blastRadius.exceeded();
    }

    private static String reason(Incident incident) {
        Evidence strongest = incident.evidence().stream()
                .filter(Correlation::isActionable)
                .reduce((a, b) -> b.severity().compareTo(a.severity()) >= 0 ? b : a)
                .orElseThrow();
        return Correlation.sentence(strongest.cause()) + ": expected " + strongest.expected() + "; seen "
                + strongest.seen();
    }
}
