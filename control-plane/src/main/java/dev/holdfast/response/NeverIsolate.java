package dev.holdfast.response;

import dev.holdfast.core.Selector;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Devices that no automatic response may isolate, named by labels that only operators set.
///
/// @param revision grows with every change
public record NeverIsolate(List<Rule> rules, long revision) {
    public NeverIsolate {
        rules = List.copyOf(rules);
    }

    /// @param text as the operator wrote it
    public record Rule(String text, Selector selector) {}

    /// The rule that names a device with these attributes.
    Optional<Rule> match(Map<String, String> attributes) {
        return rules.stream()
                .filter(rule -> rule.selector().matches(attributes))
                .findFirst();
    }
}
