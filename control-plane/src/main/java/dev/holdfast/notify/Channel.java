package dev.holdfast.notify;

import dev.holdfast.core.Environment;
import java.net.URI;
import java.time.Instant;
import java.util.List;

/// Where operators are told.
///
/// @param kinds which journal entries it wants: exact kinds, or `incident.*`; empty means the default
///     ([#DEFAULT_KINDS])
/// @param health what has become of its deliveries
public record Channel(
        long id,
        Environment environment,
        String name,
        Target target,
        List<String> kinds,
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
            "rollout.stopped");

    public Channel {
        kinds = List.copyOf(kinds);
    }

    public sealed interface Target {
        /// Standard Webhooks: signed with a secret that is shown once, when the channel is made.
        record Webhook(URI url) implements Target {}

        record Mail(List<String> to, String from) implements Target {
            public Mail {
                to = List.copyOf(to);
            }
        }
    }

    /// @param waiting to be delivered or tried again
    /// @param dead given up on; [Channels#redeliver] tries them again
    public record Health(int waiting, int dead, String lastError) {}
}
