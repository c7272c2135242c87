package dev.holdfast.detection;

import dev.holdfast.core.DeviceRef;
import dev.holdfast.detection.Baseline.Draft;
import dev.holdfast.detection.Finding.Cause;
import dev.holdfast.detection.Finding.Severity;
import dev.holdfast.telemetry.Observation;
import dev.holdfast.telemetry.Provenance;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;

/// The first stage of detection: a pure function of what was expected, what is remembered and what was
/// observed.
///
/// Causes that a neighbour could bring about (failed authentications, a certificate tried without its key)
/// never carry
/// a provenance by which the device named could be isolated.
final class Detector {
    private static final long MINUTE = 60_000;
    private static final long VIOLATIONS = 10 * MINUTE;
    private static final int REPEATED = 3;
    private static final int FAILURES_REPEATED = 5;
    /// Refusals that are this server's matter, and whole fleets are refused so at once: the database is away or a
    /// restore not settled, an authority is being replaced.
    private static final Set<String> OURS = Set.of("SERVER_CANNOT_CHECK", "ISSUER_REPLACED");
    /// An ongoing matter that has been quiet this long is over; what comes after is new.
    private static final long QUIET = 30 * MINUTE;

    private Detector() {}

    static Assessment assess(Expectation expectation, Baseline baseline, Observation observation) {
        Work work = new Work(observation.device(), observation.receivedAt(), baseline);
        switch (observation) {
            case Observation.Measurement m -> measurement(work, expectation, m);
            case Observation.ConfigurationReport report -> configuration(work, expectation, report);
            case Observation.Flow flow -> flow(work, expectation, flow);
            case Observation.SessionActivity activity -> session(work, activity);
            case Observation.Violation violation -> violation(work, violation);
            case Observation.RefusedCertificate refused -> refusedCertificate(work, refused);
            case Observation.AuthenticationFailure failure -> authenticationFailure(work, failure);
            case Observation.CertificateConcern concern -> certificateConcern(work, concern);
            case Observation.LogLine _, Observation.Event _ -> work.heard();
        }
        return work.done();
    }

    /// The findings and the next baseline of one assessment, while it is made.
    static final class Work {
        final DeviceRef device;
        final Instant at;
        final long now;
        final Draft draft;
        private final List<Finding> findings = new ArrayList<>(1);

        Work(DeviceRef device, Instant at, Baseline baseline) {
            this.device = device;
            this.at = at;
            this.now = at.toEpochMilli();
            this.draft = new Draft(baseline);
        }

        Assessment done() {
            return new Assessment(findings, draft.freeze());
        }

        /// The device itself was heard, so a silence is over.
        void heard() {
            draft.heardAt = Math.max(draft.heardAt, now);
            ended(Cause.SILENCE);
        }

        void settled() {
            draft.parties = draft.parties.settled();
            draft.reach = Reach.NONE;
            draft.forbidden = Tally.NONE;
            draft.foreign = Tally.NONE;
            draft.malformed = Tally.NONE;
            draft.limited = Tally.NONE;
            draft.messages = Tally.NONE;
            draft.ongoing = draft.ongoing.stream()
                    .filter(o -> o.severity().compareTo(Severity.HIGH) < 0)
                    .toList();
        }

        void ended(Cause cause) {
            if (draft.ongoing.isEmpty() || draft.ongoing.stream().noneMatch(o -> o.cause() == cause)) {
                return;
            }
            draft.ongoing =
                    draft.ongoing.stream().filter(o -> o.cause() != cause).toList();
        }

        /// Makes a finding, unless the same matter was told a short while ago: told again after 10 s, then ever
        /// later,
        /// and at once when it got worse.
        void raise(
                Cause cause,
                Severity severity,
                Provenance provenance,
                double score,
                long since,
                String expected,
                String seen) {
            Baseline.Ongoing before = draft.ongoing.stream()
                    .filter(o -> o.cause() == cause && now - o.seenAt() <= QUIET)
                    .findFirst()
                    .orElse(null);
            boolean tell = before == null
                    || severity.compareTo(before.severity()) > 0
                    || now - before.toldAt() >= patience(before.told());
            long began = before == null ? since : Math.min(since, before.since());
            Severity worst = before == null || severity.compareTo(before.severity()) > 0 ? severity : before.severity();
            List<Baseline.Ongoing> next = new ArrayList<>(draft.ongoing);
            next.removeIf(o -> o.cause() == cause);
            next.add(new Baseline.Ongoing(
                    cause,
                    worst,
                    began,
                    now,
                    tell || before == null ? now : before.toldAt(),
                    (before == null ? 0 : before.told()) + (tell ? 1 : 0)));
            draft.ongoing = List.copyOf(next);
            if (tell) {
                findings.add(new Finding(
                        device,
                        cause,
                        severity,
                        provenance,
                        Math.clamp(score, 0, 1),
                        Instant.ofEpochMilli(began),
                        at,
                        expected,
                        seen));
            }
        }

        private static long patience(int told) {
            long wait = 10_000;
            for (int i = 1; i < told && wait < 24 * 60 * MINUTE; i++) {
                wait *= 6;
            }
            return Math.min(wait, 24 * 60 * MINUTE);
        }
    }

    private static void measurement(Work work, Expectation expectation, Observation.Measurement m) {
        if (m.imported()) {
            MetricDetector.learnImported(work.draft, expectation, m);
            return;
        }
        work.heard();
        flood(work, expectation);
        MetricDetector.judge(work, expectation, m);
    }

    private static void flood(Work work, Expectation expectation) {
        work.draft.messages = work.draft.messages.plus(work.now, MINUTE);
        long usual = Math.max(1, MINUTE / Math.max(1, expectation.interval.toMillis()));
        long most = Math.max(120, 20 * usual);
        if (work.draft.messages.count() > most) {
            work.raise(
                    Cause.MESSAGE_FLOOD,
                    Severity.HIGH,
                    Provenance.PROVEN,
                    0.5 * work.draft.messages.count() / most,
                    work.draft.messages.since(),
                    "about " + usual + " messages a minute",
                    work.draft.messages.count() + " within a minute");
        }
    }

    private static void configuration(Work work, Expectation expectation, Observation.ConfigurationReport report) {
        work.heard();
        TreeMap<String, String> wrong = new TreeMap<>();
        expectation.configuration.forEach((key, value) -> {
            if (!value.equals(report.settings().get(key))) {
                wrong.put(key, value);
            }
        });
        if (wrong.isEmpty()) {
            work.ended(Cause.CONFIGURATION_DRIFT);
            return;
        }
        StringBuilder expected = new StringBuilder();
        StringBuilder seen = new StringBuilder();
        wrong.entrySet().stream().limit(5).forEach(e -> {
            String separator = expected.isEmpty() ? "" : ", ";
            String reported = report.settings().get(e.getKey());
            expected.append(separator).append(shown(e.getKey(), 40)).append('=').append(shown(e.getValue(), 60));
            seen.append(separator)
                    .append(shown(e.getKey(), 40))
                    .append(reported == null ? " not reported" : "=" + shown(reported, 60));
        });
        if (wrong.size() > 5) {
            seen.append(" and ").append(wrong.size() - 5).append(" more");
        }
        work.raise(
                Cause.CONFIGURATION_DRIFT,
                Severity.MEDIUM,
                report.provenance(),
                Math.min(1, 0.5 + 0.1 * wrong.size()),
                work.now,
                expected.toString(),
                seen.toString());
    }

    private static void flow(Work work, Expectation expectation, Observation.Flow flow) {
        String where = shown(flow.destination(), 45) + ":" + flow.port() + "/" + shown(flow.protocol(), 8);
        boolean stated = expectation.statesDestinations();
        if (stated && expectation.allows(flow.destination(), flow.protocol(), flow.port())) {
            return;
        }
        Reach reach = work.draft.reach.to(flow.destination(), flow.port(), work.now);
        work.draft.reach = stated ? reach.refused(work.now) : reach;
        if (stated) {
            int times = work.draft.reach.refused();
            work.raise(
                    Cause.DESTINATION_NOT_ALLOWED,
                    // One flow may be a mistake, or a packet with a forged sender; a second one is a habit.
                    times > 1 ? Severity.HIGH : Severity.MEDIUM,
                    flow.provenance(),
                    1 - 0.5 / times,
                    work.draft.reach.refusedSince(),
                    "only destinations that its model allows",
                    where + " (" + flow.packets() + " packets, " + flow.octets() + " octets; " + times
                            + " such flows), seen by " + flow.observer().id());
        }
        if (work.draft.reach.isFanOut()) {
            work.raise(
                    Cause.DESTINATION_FAN_OUT,
                    Severity.HIGH,
                    flow.provenance(),
                    0.9,
                    work.draft.reach.since(),
                    "at most " + Reach.MOST_HOSTS + " other destinations in 5 minutes",
                    "more than that, the last " + where + ", seen by "
                            + flow.observer().id());
        } else if (work.draft.reach.isPortScan()) {
            work.raise(
                    Cause.PORT_SCAN,
                    Severity.HIGH,
                    flow.provenance(),
                    0.95,
                    work.draft.reach.since(),
                    "at most " + Reach.MOST_PORTS + " other ports in 5 minutes",
                    "more than that on few hosts, the last " + where + ", seen by "
                            + flow.observer().id());
        }
    }

    private static void session(Work work, Observation.SessionActivity activity) {
        if (activity.kind() == Observation.SessionActivity.Kind.CLOSED) {
            work.draft.parties = work.draft.parties.closed(activity);
            return;
        }
        work.heard();
        work.draft.parties = work.draft.parties.used(activity, work.now);
        if (work.draft.parties.isClone()) {
            work.raise(
                    Cause.IDENTITY_USED_IN_TWO_PLACES,
                    Severity.CRITICAL,
                    Provenance.PROVEN,
                    work.draft.parties.score() / (2.0 * Parties.CLONE),
                    work.draft.parties.scoreSince(),
                    "one party at a time under this identity",
                    "two sessions that take turns, the last from " + shown(activity.remoteAddress(), 60) + " by "
                            + activity.protocol());
        } else if (work.draft.parties.isSuspected()) {
            work.raise(
                    Cause.IDENTITY_USED_IN_TWO_PLACES,
                    Severity.MEDIUM,
                    Provenance.PROVEN,
                    0.5,
                    work.draft.parties.sidestepsSince(),
                    "one party at a time under this identity",
                    "two hosts in turn, never both at once, the last " + shown(activity.remoteAddress(), 60) + " by "
                            + activity.protocol() + ": a clone, or a carrier that changes addresses");
        }
    }

    private static void violation(Work work, Observation.Violation violation) {
        work.heard();
        switch (violation.rule()) {
            case FORBIDDEN_TOPIC -> {
                work.draft.forbidden = work.draft.forbidden.plus(work.now, VIOLATIONS);
                repeated(work, Cause.FORBIDDEN_TOPIC_REPEATED, work.draft.forbidden, "only its own topics", violation);
            }
            case FOREIGN_ACTION, FOREIGN_IDENTITY -> {
                work.draft.foreign = work.draft.foreign.plus(work.now, VIOLATIONS);
                repeated(work, Cause.FOREIGN_ACTION_REPEATED, work.draft.foreign, "only its own resources", violation);
            }
            case MALFORMED_MESSAGE -> {
                work.draft.malformed = work.draft.malformed.plus(work.now, VIOLATIONS);
                if (work.draft.malformed.count() >= 10) {
                    work.raise(
                            Cause.MALFORMED_MESSAGES_REPEATED,
                            Severity.MEDIUM,
                            violation.provenance(),
                            0.5,
                            work.draft.malformed.since(),
                            "messages that can be read",
                            work.draft.malformed.count() + " that can't, the last: " + shown(violation.detail(), 120));
                }
            }
            case RATE_EXCEEDED -> {
                work.draft.limited = work.draft.limited.plus(work.now, VIOLATIONS);
                repeated(work, Cause.MESSAGE_FLOOD, work.draft.limited, "a rate below its cap", violation);
            }
            // It is isolated already, and what it may reach was refused as it should be.
            case REFUSED_IN_QUARANTINE -> {}
        }
    }

    private static void repeated(
            Work work, Cause cause, Tally tally, String expected, Observation.Violation violation) {
        if (tally.count() >= REPEATED) {
            work.raise(
                    cause,
                    Severity.HIGH,
                    violation.provenance(),
                    Math.min(1, 0.25 * tally.count()),
                    tally.since(),
                    expected,
                    tally.count() + " times otherwise, the last: " + shown(violation.detail(), 120));
        }
    }

    private static void refusedCertificate(Work work, Observation.RefusedCertificate refused) {
        if (OURS.contains(refused.refusal())) {
            return;
        }
        if (!refused.keyProven() || !refused.refusal().equals("CERTIFICATE_SUPERSEDED")) {
            failed(work, "refused certificate: " + refused.refusal(), refused.remoteAddress());
            return;
        }
        work.draft.parties = work.draft.parties.superseded(work.now);
        if (work.draft.parties.isSupersededInTurn()) {
            work.raise(
                    Cause.SUPERSEDED_CERTIFICATE_IN_USE,
                    Severity.CRITICAL,
                    Provenance.PROVEN,
                    0.9,
                    work.draft.parties.supersededSince(),
                    "only its present certificate",
                    "certificate " + refused.certificate() + ", superseded, in turn with the present one "
                            + work.draft.parties.supersededTurns() + " times, the last from "
                            + shown(refused.remoteAddress(), 60));
            return;
        }
        work.draft.failures = work.draft.failures.plus(work.now, VIOLATIONS);
        if (work.draft.failures.count() >= FAILURES_REPEATED) {
            work.raise(
                    Cause.OLD_CERTIFICATE_PRESENTED,
                    Severity.MEDIUM,
                    Provenance.PROVEN,
                    0.5,
                    work.draft.failures.since(),
                    "only its present certificate",
                    "certificate " + refused.certificate() + ", superseded, and refused each time; "
                            + work.draft.failures.count() + " refusals in 10 minutes, the last from "
                            + shown(refused.remoteAddress(), 60));
        }
    }

    /// Never an act of the device's own, so of no family that isolates.
    private static void certificateConcern(Work work, Observation.CertificateConcern concern) {
        work.raise(
                switch (concern.matter()) {
                    case KEY_SHARED -> Cause.KEY_SHARED;
                    case KEY_WEAK -> Cause.KEY_WEAK;
                    case ENDING -> Cause.CERTIFICATE_ENDING;
                },
                switch (concern.matter()) {
                    case KEY_SHARED -> Severity.HIGH;
                    case KEY_WEAK, ENDING -> Severity.MEDIUM;
                },
                concern.provenance(),
                1,
                work.now,
                shown(concern.expected(), 200),
                shown(concern.seen(), 300));
    }

    private static void authenticationFailure(Work work, Observation.AuthenticationFailure failure) {
        failed(work, failure.cause(), failure.remoteAddress());
    }

    private static void failed(Work work, String cause, String remoteAddress) {
        work.draft.failures = work.draft.failures.plus(work.now, VIOLATIONS);
        if (work.draft.failures.count() >= FAILURES_REPEATED) {
            work.raise(
                    Cause.AUTHENTICATION_FAILURES_REPEATED,
                    Severity.MEDIUM,
                    Provenance.CLAIMED,
                    Math.min(1, 0.1 * work.draft.failures.count()),
                    work.draft.failures.since(),
                    "at most " + (FAILURES_REPEATED - 1) + " failures in 10 minutes under this name",
                    work.draft.failures.count() + ", the last from " + shown(remoteAddress, 60) + ": "
                            + shown(cause, 100));
        }
    }

    /// Text of a device for people: printable, one line, bounded.
    static String shown(String text, int most) {
        StringBuilder safe = new StringBuilder(Math.min(text.length(), most) + 1);
        for (int i = 0; i < text.length() && i < most; i++) {
            char c = text.charAt(i);
            safe.append(c >= ' ' && c < 0x7f ? c : '?');
        }
        return text.length() > most ? safe.append("...").toString() : safe.toString();
    }
}
