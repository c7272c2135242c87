package dev.holdfast.notify;

import dev.holdfast.core.Actor;
import dev.holdfast.core.Environment;
import java.util.List;
import java.util.Optional;

/// The room's door: where operators are told, and what became of it.
@SuppressWarnings("DoNotCallSuggester") // signatures first; the bodies follow
public final class Channels implements AutoCloseable {
    /// A channel that was made.
    ///
    /// @param secret `whsec_...`, to verify our signature with; for webhooks only, shown now and never again
    public record Made(Channel channel, Optional<String> secret) {}

    public sealed interface Added {
        record Done(Made made) implements Added {}

        /// @param why in a sentence, such as that the address is not https
        record Refused(String why) implements Added {}
    }

    public List<Channel> list(Environment environment) {
        throw new UnsupportedOperationException();
    }

    public Added add(Environment environment, String name, Channel.Target target, List<String> kinds, Actor actor) {
        throw new UnsupportedOperationException();
    }

    public boolean setEnabled(Environment environment, long id, boolean enabled, Actor actor) {
        throw new UnsupportedOperationException();
    }

    public boolean remove(Environment environment, long id, Actor actor) {
        throw new UnsupportedOperationException();
    }

    /// Newest first.
    public List<Delivery> deliveries(Environment environment, long channel, long before, int limit) {
        throw new UnsupportedOperationException();
    }

    /// Sends a test notification.
    public boolean test(Environment environment, long channel, Actor actor) {
        throw new UnsupportedOperationException();
    }

    /// Tries the dead ones again.
    ///
    /// @return how many
    public int redeliver(Environment environment, long channel, Actor actor) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void close() {
        throw new UnsupportedOperationException();
    }
}
