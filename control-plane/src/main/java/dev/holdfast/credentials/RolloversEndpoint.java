package dev.holdfast.credentials;

import dev.holdfast.access.Scope;
import dev.holdfast.api.Rooms;
import dev.holdfast.core.DeviceId;
import dev.holdfast.rollover.Progress;
import dev.holdfast.rollover.Rollover;
import dev.holdfast.rollover.Rollovers;
import dev.holdfast.rollover.Step;
import dev.holdfast.web.Call;
import dev.holdfast.web.Fields;
import dev.holdfast.web.Handlers;
import dev.holdfast.web.Problem;
import dev.holdfast.web.Reply;
import java.time.Duration;
import java.util.stream.Collectors;

/// Rollovers of authorities, planned and in an emergency.
final class RolloversEndpoint {
    private static final Duration GRACE = Duration.ofDays(7);
    private static final Duration LONGEST_GRACE = Duration.ofDays(90);

    private final Rooms rooms;

    RolloversEndpoint(Rooms rooms) {
        this.rooms = rooms;
    }

    void register(Handlers handlers) {
        handlers.on("listRollovers", Scope.READ, this::list);
        handlers.on(
                "getRollover",
                Scope.READ,
                call -> Reply.ok(shown(rollovers().find(call.id()).orElseThrow(() -> unknown(call)))));
        handlers.on("startRollover", Scope.SETTINGS_WRITE, this::start);
        handlers.on(
                "moveRollover",
                Scope.SETTINGS_WRITE,
                call -> answer(
                        call,
                        rollovers()
                                .move(
                                        call.id(),
                                        call.body().path("despite").asBoolean(),
                                        call.reason(),
                                        call.actor())));
        handlers.on(
                "finishRollover",
                Scope.SETTINGS_WRITE,
                call -> answer(
                        call,
                        rollovers()
                                .finish(
                                        call.id(),
                                        call.body().path("despite").asBoolean(),
                                        call.reason(),
                                        call.actor())));
        handlers.on(
                "abandonRollover",
                Scope.SETTINGS_WRITE,
                call -> answer(call, rollovers().abandon(call.id(), call.reason(), call.actor())));
    }

    private Rollovers rollovers() {
        return rooms.rollover().rollovers();
    }

    private Reply list(Call call) {
        return Reply.ok(Fields.of(
                "rollovers",
                rollovers().list(call.environment()).stream()
                        .map(RolloversEndpoint::fields)
                        .toList()));
    }

    private Reply start(Call call) {
        int perHour = call.body().path("perHour").asInt(rooms.renewals().capacityPerHour());
        Step step = switch (call.required("kind")) {
            case "root" -> rollovers().startRoot(perHour, call.reason(), call.actor());
            case "emergency" ->
                rollovers()
                        .startEmergency(
                                call.environment(),
                                call.body().path("distrust").asText("at-end").equals("at-once"),
                                call.duration("grace", LONGEST_GRACE).orElse(GRACE),
                                perHour,
                                call.reason(),
                                call.actor());
            default -> rollovers().startIssuer(call.environment(), perHour, call.reason(), call.actor());
        };
        return switch (step) {
            case Step.Done done -> Reply.created(shown(done.rollover()));
            case Step.Unknown _, Step.NotNow _, Step.DevicesDepend _, Step.NeedsCeremony _, Step.NotReplaceable _ ->
                answer(call, step);
        };
    }

    private Reply answer(Call call, Step step) {
        return switch (step) {
            case Step.Done done -> Reply.ok(shown(done.rollover()));
            case Step.Unknown _ -> throw unknown(call);
            case Step.NotNow now ->
                throw Problem.conflict("the rollover is in phase " + now.phase().text());
            case Step.DevicesDepend depend ->
                throw Problem.conflict(depend.count() + " devices still depend on what would go, among them "
                        + depend.some().stream().map(DeviceId::value).collect(Collectors.joining(", ")));
            case Step.NeedsCeremony needs ->
                throw Problem.conflict("the key above " + needs.authority()
                        + " is not here: ask for a request (holdfast cert ca-request), have it certified, install it");
            case Step.NotReplaceable not -> throw Problem.conflict(not.detail());
        };
    }

    private static Problem unknown(Call call) {
        return Problem.notFound("rollover " + call.id());
    }

    private Fields shown(Rollover rollover) {
        Progress progress = rollovers().progress(rollover);
        return fields(rollover)
                .with("devices", progress.devices())
                .with("moved", progress.moved())
                .with("depending", progress.depending())
                .with("trusting", progress.trusting())
                .with("movedLastMinute", progress.lastMinute())
                .with("remaining", progress.remaining().map(Duration::toString))
                .with(
                        "missing",
                        progress.missing().stream().map(DeviceId::value).toList());
    }

    private static Fields fields(Rollover rollover) {
        return Fields.of("id", rollover.id())
                .with("kind", rollover.kind().text())
                .with("phase", rollover.phase().text())
                .with("old", rollover.oldAuthority())
                .with("new", rollover.newAuthority())
                .with("reason", rollover.reason())
                .with("startedBy", rollover.startedBy())
                .with("startedAt", rollover.startedAt())
                .with("movedAt", rollover.movedAt())
                .with("endedAt", rollover.endedAt())
                .with("perHour", rollover.perHour())
                .with("distrustAt", rollover.distrustAt());
    }
}
