package dev.holdfast.credentials;

import dev.holdfast.access.Scope;
import dev.holdfast.api.Rooms;
import dev.holdfast.core.DeviceId;
import dev.holdfast.core.Labels;
import dev.holdfast.core.ModelId;
import dev.holdfast.identity.HeldRequests;
import dev.holdfast.identity.ProductApprovals;
import dev.holdfast.web.Call;
import dev.holdfast.web.Fields;
import dev.holdfast.web.Handlers;
import dev.holdfast.web.Problem;
import dev.holdfast.web.Reply;
import java.util.HashMap;
import java.util.Map;
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
        handlers.on("approveEnrolmentRequest", Scope.IDENTITY_WRITE, this::approve);
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

    /// A product that nobody registered is approved by saying which device it is; every other request as it
    /// stands.
    private Reply approve(Call call) {
        boolean product = rooms.identity()
                .held()
                .find(call.environment(), call.id())
                .flatMap(HeldRequests.Held::product)
                .isPresent();
        if (!product) {
            if (call.body().has("device")
                    || call.body().has("model")
                    || call.body().has("labels")) {
                throw Problem.malformed("/device", "is known already: the request is a device's");
            }
            return decide(call, true);
        }
        ProductApprovals.Naming naming;
        try {
            Map<String, String> labels = new HashMap<>();
            call.body()
                    .path("labels")
                    .properties()
                    .forEach(
                            label -> labels.put(label.getKey(), label.getValue().asText()));
            naming = new ProductApprovals.Naming(
                    call.optional("device").map(DeviceId::new),
                    call.optional("model").map(ModelId::new),
                    new Labels(labels));
        } catch (IllegalArgumentException e) {
            throw Problem.malformed("/", String.valueOf(e.getMessage()));
        }
        return switch (rooms.identity()
                .products()
                .approve(call.environment(), call.id(), naming, call.reason(), call.actor())) {
            case ProductApprovals.Approved.Done done -> Reply.ok(fields(done.request()));
            case ProductApprovals.Approved.AlreadyDecided already ->
                throw Problem.conflict(
                        "the request was " + already.request().state().text() + " already");
            case ProductApprovals.Approved.NotPossible not -> throw Problem.malformed("/device", not.why());
            case ProductApprovals.Approved.Unknown _ -> throw unknown(call);
        };
    }

    private static Problem unknown(Call call) {
        return Problem.notFound("enrolment request " + call.id());
    }

    private static Fields fields(HeldRequests.Held held) {
        return Fields.of("id", held.id())
                .with("environment", held.environment().value())
                .with("device", held.device().isEmpty() ? null : held.device())
                .with("key", held.key())
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
                .with("expiresAt", held.expiresAt())
                .with("manufacturer", held.product().map(HeldRequests.Product::anchor))
                .with("serialNumber", held.product().map(HeldRequests.Product::serial));
    }
}
