package dev.holdfast.detection;

import dev.holdfast.core.Environment;
import dev.holdfast.core.ModelId;
import dev.holdfast.inventory.Model;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/// What is expected of each model's devices, compiled once for as long as the model stays as it is.
///
/// Looked up by the model's name and compared by identity: to hash a whole model, its bands and flows, costs more than
/// to judge a measurement by it.
final class Expectations {
    private final Map<Name, Compiled> known = new ConcurrentHashMap<>();

    private record Name(Environment environment, ModelId model) {}

    private record Compiled(Model model, Expectation expectation) {}

    @SuppressWarnings("ReferenceEquality") // another object may be another definition: then it is compiled again
    Expectation of(Model model) {
        Name name = new Name(model.environment(), model.id());
        Compiled compiled = known.get(name);
        if (compiled == null || compiled.model() != model) {
            compiled = new Compiled(model, Expectation.of(model));
            known.put(name, compiled);
        }
        return compiled.expectation();
    }
}
