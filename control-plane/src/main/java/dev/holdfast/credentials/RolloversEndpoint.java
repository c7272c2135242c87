package dev.holdfast.credentials;

import dev.holdfast.access.Scope;
import dev.holdfast.api.Rooms;
import dev.holdfast.core.DeviceId;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Serial;
import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.protocol.x509.RootKeyUpdate;
import dev.holdfast.protocol.x509.X509FormatException;
import dev.holdfast.rollover.DeviceTrust;
import dev.holdfast.rollover.Progress;
import dev.holdfast.rollover.Rollover;
import dev.holdfast.rollover.Rollovers;
import dev.holdfast.rollover.Step;
import dev.holdfast.web.Call;
import dev.holdfast.web.Fields;
import dev.holdfast.web.Handlers;
import dev.holdfast.web.Problem;
import dev.holdfast.web.Reply;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
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
        handlers.on("finishRollover", Scope.SETTINGS_WRITE, call -> answer(call, finish(call)));
        handlers.on("listRolloverDevices", Scope.READ, this::devices);
        handlers.on(
                "abandonRollover",
                Scope.SETTINGS_WRITE,
                call -> answer(call, rollovers().abandon(call.id(), call.reason(), call.actor())));
    }

    private Rollovers rollovers() {
        return rooms.rollover().rollovers();
    }

    private Step finish(Call call) {
        return call.body().path("despite").asBoolean()
                ? rollovers()
                        .finishLeavingBehind(
                                call.id(), rooms.access().personBehind(call.caller()), call.reason(), call.actor())
                : rollovers().finish(call.id(), call.reason(), call.actor());
    }

    private Reply devices(Call call) {
        Rollover rollover = rollovers().find(call.id()).orElseThrow(() -> unknown(call));
        DeviceTrust.Only only =
                DeviceTrust.Only.valueOf(call.text("only").orElse("all").toUpperCase(Locale.ROOT));
        List<DeviceTrust> found =
                rollovers().devices(rollover, only, call.cursor().map(RolloversEndpoint::last), call.limit() + 1);
        List<DeviceTrust> shown = found.subList(0, Math.min(found.size(), call.limit()));
        Fields reply = Fields.of(
                "devices", shown.stream().map(RolloversEndpoint::fields).toList());
        if (found.size() > call.limit()) {
            DeviceRef last = shown.getLast().device();
            reply.with("next", call.nextCursor(last.environment() + " " + last.id()));
        }
        return Reply.ok(reply);
    }

    private static DeviceRef last(String cursor) {
        try {
            String[] parts = cursor.split(" ", 2);
            return DeviceRef.of(parts[0], parts[1]);
        } catch (IllegalArgumentException | ArrayIndexOutOfBoundsException e) {
            throw Call.badCursor();
        }
    }

    private static Fields fields(DeviceTrust one) {
        return Fields.of("device", one.device().id().value())
                .with("environment", one.device().environment().value())
                .with("told", one.told())
                .with("fetched", one.fetched())
                .with("trusts", one.trusts())
                .with("moved", one.moved())
                .with("depends", one.depends());
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
        boolean brought = call.body().has("root") || call.body().has("crosses");
        if (brought && !call.required("kind").equals("root")) {
            throw Problem.malformed("/kind", "is root where a root is brought");
        }
        Step step = switch (call.required("kind")) {
            case "root" ->
                brought
                        ? rollovers().startOwnRoot(root(call), crosses(call), perHour, call.reason(), call.actor())
                        : rollovers().startRoot(perHour, call.reason(), call.actor());
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
            case Step.Unknown _,
                    Step.NotNow _,
                    Step.DevicesDepend _,
                    Step.NeedsAnother _,
                    Step.NeedsCeremony _,
                    Step.RootRefused _,
                    Step.NotReplaceable _ -> answer(call, step);
        };
    }

    private static X509Certificate root(Call call) {
        List<X509Certificate> one = certificates(call, "root");
        if (one.size() != 1) {
            throw Problem.malformed("/root", "is one certificate, the new root's");
        }
        return one.getFirst();
    }

    private static List<X509Certificate> crosses(Call call) {
        return certificates(call, "crosses");
    }

    private static List<X509Certificate> certificates(Call call, String field) {
        try {
            return Certificates.parsePem(call.required(field));
        } catch (X509FormatException e) {
            throw Problem.malformed("/" + field, "holds no certificates in PEM: " + e.getMessage());
        }
    }

    private static Problem refused(RootKeyUpdate.Refused refused) {
        String why = refused.why()
                .map(fact -> ": " + fact.name().toLowerCase(Locale.ROOT).replace('_', ' '))
                .orElse("");
        return switch (refused.fault()) {
            case SAME_ROOT -> Problem.malformed("/root", "is the root in use, or has its key");
            case NOT_BELIEVED ->
                Problem.malformed(
                        "/root", "would not be believed in by a device that knows the root in use alone" + why);
            case NO_ROOM_BELOW ->
                Problem.malformed(
                        "/crosses",
                        "leave no room for an issuer: the new root and its certificate by the root in use need a path"
                                + " length of 1 or more, the root in use 2 (1 where both roots have one name)");
            case NOT_OF_THIS_UPDATE ->
                Problem.malformed(
                        "/crosses",
                        "are two: the root in use's certificate for the new root's key, and the new root's for its");
            case OLD_WITH_NEW_MISSING ->
                Problem.malformed(
                        "/crosses", "lack the new root's certificate for the name and key of the root in use");
            case OLD_WITH_NEW_NOT_GOOD ->
                Problem.malformed("/crosses", "the new root's certificate for the root in use is not good" + why);
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
            case Step.NeedsAnother another -> Reply.ok(shown(another.rollover()));
            case Step.NeedsCeremony needs ->
                throw Problem.conflict("the key above " + needs.authority()
                        + " is not here: ask for a request (holdfast cert ca-request), have it certified, install it");
            case Step.RootRefused refused -> throw refused(refused.why());
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
                .with("fetched", progress.fetched())
                .with("movedLastMinute", progress.lastMinute())
                .with("remaining", progress.remaining().map(Duration::toString))
                .with(
                        "missing",
                        progress.missing().stream().map(DeviceId::value).toList())
                .with(
                        "takeBackAtCeremony",
                        rollovers()
                                .toTakeBack(rollover)
                                .map(certificate -> Fields.of(
                                                "serial",
                                                Serial.of(certificate.getSerialNumber())
                                                        .hex())
                                        .with(
                                                "issuer",
                                                certificate
                                                        .getIssuerX500Principal()
                                                        .getName())))
                .with(
                        "waivers",
                        rollovers().waivers(rollover).stream()
                                .map(one -> Fields.of("person", one.person())
                                        .with("name", rooms.access().nameOf(one.person()))
                                        .with("reason", one.reason())
                                        .with("devices", one.devices())
                                        .with("at", one.at()))
                                .toList());
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
