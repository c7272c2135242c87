package dev.holdfast.credentials;

import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.access.Scope;
import dev.holdfast.api.Rooms;
import dev.holdfast.rollover.CeremonyRecord;
import dev.holdfast.web.Call;
import dev.holdfast.web.Fields;
import dev.holdfast.web.Handlers;
import dev.holdfast.web.Problem;
import dev.holdfast.web.Reply;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/// The record of root ceremonies.
final class CeremoniesEndpoint {
    private final Rooms rooms;

    CeremoniesEndpoint(Rooms rooms) {
        this.rooms = rooms;
    }

    void register(Handlers handlers) {
        handlers.on("listCeremonies", Scope.READ, this::list);
        handlers.on("recordCeremony", Scope.SETTINGS_WRITE, this::record);
    }

    private Reply list(Call call) {
        return Reply.ok(Fields.of(
                "ceremonies",
                rooms.rollover().ceremonies().all().stream()
                        .map(CeremoniesEndpoint::fields)
                        .toList()));
    }

    private Reply record(Call call) {
        JsonNode body = call.body();
        if (body.path("rehearsal").asBoolean()) {
            throw Problem.conflict("a rehearsal is not entered: nothing it made is of value");
        }
        CeremonyRecord record;
        try {
            record = new CeremonyRecord(
                    body.path("kind").asText(),
                    Instant.parse(body.path("at").asText()),
                    texts(body.path("people")),
                    body.path("rootSubject").asText(),
                    body.path("rootSha256").asText(),
                    body.path("threshold").asInt(),
                    body.path("shares").asInt(),
                    texts(body.path("signedSha256")),
                    body.path("protocolSha256").asText());
        } catch (DateTimeException e) {
            throw Problem.malformed("/at", "is not a time");
        }
        if (!rooms.rollover().ceremonies().record(record, call.actor())) {
            throw Problem.conflict("this ceremony is entered already");
        }
        return Reply.created(fields(record));
    }

    private static List<String> texts(JsonNode array) {
        List<String> texts = new ArrayList<>();
        array.forEach(element -> texts.add(element.asText()));
        return texts;
    }

    private static Fields fields(CeremonyRecord record) {
        return Fields.of("kind", record.kind())
                .with("at", record.at())
                .with("people", record.people())
                .with("rootSubject", record.rootSubject())
                .with("rootSha256", record.rootSha256())
                .with("threshold", record.threshold())
                .with("shares", record.shares())
                .with("signedSha256", record.signedSha256())
                .with("protocolSha256", record.protocolSha256());
    }
}
