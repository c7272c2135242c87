package dev.holdfast.web;

import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.access.Principal;
import dev.holdfast.core.Actor;
import dev.holdfast.core.DeviceId;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Digest;
import dev.holdfast.core.Environment;
import dev.holdfast.core.Json;
import dev.holdfast.core.Selector;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.format.DateTimeParseException;
import java.util.Base64;
import java.util.Map;
import java.util.Optional;

/// One request, authenticated, authorised and checked against the contract.
///
/// @param body an empty object where the request had none
/// @param stream the body of operations that take something else than JSON
/// @param cookie the session's secret, for signing out
public record Call(
        Contract.Operation operation,
        Map<String, String> path,
        Map<String, String> query,
        Map<String, String> headers,
        Optional<Principal> principal,
        Environment environment,
        JsonNode body,
        InputStream stream,
        Optional<String> cookie) {

    public Principal caller() {
        return principal.orElseThrow(() -> new IllegalStateException(operation.id() + " is anonymous"));
    }

    public Actor actor() {
        return caller().actor();
    }

    /// The path's `{id}`.
    public String id() {
        return path.getOrDefault("id", "");
    }

    public DeviceRef device() {
        return new DeviceRef(environment, new DeviceId(id()));
    }

    public Optional<String> text(String name) {
        return Optional.ofNullable(query.get(name));
    }

    public boolean flag(String name) {
        return text(name).map(Boolean::parseBoolean).orElse(false);
    }

    public int limit() {
        return text("limit").map(Integer::parseInt).orElse(50);
    }

    public Optional<Instant> time(String name) {
        return text(name).map(t -> OffsetDateTime.parse(t).toInstant());
    }

    public Optional<DeviceRef> deviceParameter() {
        return text("device").map(id -> new DeviceRef(environment, new DeviceId(id)));
    }

    public Selector selector() {
        return selector("?selector", text("selector").orElse(""));
    }

    public static Selector selector(String at, String text) {
        try {
            return Selector.parse(text);
        } catch (IllegalArgumentException e) {
            throw Problem.malformed(at, String.valueOf(e.getMessage()));
        }
    }

    /// A text of the body, which the contract requires.
    public String required(String name) {
        return body.path(name).asText();
    }

    public Optional<String> optional(String name) {
        return body.hasNonNull(name) ? Optional.of(body.get(name).asText()) : Optional.empty();
    }

    /// Why, as the caller wrote it.
    public String reason() {
        String reason = required("reason").strip();
        if (reason.isEmpty()) {
            throw Problem.malformed("/reason", "is blank; say why, for the journal");
        }
        return reason;
    }

    /// A duration of the body, such as `PT1H`, between a moment and the longest.
    public Optional<Duration> duration(String name, Duration longest) {
        return optional(name).map(text -> duration("/" + name, text, longest));
    }

    public static Duration duration(String at, String text, Duration longest) {
        try {
            Duration duration = Duration.parse(text);
            if (duration.isNegative() || duration.isZero() || duration.compareTo(longest) > 0) {
                throw Problem.malformed(at, "should be more than nothing and at most " + longest);
            }
            return duration;
        } catch (DateTimeParseException e) {
            throw Problem.malformed(at, "is not an ISO 8601 duration such as PT10M or P1D");
        }
    }

    // ------------------------------------------------------------------ cursors

    /// What a cursor holds, or empty for the first page.
    ///
    /// @throws Problem MALFORMED_REQUEST when it is not one of ours, or of another operation
    public Optional<String> cursor() {
        return text("cursor").map(cursor -> {
            try {
                String plain = new String(Base64.getUrlDecoder().decode(cursor), StandardCharsets.UTF_8);
                String prefix = operation.id() + ":";
                if (plain.startsWith(prefix)) {
                    return plain.substring(prefix.length());
                }
            } catch (IllegalArgumentException notBase64) {
                throw badCursor();
            }
            throw badCursor();
        });
    }

    public long numberCursor(long first) {
        try {
            return cursor().map(Long::parseLong).orElse(first);
        } catch (NumberFormatException e) {
            throw badCursor();
        }
    }

    public String nextCursor(Object position) {
        return Base64.getUrlEncoder()
                .withoutPadding()
                .encodeToString((operation.id() + ":" + position).getBytes(StandardCharsets.UTF_8));
    }

    public static Problem badCursor() {
        return Problem.malformed("?cursor", "is not a cursor of this list; begin again without it");
    }

    // ------------------------------------------------------------------ conditions

    /// An entity tag over what a change could touch.
    public static String etag(Object... parts) {
        return "\"" + Digest.of(Json.bytes(parts)).hex().substring(0, 24) + "\"";
    }

    /// @throws Problem CHANGED_MEANWHILE when If-Match names another version
    public void checkIfMatch(String etag) {
        String wanted = headers.get("if-match");
        if (wanted != null && !wanted.equals("*") && !wanted.equals(etag)) {
            throw new Problem(
                    ProblemType.CHANGED_MEANWHILE, "If-Match is " + Schema.shown(wanted) + ", now it is " + etag);
        }
    }
}
