package dev.holdfast.api;

import dev.holdfast.core.DeviceId;
import dev.holdfast.detection.Detection;
import dev.holdfast.detection.Finding;
import dev.holdfast.response.Action;
import dev.holdfast.response.Incident;
import dev.holdfast.response.Response;
import dev.holdfast.web.Fields;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// Incidents, actions and findings as the API shows them.
final class IncidentShapes {
    private IncidentShapes() {}

    static Fields summary(Response.Case one) {
        Incident incident = one.incident();
        Fields fields = Fields.of("id", incident.id().toString())
                .with("environment", incident.subject().environment().value())
                .with("title", incident.summary())
                .with(
                        "cause",
                        incident.causes().stream()
                                .sorted()
                                .findFirst()
                                .orElse(incident.family().name()))
                .with("severity", lower(incident.severity()))
                .with("provenance", lower(incident.provenance()))
                .with("state", state(one))
                .with("openedAt", incident.openedAt())
                .with("updatedAt", incident.updatedAt())
                .with("closedAt", incident.closed().map(Incident.Handling::at))
                .with("findings", incident.findings())
                .with("action", one.actions().stream().findFirst().map(IncidentShapes::words));
        return switch (incident.subject()) {
            case Incident.Subject.OfDevice of ->
                fields.with("device", of.device().id().value());
            case Incident.Subject.OfRollout of -> fields.with("rollout", of.rollout());
            case Incident.Subject.OfAuthority of -> fields.with("authority", of.authority());
        };
    }

    static Fields one(Response.Case one, List<Fields> history, java.util.function.UnaryOperator<String> nameOf) {
        Incident incident = one.incident();
        Optional<Action> inForce =
                one.actions().stream().filter(Action::isInForce).findFirst();
        String device = incident.subject() instanceof Incident.Subject.OfDevice of
                ? of.device().id().value()
                : "";
        return summary(one)
                .with(
                        "evidence",
                        incident.evidence().stream()
                                .map(e -> evidence(incident, device, e))
                                .toList())
                .with(
                        "actions",
                        one.actions().stream().map(IncidentShapes::action).toList())
                .with("history", history)
                .with("hostileActAt", incident.firstObservedAt())
                .with("acknowledgedBy", incident.acknowledged().map(h -> nameOf.apply(h.actor())))
                .with("canUndo", inForce.isPresent())
                .with("undoSentence", inForce.map(IncidentShapes::undo));
    }

    private static String undo(Action action) {
        return "Returns " + action.device().id() + " to "
                + action.stateBefore().map(s -> s.text()).orElse("the state before")
                + " and lifts all three legs"
                + action.until().map(u -> "; by itself that happens at " + u).orElse("") + ".";
    }

    static String state(Response.Case one) {
        return switch (one.incident().status()) {
            case CLOSED -> "closed";
            case OPEN -> one.awaitsApproval() ? "awaiting-approval" : "open";
            case ACKNOWLEDGED -> one.awaitsApproval() ? "awaiting-approval" : "acknowledged";
        };
    }

    private static String words(Action action) {
        String what = switch (action.kind()) {
            case QUARANTINE -> "isolat";
            case SUSPEND -> "suspend";
        };
        return switch (action.status()) {
            case AWAITING_APPROVAL -> what + (what.endsWith("t") ? "ion" : "ing") + " awaits approval";
            case IN_FORCE -> what + "ed" + (action.automatic() ? " automatically" : " by an operator");
            case HEALED -> what + "ed until it attested well";
            case UNDONE -> what + "ed, then undone";
            case EXPIRED ->
                what + "ed until " + action.until().map(Instant::toString).orElse("its end");
            case REFUSED -> what + (what.endsWith("t") ? "ion" : "ing") + " refused";
            case OVERTAKEN -> what + "ed, then moved on";
        };
    }

    static Fields action(Action action) {
        return Fields.of("id", action.id().toString())
                .with(
                        "kind",
                        switch (action.kind()) {
                            case QUARANTINE -> "isolate";
                            case SUSPEND -> "suspend";
                        })
                .with(
                        "state",
                        switch (action.status()) {
                            case AWAITING_APPROVAL -> "awaiting-approval";
                            case IN_FORCE -> "done";
                            case UNDONE, OVERTAKEN -> "undone";
                            case EXPIRED -> "expired";
                            case HEALED -> "healed";
                            case REFUSED -> "refused";
                        })
                .with("reason", action.reason())
                .with("plannedAt", action.times().intentAt())
                .with("doneAt", action.times().sessionCutAt())
                .with("until", action.until())
                .with("automatic", action.automatic())
                .with("waitsBecause", action.waitsBecause().isEmpty() ? null : action.waitsBecause())
                .with("legs", legs(action.legs()));
    }

    static Fields legs(Action.Legs legs) {
        return Fields.of("session", leg(legs.session()))
                .with("identity", leg(legs.identity()))
                .with("network", leg(legs.network()));
    }

    private static Fields leg(Action.Leg leg) {
        return Fields.of("state", leg.state().name().toLowerCase(Locale.ROOT))
                .with("at", leg.at())
                .with("detail", leg.detail().isEmpty() ? null : leg.detail());
    }

    private static Fields evidence(Incident incident, String device, Incident.Evidence evidence) {
        return Fields.of("device", device.isEmpty() ? "none" : device)
                .with("cause", evidence.cause())
                .with("severity", lower(evidence.severity()))
                .with("provenance", lower(evidence.provenance()))
                .with("score", 1)
                .with("since", evidence.since())
                .with("at", evidence.at())
                .with("expected", evidence.expected())
                .with("seen", evidence.seen())
                .with("incident", incident.id().toString());
    }

    static Fields finding(Detection.Stored stored) {
        Finding finding = stored.finding();
        DeviceId device = finding.device().id();
        return Fields.of("id", Long.toString(stored.id()))
                .with("device", device.value())
                .with("cause", finding.cause().name())
                .with("severity", lower(finding.severity()))
                .with("provenance", lower(finding.provenance()))
                .with("score", finding.score())
                .with("since", finding.since())
                .with("at", finding.at())
                .with("expected", finding.expected())
                .with("seen", finding.seen())
                .with("incident", stored.incident().map(String::valueOf));
    }

    static String lower(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT);
    }
}
