package dev.holdfast.web;

import dev.holdfast.core.Digest;
import dev.holdfast.core.Json;
import dev.holdfast.database.Database;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jooq.Record;

/// The first answers to writes that carried an `Idempotency-Key`, for 24 hours.
///
/// A key is taken before the write begins. When the server dies in between, the key stays taken without an answer,
/// and a retry is told to look: only the caller can know whether the effect happened.
final class IdempotencyStore {
    private static final Duration KEPT = Duration.ofHours(24);

    private final Database database;
    private final InstantSource clock;

    IdempotencyStore(Database database, InstantSource clock) {
        this.database = database;
        this.clock = clock;
    }

    /// A write that may go ahead under its key.
    record Taken(String key) {}

    /// @param request identifies what is asked: method, path, query and body
    /// @return the first answer, or empty when this is the first
    /// @throws Problem IDEMPOTENCY_KEY_REUSED, or CONFLICT while the first is still in work
    Optional<Reply> take(Taken key, Digest request) {
        Instant now = clock.instant();
        return database.transact(sql -> {
            sql.execute(
                    "delete from idempotent_request where created_at < ?::timestamptz",
                    now.minus(KEPT).atOffset(ZoneOffset.UTC));
            boolean first = sql.execute(
                            "insert into idempotent_request(key, request, created_at) values (?, ?, ?::timestamptz)"
                                    + " on conflict do nothing",
                            key.key(),
                            request.hex(),
                            now.atOffset(ZoneOffset.UTC))
                    == 1;
            if (first) {
                return Optional.empty();
            }
            Record row = sql.fetchSingle(
                    "select request, status, media_type, body from idempotent_request where key = ?", key.key());
            if (!request.hex().equals(row.get(0, String.class))) {
                throw new Problem(ProblemType.IDEMPOTENCY_KEY_REUSED, "the first request with this key was another");
            }
            Integer status = row.get(1, Integer.class);
            if (status == null) {
                throw Problem.conflict("the first request with this Idempotency-Key has not been answered: it is in"
                        + " work, or the server stopped in the middle of it; look whether it happened");
            }
            return Optional.of(new Reply(
                            status,
                            row.get(2, String.class),
                            row.get(3, String.class).getBytes(StandardCharsets.UTF_8),
                            Map.of(),
                            Optional.empty())
                    .header("idempotent-replay", "true"));
        });
    }

    void answered(Taken key, Reply reply) {
        database.run(sql -> sql.execute(
                "update idempotent_request set status = ?, media_type = ?, body = ? where key = ?",
                reply.status(),
                reply.mediaType(),
                new String(reply.body(), StandardCharsets.UTF_8),
                key.key()));
    }

    /// The write was refused and changed nothing, so the key is free again.
    void free(Taken key) {
        database.run(sql -> sql.execute("delete from idempotent_request where key = ?", key.key()));
    }

    static Taken key(String caller, String key) {
        return new Taken(Digest.of(Json.bytes(List.of(caller, key))).hex());
    }
}
