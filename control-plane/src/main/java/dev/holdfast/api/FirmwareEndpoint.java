package dev.holdfast.api;

import dev.holdfast.access.Scope;
import dev.holdfast.core.Digest;
import dev.holdfast.core.FirmwareVersion;
import dev.holdfast.core.Json;
import dev.holdfast.core.ModelId;
import dev.holdfast.firmware.Artifact;
import dev.holdfast.firmware.Firmware;
import dev.holdfast.firmware.Registered;
import dev.holdfast.firmware.Release;
import dev.holdfast.firmware.SigningKey;
import dev.holdfast.firmware.Stored;
import dev.holdfast.journal.Recorded;
import dev.holdfast.rollout.RolloutDenied;
import dev.holdfast.web.BodyStream;
import dev.holdfast.web.Call;
import dev.holdfast.web.Fields;
import dev.holdfast.web.Handlers;
import dev.holdfast.web.Problem;
import dev.holdfast.web.ProblemType;
import dev.holdfast.web.Reply;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Signing keys, artifacts, releases.
final class FirmwareEndpoint {
    private static final int MOST_ARTIFACTS = 10_000;

    private final Rooms rooms;

    FirmwareEndpoint(Rooms rooms) {
        this.rooms = rooms;
    }

    void register(Handlers handlers) {
        handlers.on(
                "listSigningKeys",
                Scope.READ,
                call -> Reply.ok(Fields.of(
                        "keys",
                        rooms.firmware().keys(call.environment()).stream()
                                .filter(k -> k.retiredAt().isEmpty())
                                .map(FirmwareEndpoint::key)
                                .toList())));
        handlers.on("addSigningKey", Scope.SETTINGS_WRITE, this::addKey);
        handlers.on("removeSigningKey", Scope.SETTINGS_WRITE, call -> {
            if (!rooms.firmware().retireKey(call.environment(), call.id(), "removed by an operator", call.actor())) {
                throw Problem.notFound("signing key " + call.id());
            }
            return Reply.nothing(204);
        });
        handlers.on("listArtifacts", Scope.READ, this::artifacts);
        handlers.on("uploadArtifact", Scope.FIRMWARE_WRITE, this::upload);
        handlers.on("listReleases", Scope.READ, this::releases);
        handlers.on("createRelease", Scope.FIRMWARE_WRITE, this::create);
        handlers.on("getRelease", Scope.READ, call -> Reply.ok(fields(find(call))));
        handlers.on("approveRelease", Scope.FIRMWARE_WRITE, this::approve);
        handlers.on("withdrawRelease", Scope.FIRMWARE_WRITE, this::withdraw);
        handlers.on("reinstateRelease", Scope.FIRMWARE_WRITE, this::reinstate);
    }

    private Reply addKey(Call call) {
        String pem = call.required("pem");
        SigningKey.Kind kind = pem.contains("BEGIN CERTIFICATE") ? SigningKey.Kind.SWU : SigningKey.Kind.MANIFEST;
        try {
            return Reply.created(key(rooms.firmware()
                    .registerKey(call.environment(), kind, call.required("name").strip(), pem, call.actor())));
        } catch (IllegalArgumentException e) {
            throw Problem.malformed("/pem", String.valueOf(e.getMessage()));
        }
    }

    private static Fields key(SigningKey key) {
        return Fields.of("id", key.id())
                .with("name", key.name())
                .with(
                        "algorithm",
                        switch (key.kind()) {
                            case MANIFEST -> "ECDSA P-256 (manifest)";
                            case SWU -> "CMS certificate (SWUpdate)";
                        })
                .with("addedAt", key.registeredAt())
                .with("pem", key.pem());
    }

    // ------------------------------------------------------------------ artifacts

    private Reply upload(Call call) {
        ((BodyStream) call.stream()).limit(4L << 30);
        Optional<Digest> expected = call.text("sha256").map(Digest::new);
        String name = call.text("name").orElseThrow();
        return switch (rooms.firmware().upload(call.environment(), name, call.stream(), expected, call.actor())) {
            case Stored.Done done ->
                Reply.created(artifact(done.artifact(), rooms.clock().instant()));
            case Stored.TooLarge tooLarge ->
                throw new Problem(ProblemType.TOO_LARGE, "an artifact has at most " + tooLarge.most() + " bytes");
            case Stored.NoSpace noSpace -> throw Problem.later(ProblemType.OVERLOADED, noSpace.detail(), 60);
            case Stored.Broken broken -> throw Problem.malformed("/", broken.detail());
        };
    }

    private Reply artifacts(Call call) {
        List<Artifact> all = rooms.firmware().artifacts(call.environment(), MOST_ARTIFACTS);
        int from = (int) Math.min(all.size(), call.numberCursor(0));
        int to = Math.min(all.size(), from + call.limit());
        return Reply.ok(Fields.of(
                        "artifacts",
                        all.subList(from, to).stream()
                                .map(a -> artifact(a, uploadedAt(a)))
                                .toList())
                .with("next", to < all.size() ? call.nextCursor(to) : null));
    }

    /// The journal knows when it came.
    private Instant uploadedAt(Artifact artifact) {
        List<Recorded> about = rooms.journal().about("artifact:" + artifact.sha256(), Long.MAX_VALUE, 1);
        return about.isEmpty() ? Instant.EPOCH : about.getFirst().at();
    }

    private static Fields artifact(Artifact artifact, Instant uploadedAt) {
        return Fields.of("sha256", artifact.sha256().hex())
                .with("name", artifact.fileName())
                .with("size", artifact.size())
                .with("uploadedAt", uploadedAt);
    }

    // ------------------------------------------------------------------ releases

    private Reply releases(Call call) {
        Optional<ModelId> model = call.text("model").map(ModelId::new);
        long before = call.numberCursor(Long.MAX_VALUE);
        List<Release> found = new ArrayList<>();
        List<Release> page;
        do {
            page = rooms.firmware().releases(call.environment(), before, 200);
            page.stream()
                    .filter(r -> model.isEmpty() || r.model().equals(model.get()))
                    .forEach(found::add);
            before = page.isEmpty() ? before : page.getLast().id();
        } while (page.size() == 200 && found.size() <= call.limit());
        List<Release> shown = found.subList(0, Math.min(found.size(), call.limit()));
        return Reply.ok(Fields.of("releases", shown.stream().map(this::fields).toList())
                .with(
                        "next",
                        found.size() > call.limit()
                                ? call.nextCursor(shown.getLast().id())
                                : null));
    }

    private Release find(Call call) {
        try {
            return rooms.firmware()
                    .release(Long.parseLong(call.id()))
                    .filter(r -> r.environment().equals(call.environment()))
                    .orElseThrow(() -> Problem.notFound("release " + call.id()));
        } catch (NumberFormatException e) {
            throw Problem.notFound("release " + call.id());
        }
    }

    private Reply create(Call call) {
        // What the caller says beside the signed description must not contradict it.
        Firmware.Declaration declaration = new Firmware.Declaration(
                call.environment(),
                call.body().path("irreversible").asBoolean(),
                rooms.access().personBehind(call.caller()),
                call.optional("notes").orElse(""),
                Optional.of(new Firmware.Expected(
                        new ModelId(call.required("model")),
                        new FirmwareVersion(call.required("version")),
                        new Digest(call.required("artifact")),
                        call.optional("hardware"))));
        return switch (register(call, declaration)) {
            case Registered.Accepted accepted -> Reply.created(fields(accepted.release()));
            case Registered.Exists exists -> Reply.created(fields(exists.release()));
            case Registered.Refused refused ->
                throw Problem.conflict(
                        IncidentShapes.lower(refused.reason()).replace('_', ' ') + ": " + refused.detail());
        };
    }

    private Registered register(Call call, Firmware.Declaration declaration) {
        if (call.body().has("manifest")) {
            return rooms.firmware()
                    .registerManifest(declaration, Json.bytes(call.body().get("manifest")), call.actor());
        }
        if (!call.body().has("securityCounter")) {
            throw Problem.malformed("/securityCounter", "is needed for a .swu, which carries none of its own");
        }
        return rooms.firmware()
                .registerSwu(
                        declaration,
                        new ModelId(call.required("model")),
                        new Digest(call.required("artifact")),
                        call.body().get("securityCounter").asLong(),
                        call.actor());
    }

    private Reply approve(Call call) {
        Release release = find(call);
        return switch (rooms.firmware()
                .approve(release.id(), rooms.access().personBehind(call.caller()), call.reason(), call.actor())) {
            case APPROVED -> Reply.ok(fields(find(call)));
            case NOT_WAITING ->
                throw Problem.conflict("release " + release.id()
                        + " waits for no approval: only an irreversible one does, and only once");
            case OWN_RELEASE ->
                throw new Problem(
                        ProblemType.NOT_ALLOWED,
                        "you registered release " + release.id()
                                + "; devices can't go back behind it, so a second person must approve it");
        };
    }

    private Reply withdraw(Call call) {
        Release release = find(call);
        try {
            rooms.rollouts().control().withdraw(release.id(), call.reason(), call.actor());
        } catch (RolloutDenied denied) {
            throw RolloutsEndpoint.problem(denied);
        }
        return Reply.ok(fields(find(call)));
    }

    /// Takes back a halt. An irreversible release must then be approved again.
    private Reply reinstate(Call call) {
        Release release = find(call);
        if (release.state() != Release.State.HALTED
                || !rooms.firmware().setState(release.id(), Release.State.REGISTERED, call.reason(), call.actor())) {
            throw Problem.conflict("release " + release.id() + " is not halted, but "
                    + release.state().text());
        }
        return Reply.ok(fields(find(call)));
    }

    private Fields fields(Release release) {
        Artifact image = release.artifacts().getLast();
        return Fields.of("id", Long.toString(release.id()))
                .with("environment", release.environment().value())
                .with("model", release.model().value())
                .with("version", release.version().value())
                .with("hardware", String.join(", ", release.hardware()))
                .with("securityCounter", release.securityCounter())
                .with(
                        "format",
                        switch (release.format()) {
                            case MANIFEST -> "manifest";
                            case SWU -> "swupdate";
                        })
                .with("artifact", artifact(image, uploadedAt(image)))
                .with("signedBy", release.signedBy())
                .with("state", release.state().text())
                .with("stateReason", release.stateReason())
                .with("irreversible", release.irreversible())
                .with("notes", release.notes().isEmpty() ? null : release.notes())
                .with("createdAt", release.registeredAt())
                .with("createdBy", registrar(release));
    }

    private @Nullable String registrar(Release release) {
        return release.registrar().isEmpty()
                ? null
                : rooms.access().nameOf(release.registrar()).orElse(release.registrar());
    }
}
