package dev.holdfast.web;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.holdfast.core.Json;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/// Ends a request with an RFC 9457 problem.
public final class Problem extends RuntimeException {
    private static final long serialVersionUID = 1L;
    private final ProblemType type;
    private final transient List<Fault> faults;
    private final int retryAfter;

    /// @param at JSON pointer, query parameter or line
    public record Fault(String at, String message) {}

    public Problem(ProblemType type, String detail) {
        this(type, detail, List.of(), 0);
    }

    private Problem(ProblemType type, String detail, List<Fault> faults, int retryAfter) {
        super(detail, null, false, false);
        this.type = type;
        this.faults = List.copyOf(faults);
        this.retryAfter = retryAfter;
    }

    public static Problem malformed(List<Fault> faults) {
        Fault first = faults.getFirst();
        return new Problem(ProblemType.MALFORMED_REQUEST, first.at() + ": " + first.message(), faults, 0);
    }

    public static Problem malformed(String at, String message) {
        return malformed(List.of(new Fault(at, message)));
    }

    public static Problem later(ProblemType type, String detail, int seconds) {
        return new Problem(type, detail, List.of(), seconds);
    }

    public static Problem notFound(String what) {
        return new Problem(ProblemType.NOT_FOUND, "there is no " + what);
    }

    public static Problem conflict(String detail) {
        return new Problem(ProblemType.CONFLICT, detail);
    }

    public ProblemType type() {
        return type;
    }

    OptionalInt retryAfter() {
        return retryAfter == 0 ? OptionalInt.empty() : OptionalInt.of(retryAfter);
    }

    byte[] body(Optional<String> reference) {
        ObjectNode body = Json.mapper().createObjectNode();
        body.put("type", type.page());
        body.put("title", type.title());
        body.put("status", type.status());
        body.put("detail", getMessage());
        body.put("fix", type.fix());
        reference.ifPresent(r -> body.put("reference", r));
        if (retryAfter > 0) {
            body.put("retryAfter", retryAfter);
        }
        if (!faults.isEmpty()) {
            ArrayNode errors = body.putArray("errors");
            faults.forEach(f -> errors.addObject().put("at", f.at()).put("message", f.message()));
        }
        return Json.bytes(body);
    }
}
