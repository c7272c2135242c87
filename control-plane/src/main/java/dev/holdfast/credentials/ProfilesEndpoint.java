package dev.holdfast.credentials;

import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.access.Scope;
import dev.holdfast.api.Rooms;
import dev.holdfast.profiles.CertificateProfile;
import dev.holdfast.profiles.ProfileText;
import dev.holdfast.web.Call;
import dev.holdfast.web.Fields;
import dev.holdfast.web.Handlers;
import dev.holdfast.web.Problem;
import dev.holdfast.web.Reply;
import java.util.Map;
import java.util.Optional;

/// Certificate profiles.
final class ProfilesEndpoint {
    private final Rooms rooms;

    ProfilesEndpoint(Rooms rooms) {
        this.rooms = rooms;
    }

    void register(Handlers handlers) {
        handlers.on(
                "listCertificateProfiles",
                Scope.READ,
                call -> Reply.ok(Fields.of(
                        "profiles",
                        rooms.ca().profiles().all(call.environment()).stream()
                                .map(ProfilesEndpoint::fields)
                                .toList())));
        handlers.on("getCertificateProfile", Scope.READ, call -> {
            CertificateProfile profile =
                    find(call).orElseThrow(() -> Problem.notFound("certificate profile " + call.id()));
            return Reply.ok(fields(profile)).etag(etag(profile));
        });
        handlers.on("putCertificateProfile", Scope.SETTINGS_WRITE, this::put);
    }

    private Optional<CertificateProfile> find(Call call) {
        return rooms.ca().profiles().find(call.environment(), call.id());
    }

    private Reply put(Call call) {
        if (call.headers().containsKey("if-match")) {
            call.checkIfMatch(find(call).map(ProfilesEndpoint::etag).orElse("\"none\""));
        }
        CertificateProfile profile;
        try {
            profile = ProfileText.read(call.id(), call.body());
        } catch (IllegalArgumentException e) {
            throw Problem.malformed("/", String.valueOf(e.getMessage()));
        }
        boolean fresh = rooms.ca().profiles().put(call.environment(), profile, "set by an operator", call.actor());
        return Reply.json(fresh ? 201 : 200, fields(profile)).etag(etag(profile));
    }

    private static String etag(CertificateProfile profile) {
        return Call.etag(ProfileText.write(profile).toString());
    }

    private static Fields fields(CertificateProfile profile) {
        Fields fields = Fields.of("name", profile.name());
        for (Map.Entry<String, JsonNode> field : ProfileText.write(profile).properties()) {
            if (!field.getKey().equals("name")) {
                fields.with(field.getKey(), field.getValue());
            }
        }
        return fields;
    }
}
