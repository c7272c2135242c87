package dev.holdfast.operator;

import dev.holdfast.access.Scope;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/// Which code answers which operation of the contract, and the scope it takes.
final class Handlers {
    private final Map<String, Registered> byOperation = new HashMap<>();

    /// Answers a request; runs on a virtual thread and may block.
    @FunctionalInterface
    interface Handler {
        Reply handle(Call call) throws Exception;
    }

    record Registered(Scope scope, Handler handler) {}

    /// @param scope what the caller needs; not asked where the contract lets anybody in
    void on(String operationId, Scope scope, Handler handler) {
        if (byOperation.put(operationId, new Registered(scope, handler)) != null) {
            throw new IllegalStateException("two handlers of " + operationId);
        }
    }

    Optional<Registered> find(String operationId) {
        return Optional.ofNullable(byOperation.get(operationId));
    }
}
