package dev.holdfast.credentials;

import dev.holdfast.access.Scope;
import dev.holdfast.api.Rooms;
import dev.holdfast.core.DeviceId;
import dev.holdfast.core.Labels;
import dev.holdfast.core.ModelId;
import dev.holdfast.identity.Claims;
import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.protocol.x509.Pem;
import dev.holdfast.web.Call;
import dev.holdfast.web.Fields;
import dev.holdfast.web.Handlers;
import dev.holdfast.web.Problem;
import dev.holdfast.web.Reply;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/// Batches of devices that claim their certificates with one that they share.
final class ClaimsEndpoint {
    private static final Duration LONGEST = Duration.ofDays(90);
    private static final int SHOWN = 1_000;
    private final Rooms rooms;

    ClaimsEndpoint(Rooms rooms) {
        this.rooms = rooms;
    }

    void register(Handlers handlers) {
        handlers.on("openClaimBatch", Scope.IDENTITY_WRITE, this::open);
        handlers.on(
                "listClaimBatches",
                Scope.READ,
                call -> Reply.ok(Fields.of(
                        "batches",
                        rooms.identity().claims().list(call.environment(), call.limit()).stream()
                                .map(ClaimsEndpoint::fields)
                                .toList())));
        handlers.on("getClaimBatch", Scope.READ, call -> {
            Claims.Batch batch = rooms.identity()
                    .claims()
                    .find(call.environment(), call.id())
                    .orElseThrow(() -> Problem.notFound("claim batch " + call.id()));
            return Reply.ok(fields(batch)
                    .with(
                            "claimed",
                            rooms.identity().claims().claimed(batch.id(), SHOWN).stream()
                                    .map(DeviceId::value)
                                    .toList()));
        });
        handlers.on(
                "closeClaimBatch",
                Scope.IDENTITY_WRITE,
                call -> Reply.ok(rooms.identity()
                        .claims()
                        .close(call.environment(), call.id(), call.reason(), call.actor())
                        .map(ClaimsEndpoint::fields)
                        .orElseThrow(() -> Problem.notFound("claim batch " + call.id()))));
    }

    private Reply open(Call call) {
        String profile = call.optional("profile").orElse("device");
        if (rooms.ca().profiles().find(call.environment(), profile).isEmpty()) {
            throw Problem.malformed("/profile", "is no certificate profile of this environment");
        }
        Set<DeviceId> devices = new HashSet<>();
        Map<String, String> labels = new HashMap<>();
        Claims.Wish wish;
        try {
            call.body().path("devices").forEach(id -> devices.add(new DeviceId(id.asText())));
            call.body()
                    .path("labels")
                    .properties()
                    .forEach(
                            label -> labels.put(label.getKey(), label.getValue().asText()));
            wish = new Claims.Wish(
                    call.environment(),
                    call.required("name").strip(),
                    profile,
                    new ModelId(call.required("model")),
                    new Labels(labels),
                    new Claims.Members(call.optional("pattern"), devices),
                    call.body().path("most").asInt(devices.size()),
                    call.duration("openFor", LONGEST).orElse(Duration.ofDays(7)));
        } catch (IllegalArgumentException e) {
            throw Problem.malformed("/", String.valueOf(e.getMessage()));
        }
        return switch (rooms.identity().claims().open(wish, call.actor())) {
            case Claims.Made.Opened opened ->
                Reply.created(fields(opened.batch())
                        .with("key", Pem.encode("PRIVATE KEY", opened.key().getEncoded()))
                        .with("estUrl", rooms.estUrl().get()));
            case Claims.Made.UnknownModel _ -> throw Problem.malformed("/model", "there is no such model");
        };
    }

    private static Fields fields(Claims.Batch batch) {
        return Fields.of("id", batch.id())
                .with("environment", batch.environment().value())
                .with("name", batch.name())
                .with("profile", batch.profile())
                .with("model", batch.model().value())
                .with("labels", batch.labels().values())
                .with("pattern", batch.pattern())
                .with("listed", batch.listed())
                .with("most", batch.most())
                .with("used", batch.used())
                .with("createdAt", batch.createdAt())
                .with("expiresAt", batch.expiresAt())
                .with("closedAt", batch.closedAt())
                .with("sha256", Certificates.fingerprint(batch.certificate()))
                .with("certificate", Certificates.pem(batch.certificate()));
    }
}
