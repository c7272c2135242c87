package dev.holdfast.api;

import dev.holdfast.access.Scope;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Selector;
import dev.holdfast.detection.Detection;
import dev.holdfast.journal.Recorded;
import dev.holdfast.response.Action;
import dev.holdfast.response.Incident;
import dev.holdfast.response.IncidentId;
import dev.holdfast.response.IsolationPreview;
import dev.holdfast.response.IsolationWish;
import dev.holdfast.response.Outcome;
import dev.holdfast.response.Response;
import dev.holdfast.web.Call;
import dev.holdfast.web.Fields;
import dev.holdfast.web.Handlers;
import dev.holdfast.web.Problem;
import dev.holdfast.web.Reply;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// Incidents, what people do about them, findings, isolation by hand.
final class IncidentsEndpoint {
    private static final int MOST_HISTORY = 100;
    private static final int MOST_LOOKED_AT = 500;

    private final Rooms rooms;

    IncidentsEndpoint(Rooms rooms) {
        this.rooms = rooms;
    }

    void register(Handlers handlers) {
        handlers.on("listIncidents", Scope.READ, this::list);
        handlers.on("getIncident", Scope.READ, call -> Reply.ok(one(find(call))));
        handlers.on(
                "acknowledgeIncident",
                Scope.INCIDENTS_WRITE,
                call -> done(rooms.response().acknowledge(call.environment(), id(call), call.reason(), call.actor())));
        handlers.on(
                "closeIncident",
                Scope.INCIDENTS_WRITE,
                call -> done(rooms.response().close(call.environment(), id(call), call.reason(), call.actor())));
        handlers.on(
                "approveIncident",
                Scope.INCIDENTS_WRITE,
                call -> done(rooms.response().approve(call.environment(), id(call), call.reason(), call.actor())));
        handlers.on(
                "refuseIncident",
                Scope.INCIDENTS_WRITE,
                call -> done(rooms.response().refuse(call.environment(), id(call), call.reason(), call.actor())));
        handlers.on(
                "undoIncident",
                Scope.INCIDENTS_WRITE,
                call -> done(rooms.response().undo(call.environment(), id(call), call.reason(), call.actor())));
        handlers.on("listFindings", Scope.READ, this::findings);
        handlers.on("previewIsolation", Scope.READ, this::preview);
        handlers.on("isolateDevice", Scope.INCIDENTS_WRITE, this::isolate);
    }

    private static IncidentId id(Call call) {
        try {
            return new IncidentId(Long.parseLong(call.id()));
        } catch (NumberFormatException e) {
            throw Problem.notFound("incident " + call.id());
        }
    }

    private Response.Case find(Call call) {
        return rooms.response()
                .find(call.environment(), id(call))
                .orElseThrow(() -> Problem.notFound("incident " + call.id()));
    }

    private Reply list(Call call) {
        Optional<String> state = call.text("state");
        boolean open =
                call.flag("open") || state.filter(s -> !s.equals("closed")).isPresent();
        long before = call.numberCursor(Long.MAX_VALUE);
        List<Response.Case> found = new ArrayList<>();
        List<Response.Case> page;
        do {
            page = rooms.response().incidents(call.environment(), open, call.deviceParameter(), before, 200);
            page.stream()
                    .filter(c -> state.isEmpty() || state.get().equals(IncidentShapes.state(c)))
                    .forEach(found::add);
            before = page.isEmpty() ? before : page.getLast().incident().id().value();
        } while (page.size() == 200 && found.size() <= call.limit());
        List<Response.Case> shown = found.subList(0, Math.min(found.size(), call.limit()));
        return Reply.ok(Fields.of(
                        "incidents", shown.stream().map(IncidentShapes::summary).toList())
                .with(
                        "next",
                        found.size() > call.limit()
                                ? call.nextCursor(
                                        shown.getLast().incident().id().value())
                                : null));
    }

    private Fields one(Response.Case one) {
        List<Fields> history =
                rooms.journal().about(one.incident().subject().text(), Long.MAX_VALUE, MOST_LOOKED_AT).stream()
                        .filter(entry ->
                                entry.json().path("body").path("incident").asLong()
                                        == one.incident().id().value())
                        .limit(MOST_HISTORY)
                        .map(this::happened)
                        .toList();
        return IncidentShapes.one(one, history, this::name);
    }

    private Fields happened(Recorded entry) {
        var json = entry.json();
        String kind = json.path("kind").asText();
        return Fields.of("at", entry.at())
                .with("kind", "incident")
                .with("title", kind.substring(kind.indexOf('.') + 1).replace('-', ' '))
                .with("detail", json.path("reason").asText())
                .with("actor", name(json.path("actor").asText()))
                .with("journal", entry.number());
    }

    private String name(String actor) {
        return rooms.access().nameOf(actor).orElse(actor);
    }

    private Reply done(Outcome<Response.Case> outcome) {
        return Reply.ok(one(now(outcome)));
    }

    static <T> T now(Outcome<T> outcome) {
        return switch (outcome) {
            case Outcome.Done<T> done -> done.now();
            case Outcome.NotFound<T> missing -> throw Problem.notFound(missing.what());
            case Outcome.Conflict<T> conflict -> throw Problem.conflict(conflict.why());
        };
    }

    private Reply findings(Call call) {
        long before = call.numberCursor(Long.MAX_VALUE);
        List<Detection.Stored> found = call.deviceParameter()
                .map(device -> rooms.detection().findings(device, before, call.limit() + 1))
                .orElseGet(() -> rooms.detection().findings(call.environment(), before, call.limit() + 1));
        boolean more = found.size() > call.limit();
        List<Detection.Stored> page = more ? found.subList(0, call.limit()) : found;
        return Reply.ok(
                Fields.of("findings", page.stream().map(IncidentShapes::finding).toList())
                        .with("next", more ? call.nextCursor(page.getLast().id()) : null));
    }

    // ------------------------------------------------------------------ by hand

    private IsolationWish wish(Call call, String reason) {
        DeviceRef device = call.device();
        if (rooms.inventory().find(device).isEmpty()) {
            throw Problem.notFound("device " + device.id());
        }
        Selector which = new Selector(
                List.of(new Selector.Requirement.In("id", Set.of(device.id().value()))));
        Duration limit = call.duration("for", Duration.ofDays(90)).orElse(Duration.ofDays(1));
        return new IsolationWish(call.environment(), which, Action.Kind.QUARANTINE, reason, limit);
    }

    private Reply preview(Call call) {
        IsolationPreview preview = rooms.response().preview(wish(call, "preview"));
        if (preview.count() == 0 || preview.legs().isEmpty()) {
            throw Problem.conflict("device " + call.id() + " is isolated already, or in a state in which it can't be");
        }
        List<String> devices = new ArrayList<>();
        preview.devices().forEach(d -> devices.add(d.value()));
        preview.children().forEach(d -> devices.add(d.value()));
        String behind = preview.childrenBehind() == 0 ? "" : " and " + preview.childrenBehind() + " reached through it";
        return Reply.ok(Fields.of("device", call.id())
                .with(
                        "sentence",
                        "Isolates 1 device (" + call.id() + ")" + behind + " until " + preview.until() + ". "
                                + preview.undo())
                .with("devices", devices)
                .with("legs", IncidentShapes.legs(preview.legs().get()))
                .with("until", preview.until())
                .with("neverIsolate", !preview.exempt().isEmpty())
                .with("budget", Fields.of("used", preview.automaticUsed()).with("limit", preview.automaticLimit())));
    }

    private Reply isolate(Call call) {
        Outcome.Isolated isolated = now(rooms.response().isolate(wish(call, call.reason()), 1, call.actor()));
        IncidentId incident = isolated.actions().stream()
                .flatMap(a -> a.incident().stream())
                .findFirst()
                .orElseThrow(() -> Problem.conflict("device " + call.id() + " could not be isolated"));
        return Reply.ok(one(rooms.response().find(call.environment(), incident).orElseThrow()));
    }

    /// The legs of the isolation that holds the device now.
    static Optional<Fields> legs(Rooms rooms, DeviceRef device) {
        return rooms.response().actions(device.environment(), true, Optional.of(device), Long.MAX_VALUE, 10).stream()
                .filter(Action::isInForce)
                .findFirst()
                .map(action -> IncidentShapes.legs(action.legs()));
    }

    /// Whether the incident is about this device.
    static Optional<DeviceRef> device(Incident incident) {
        return incident.subject() instanceof Incident.Subject.OfDevice of ? Optional.of(of.device()) : Optional.empty();
    }
}
