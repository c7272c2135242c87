package dev.holdfast.credentials;

import dev.holdfast.access.Scope;
import dev.holdfast.api.Rooms;
import dev.holdfast.identity.HeldRequests;
import dev.holdfast.web.Call;
import dev.holdfast.web.Fields;
import dev.holdfast.web.Handlers;
import dev.holdfast.web.Problem;
import dev.holdfast.web.Reply;
import java.util.Optional;

/// Requests for certificates that wait for a person.
final class HeldRequestsEndpoint {
    private final Rooms rooms;

    HeldRequestsEndpoint(Rooms rooms) {
        this.rooms = rooms;
    }

    void register(Handlers handlers) {
        handlers.on("listEnrolmentRequests", Scope.READ, this::list);
        handlers.on(
                "getEnrolmentRequest",
                Scope.READ,
                call -> Reply.ok(rooms.identity()
                        .held()
                        .find(call.environment(), call.id())
                        .map(HeldRequestsEndpoint::fields)
                        .orElseThrow(() -> unknown(call))));
        handlers.on("approveEnrolmentRequest", Scope.IDENTITY_WRITE, call -> decide(call, true));
        handlers.on("refuseEnrolmentRequest", Scope.IDENTITY_WRITE, call -> decide(call, false));
    }

    private Reply list(Call call) {
        Optional<HeldRequests.State> state = call.text("state").map(text -> switch (text) {
            case "approved" -> HeldRequests.State.APPROVED;
            case "refused" -> HeldRequests.State.REFUSED;
            default -> HeldRequests.State.WAITING;
        });
        return Reply.ok(Fields.of(
                "requests",
                rooms.identity().held().list(call.environment(), state, call.limit()).stream()
                        .map(HeldRequestsEndpoint::fields)
                        .toList()));
    }

    private Reply decide(Call call, boolean approve) {
        return switch (rooms.identity()
                .held()
                .decide(call.environment(), call.id(), approve, call.reason(), call.actor())) {
            case HeldRequests.Decided.Done done -> Reply.ok(fields(done.request()));
            case HeldRequests.Decided.AlreadyDecided already ->
                throw Problem.conflict(
                        "the request was " + already.request().state().text() + " already");
            case HeldRequests.Decided.Unknown _ -> throw unknown(call);
        };
    }

    private static Problem unknown(Call call) {
        return Problem.notFound("enrolment request " + call.id());
    }

    private static Fields fields(HeldRequests.Held held) {
        return Fields.of("id", held.id())
                .with("environment", held.environment().value())
                .with("device", held.device().isEmpty() ? null : held.device())
                .with("key", held.keyFingerprint())
                .with("cause", held.cause().text())
                .with("credential", held.credential())
                .with("detail", held.detail())
                .with("state", held.state().text())
                .with("firstAskedAt", held.firstAskedAt())
                .with("lastAskedAt", held.lastAskedAt())
                .with("timesAsked", held.timesAsked())
                .with("decidedAt", held.decidedAt())
                .with("decidedBy", held.decidedBy())
                .with("reason", held.reason())
                .with("expiresAt", held.expiresAt());
    }
}
