package dev.holdfast.web;

import dev.holdfast.access.Scope;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/// Which code answers which operation of the contract, and the scope it takes.
public final class Handlers {
    private final Map<String, Registered> byOperation = new HashMap<>();

    /// Answers a request; runs on a virtual thread and may block.
    @FunctionalInterface
    public interface Handler {
        Reply handle(Call call) throws Exception;
    }

    public record Registered(Scope scope, Handler handler) {}

    /// @param scope what the caller needs; not asked where the contract lets anybody in
    public void on(String operationId, Scope scope, Handler handler) {
        if (byOperation.put(operationId, new Registered(scope, handler)) != null) {
            throw new IllegalStateException("two handlers of " + operationId);
        }
    }

    public Optional<Registered> find(String operationId) {
        return Optional.ofNullable(byOperation.get(operationId));
    }
}
