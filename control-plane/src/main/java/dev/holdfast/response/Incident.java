package dev.holdfast.response;

import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Environment;
import dev.holdfast.detection.Finding;
import dev.holdfast.telemetry.Provenance;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// Something that a person should know of: findings of one family about one subject.
///
/// At most one is open for a subject and family, so a cause that repeats adds evidence and never a second
/// incident.
///
/// @param provenance the best of its evidence; only proven or observed evidence isolates by itself
/// @param causes names of [Finding.Cause], `ROLLOUT_STOPPED` or `ISOLATED_BY_HAND`
/// @param firstObservedAt when the first bad observation was received by us
/// @param findings how many there were, also those no longer among the evidence
/// @param evidence the first ones and the latest ones, at most [#MOST_EVIDENCE]
public record Incident(
        IncidentId id,
        Subject subject,
        Family family,
        Status status,
        Finding.Severity severity,
        Provenance provenance,
        Set<String> causes,
        String summary,
        Instant openedAt,
        Instant updatedAt,
        Instant firstObservedAt,
        Instant lastFindingAt,
        int findings,
        List<Evidence> evidence,
        Optional<Handling> acknowledged,
        Optional<Handling> closed) {

    public static final int MOST_EVIDENCE = 20;

    public Incident {
        causes = Set.copyOf(causes);
        evidence = List.copyOf(evidence);
        if (evidence.size() > MOST_EVIDENCE) {
            throw new IllegalArgumentException("more than " + MOST_EVIDENCE + " pieces of evidence");
        }
    }

    /// Whom or what it is about.
    public sealed interface Subject {
        Environment environment();

        /// As in the journal: `device:m-1`, `rollout:42`
        String text();

        record OfDevice(DeviceRef device) implements Subject {
            @Override
            public Environment environment() {
                return device.environment();
            }

            @Override
            public String text() {
                return "device:" + device.id();
            }
        }

        /// What concerns the certificates of one of our authorities, and no single device.
        record OfAuthority(Environment environment, String authority) implements Subject {
            @Override
            public String text() {
                return "authority:" + authority;
            }
        }

        record OfRollout(Environment environment, String rollout) implements Subject {
            @Override
            public String text() {
                return "rollout:" + rollout;
            }
        }
    }

    /// What belongs together in one incident.
    public enum Family {
        /// The identity may be in other hands.
        IDENTITY,
        /// Its certificate or key is not as it should be, or the certificates of an authority are not; nobody
        /// is isolated for that.
        CREDENTIAL,
        /// Somebody fails to authenticate under its name; never acted upon against the device named.
        ACCESS,
        /// It breaks the rules inside its own authenticated session.
        PROTOCOL,
        /// It talks to whom it should not.
        TRAFFIC,
        /// Its numbers are not what they were, or not possible.
        TELEMETRY,
        /// It is not heard.
        PRESENCE,
        /// It is not configured as desired.
        CONFIGURATION,
        /// It does not show that it runs what is approved. Over when it does.
        INTEGRITY,
        /// A rollout was stopped.
        ROLLOUT,
        /// A person isolated it, without a finding.
        MANUAL
    }

    public enum Status {
        OPEN,
        ACKNOWLEDGED,
        CLOSED
    }

    /// One finding, as the person sees it.
    public record Evidence(
            String cause,
            Finding.Severity severity,
            Provenance provenance,
            Instant since,
            Instant at,
            String expected,
            String seen) {}

    /// What a person did about it.
    ///
    /// @param actor as in the journal: `operator:ab12`
    public record Handling(Instant at, String actor, String reason) {}

    public boolean isOpen() {
        return status != Status.CLOSED;
    }

    Incident numbered(IncidentId number) {
        return copy(number, status, updatedAt, acknowledged, closed);
    }

    Incident acknowledged(Handling handling) {
        return copy(id, Status.ACKNOWLEDGED, handling.at(), Optional.of(handling), closed);
    }

    Incident closed(Handling handling) {
        return copy(id, Status.CLOSED, handling.at(), acknowledged, Optional.of(handling));
    }

    private Incident copy(
            IncidentId number,
            Status nextStatus,
            Instant nextUpdatedAt,
            Optional<Handling> nextAcknowledged,
            Optional<Handling> nextClosed) {
        return new Incident(
                number,
                subject,
                family,
                nextStatus,
                severity,
                provenance,
                causes,
                summary,
                openedAt,
                nextUpdatedAt,
                firstObservedAt,
                lastFindingAt,
                findings,
                evidence,
                nextAcknowledged,
                nextClosed);
    }
}
