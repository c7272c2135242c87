package dev.holdfast.tls;

import dev.holdfast.core.Json;
import io.vertx.core.buffer.Buffer;
import io.vertx.ext.web.RoutingContext;
import java.util.Map;

/// Errors over HTTP as RFC 9457 problems: what, why, and how to mend it.
public final class Problem {
    private static final String PAGES = "https://holdfast.dev/problems/";

    private Problem() {}

    /// @param type the last part of the page's address that explains it
    /// @param title the cause, the same for every occurrence
    /// @param detail how to mend it
    public static void send(RoutingContext request, int status, String type, String title, String detail) {
        if (request.response().ended() || request.response().headWritten()) {
            return;
        }
        request.response()
                .setStatusCode(status)
                .putHeader("content-type", "application/problem+json")
                .end(Buffer.buffer(
                        Json.bytes(Map.of("type", PAGES + type, "title", title, "status", status, "detail", detail))));
    }
}
