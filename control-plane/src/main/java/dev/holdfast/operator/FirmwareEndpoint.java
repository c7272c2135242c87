package dev.holdfast.operator;

import dev.holdfast.access.Scope;
import dev.holdfast.core.Digest;
import dev.holdfast.core.Json;
import dev.holdfast.core.ModelId;
import dev.holdfast.firmware.Artifact;
import dev.holdfast.firmware.Firmware;
import dev.holdfast.firmware.Registered;
import dev.holdfast.firmware.Release;
import dev.holdfast.firmware.SigningKey;
import dev.holdfast.firmware.Stored;
import dev.holdfast.journal.Recorded;
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
        boolean irreversible = call.body().path("irreversible").asBoolean();
        Firmware.Declaration declaration = new Firmware.Declaration(call.environment(), irreversible);
        Registered outcome;
        if (call.body().has("manifest")) {
            outcome = rooms.firmware()
                    .registerManifest(declaration, Json.bytes(call.body().get("manifest")), call.actor());
        } else {
            if (!call.body().has("securityCounter")) {
                throw Problem.malformed("/securityCounter", "is needed for a .swu, which carries none of its own");
            }
            outcome = rooms.firmware()
                    .registerSwu(
                            declaration,
                            new ModelId(call.required("model")),
                            new Digest(call.required("artifact")),
                            call.body().get("securityCounter").asLong(),
                            call.actor());
        }
        Release release = switch (outcome) {
            case Registered.Accepted accepted -> accepted.release();
            case Registered.Exists exists -> exists.release();
            case Registered.Refused refused ->
                throw Problem.conflict(
                        IncidentShapes.lower(refused.reason()).replace('_', ' ') + ": " + refused.detail());
        };
        // What the caller says beside the signed description must not contradict it.
        if (!release.model().value().equals(call.required("model"))
                || !release.version().value().equals(call.required("version"))) {
            throw Problem.conflict("the signed description is of " + release.model() + " " + release.version()
                    + ", registered as such as release " + release.id() + "; the request says "
                    + call.required("model") + " " + call.required("version"));
        }
        return Reply.created(fields(release));
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
                .with("createdAt", release.registeredAt());
    }
}
