package dev.holdfast.api;

import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.access.Access;
import dev.holdfast.access.Scope;
import dev.holdfast.core.Environment;
import dev.holdfast.journal.Journal;
import dev.holdfast.journal.Recorded;
import dev.holdfast.web.Call;
import dev.holdfast.web.Fields;
import dev.holdfast.web.Handlers;
import dev.holdfast.web.Reply;
import java.util.List;
import java.util.Optional;

/// The record of everything: read by people, by scripts, and by whoever verifies it without trusting us.
final class JournalEndpoint {
    private final Rooms rooms;

    JournalEndpoint(Rooms rooms) {
        this.rooms = rooms;
    }

    void register(Handlers handlers) {
        handlers.on("listJournal", Scope.READ, this::list);
        handlers.on("readJournalChain", Scope.READ, this::chain);
        handlers.on("verifyJournal", Scope.READ, _ -> verify());
    }

    private Reply list(Call call) {
        boolean ascending = call.text("order").orElse("desc").equals("asc");
        long after = call.text("after").map(Long::parseLong).orElse(0L);
        long from = call.numberCursor(ascending ? after : Long.MAX_VALUE);
        Journal.Query query = new Journal.Query(
                call.text("environment").map(Environment::new),
                call.text("subject"),
                call.text("kind"),
                ascending ? Math.max(after, from) : after,
                ascending ? Long.MAX_VALUE : from,
                ascending);
        List<Recorded> found = rooms.journal().find(query, call.limit() + 1);
        boolean more = found.size() > call.limit();
        List<Recorded> page = more ? found.subList(0, call.limit()) : found;
        return Reply.ok(Fields.of(
                        "entries",
                        page.stream().map(e -> entry(e, rooms.access())).toList())
                .with("head", head(rooms.journal().head()))
                .with("next", more ? call.nextCursor(page.getLast().number()) : null));
    }

    private Reply chain(Call call) {
        long after = Long.parseLong(call.query().getOrDefault("after", "0"));
        int limit = Integer.parseInt(call.query().getOrDefault("limit", "1000"));
        return Reply.ok(Fields.of(
                        "entries",
                        rooms.journal().read(after, limit).stream()
                                .map(e -> Fields.of("number", e.number())
                                        .with("content", e.content())
                                        .with("leafHash", e.leafHash().hex())
                                        .with("chainHash", e.chainHash().hex()))
                                .toList())
                .with("head", head(rooms.journal().head())));
    }

    private Reply verify() {
        Optional<Journal.Fault> fault = rooms.journal().verify();
        Journal.Head head = rooms.journal().head();
        return Reply.ok(Fields.of("intact", fault.isEmpty())
                .with("entries", head.number())
                .with("head", head(head))
                .with(
                        "sentence",
                        fault.map(f -> "Entry " + f.number() + " is not as it was written: " + f.what() + ".")
                                .orElse("Every one of " + head.number() + " entries is as it was written."))
                .with("fault", fault.map(f -> Fields.of("number", f.number()).with("what", f.what()))));
    }

    static Fields head(Journal.Head head) {
        return Fields.of("number", head.number())
                .with("chainHash", head.chainHash().hex());
    }

    static Fields entry(Recorded entry, Access access) {
        JsonNode json = entry.json();
        String actor = json.path("actor").asText();
        return Fields.of("number", entry.number())
                .with("at", entry.at())
                .with("kind", json.path("kind").asText())
                .with("environment", json.path("environment").asText())
                .with("subject", json.path("subject").asText())
                .with("actor", actor)
                .with("actorName", access.nameOf(actor))
                .with("reason", json.path("reason").asText())
                .with("body", json.path("body"));
    }
}
