package dev.holdfast.response;

import dev.holdfast.detection.Finding;
import dev.holdfast.response.Incident.Evidence;
import dev.holdfast.response.Incident.Family;
import dev.holdfast.response.Incident.Status;
import dev.holdfast.response.Incident.Subject;
import dev.holdfast.telemetry.Provenance;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// Which incident a finding belongs to. Pure.
final class Correlation {
    private Correlation() {}

    /// @param incident as it is now; its id is [#UNNUMBERED] when it is new
    record Correlated(Incident incident, Kind kind) {
        enum Kind {
            OPENED,
            /// Worse than before, or better known: people are told again.
            ESCALATED,
            MORE_EVIDENCE
        }
    }

    static final IncidentId UNNUMBERED = new IncidentId(0);

    static Family family(Finding.Cause cause) {
        return switch (cause) {
            case IDENTITY_USED_IN_TWO_PLACES, SUPERSEDED_CERTIFICATE_IN_USE -> Family.IDENTITY;
            case OLD_CERTIFICATE_PRESENTED, KEY_SHARED, KEY_WEAK, CERTIFICATE_ENDING -> Family.CREDENTIAL;
            case AUTHENTICATION_FAILURES_REPEATED -> Family.ACCESS;
            case FORBIDDEN_TOPIC_REPEATED, FOREIGN_ACTION_REPEATED, MALFORMED_MESSAGES_REPEATED, MESSAGE_FLOOD ->
                Family.PROTOCOL;
            case DESTINATION_NOT_ALLOWED, DESTINATION_FAN_OUT, PORT_SCAN -> Family.TRAFFIC;
            case TELEMETRY_OUT_OF_HISTORY, TELEMETRY_IMPOSSIBLE -> Family.TELEMETRY;
            case SILENCE, SILENCE_BEHIND_GATEWAY -> Family.PRESENCE;
            case CONFIGURATION_DRIFT -> Family.CONFIGURATION;
            case ATTESTED_STATE_NOT_APPROVED, ATTESTATION_KEY_WRONG, ATTESTATION_NOT_BELIEVED, ATTESTATION_OVERDUE ->
                Family.INTEGRITY;
        };
    }

    static Correlated apply(List<Incident> openIncidents, Finding finding) {
        return apply(
                openIncidents,
                new Subject.OfDevice(finding.device()),
                family(finding.cause()),
                new Evidence(
                        finding.cause().name(),
                        finding.severity(),
                        finding.provenance(),
                        finding.since(),
                        finding.at(),
                        finding.expected(),
                        finding.seen()));
    }

    static Correlated apply(List<Incident> openIncidents, Subject subject, Family family, Evidence evidence) {
        Optional<Incident> open = openIncidents.stream()
                .filter(i -> i.isOpen() && i.family() == family && i.subject().equals(subject))
                .findFirst();
        return open.map(incident -> joined(incident, evidence))
                .orElseGet(() -> new Correlated(opened(subject, family, evidence), Correlated.Kind.OPENED));
    }

    private static Incident opened(Subject subject, Family family, Evidence e) {
        return new Incident(
                UNNUMBERED,
                subject,
                family,
                Status.OPEN,
                e.severity(),
                e.provenance(),
                Set.of(e.cause()),
                summary(subject, e),
                e.at(),
                e.at(),
                e.since(),
                e.at(),
                1,
                List.of(e),
                Optional.empty(),
                Optional.empty());
    }

    private static Correlated joined(Incident i, Evidence e) {
        boolean worse = e.severity().compareTo(i.severity()) > 0;
        boolean betterKnown = e.provenance().compareTo(i.provenance()) < 0;
        Set<String> causes = new HashSet<>(i.causes());
        causes.add(e.cause());
        Incident next = new Incident(
                i.id(),
                i.subject(),
                i.family(),
                i.status(),
                worse ? e.severity() : i.severity(),
                betterKnown ? e.provenance() : i.provenance(),
                causes,
                worse || betterKnown ? summary(i.subject(), e) : i.summary(),
                i.openedAt(),
                later(i.updatedAt(), e.at()),
                e.since().isBefore(i.firstObservedAt()) ? e.since() : i.firstObservedAt(),
                later(i.lastFindingAt(), e.at()),
                i.findings() + 1,
                bounded(i.evidence(), e),
                i.acknowledged(),
                i.closed());
        return new Correlated(next, worse || betterKnown ? Correlated.Kind.ESCALATED : Correlated.Kind.MORE_EVIDENCE);
    }

    /// The first half stays as it was found first, the newer half rolls on; what may be acted upon is never
    /// dropped for
    /// what may not.
    private static List<Evidence> bounded(List<Evidence> known, Evidence added) {
        List<Evidence> all = new ArrayList<>(known);
        all.add(added);
        if (all.size() > Incident.MOST_EVIDENCE) {
            int firstOfNewer = Incident.MOST_EVIDENCE / 2;
            int victim = firstOfNewer;
            boolean onlyStrong = all.stream().filter(Correlation::isActionable).count() == 1;
            if (onlyStrong && isActionable(all.get(victim))) {
                victim++;
            }
            all.remove(victim);
        }
        return all;
    }

    /// Whether it is bad enough, and known well enough, to isolate a device without asking.
    static boolean isActionable(Evidence evidence) {
        return evidence.provenance() != Provenance.CLAIMED
                && evidence.severity().compareTo(Finding.Severity.HIGH) >= 0;
    }

    private static Instant later(Instant a, Instant b) {
        return a.isAfter(b) ? a : b;
    }

    private static String summary(Subject subject, Evidence e) {
        String what = sentence(e.cause());
        return what + ": " + subject.text().substring(subject.text().indexOf(':') + 1) + ". Expected " + e.expected()
                + "; seen " + e.seen() + ".";
    }

    /// A cause as words.
    static String sentence(String cause) {
        String words = cause.toLowerCase(java.util.Locale.ROOT).replace('_', ' ');
        return Character.toUpperCase(words.charAt(0)) + words.substring(1);
    }
}
