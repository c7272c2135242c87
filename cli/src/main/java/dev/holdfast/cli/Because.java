package dev.holdfast.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import picocli.CommandLine.Option;

/// Why something is done: it stands in the journal beside the change.
final class Because {
    @Option(names = "--reason", required = true, paramLabel = "TEXT", description = "Why, for the journal.")
    private String reason = "";

    /// The body of a request that gives the reason.
    ObjectNode body() {
        return of(reason);
    }

    static ObjectNode of(String reason) {
        return ApiClient.object().put("reason", reason);
    }
}
