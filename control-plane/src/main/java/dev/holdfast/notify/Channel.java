package dev.holdfast.notify;

import dev.holdfast.core.Environment;
import java.net.URI;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/// Where operators are told.
///
/// @param kinds which journal entries it wants: exact kinds, or `incident.*`; empty means [#DEFAULT_KINDS]
/// @param minimumSeverity entries that state a lesser severity are not told
/// @param health what has become of its deliveries
public record Channel(
        long id,
        Environment environment,
        String name,
        Target target,
        List<String> kinds,
        Severity minimumSeverity,
        boolean enabled,
        Instant createdAt,
        Health health) {

    /// What a person on shift must know without having asked for it.
    public static final List<String> DEFAULT_KINDS = List.of(
            "incident.opened",
            "incident.escalated",
            "isolation.awaiting-approval",
            "isolation.intended",
            "isolation.undone",
            "isolation.expired",
            "isolation.healed",
            "rollout.stopped",
            "notify.dead");

    public Channel {
        kinds = List.copyOf(kinds);
    }

    public enum Severity {
        LOW,
        MEDIUM,
        HIGH,
        CRITICAL
    }

    public sealed interface Target {
        /// Standard Webhooks: signed with a secret that is shown once, when the channel is made.
        record Webhook(URI url) implements Target {}

        /// @param from empty for the one that is configured
        record Mail(List<String> to, String from) implements Target {
            public Mail {
                to = List.copyOf(to);
            }
        }
    }

    /// @param waiting to be delivered or tried again
    /// @param dead given up on; [Channels#redeliver] tries them again
    public record Health(int waiting, int dead, Optional<Instant> lastDeliveredAt, String lastError) {}

    /// Whether it wants to hear of an entry.
    ///
    /// @param severity as the entry states it, if it does
    boolean wants(String kind, Optional<Severity> severity) {
        List<String> wanted = kinds.isEmpty() ? DEFAULT_KINDS : kinds;
        boolean named = wanted.stream()
                .anyMatch(want ->
                        want.endsWith("*") ? kind.startsWith(want.substring(0, want.length() - 1)) : want.equals(kind));
        return named && severity.map(s -> s.compareTo(minimumSeverity) >= 0).orElse(true);
    }
}
