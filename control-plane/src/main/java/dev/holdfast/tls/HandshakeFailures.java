package dev.holdfast.tls;

import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/// The last handshakes that failed on this node, newest first, bounded; and how many of each cause there were. What
/// outlives the node is kept by who listens.
public final class HandshakeFailures {
    private static final int KEPT = 1_000;
    private final Deque<HandshakeFailure> last = new ArrayDeque<>();
    private final Map<HandshakeFailure.Cause, Long> counts = new EnumMap<>(HandshakeFailure.Cause.class);

    private volatile Consumer<HandshakeFailure> listener = _ -> {};

    /// Who hears of each one, on the event loop: must not block.
    public void onFailure(Consumer<HandshakeFailure> hears) {
        listener = hears;
    }

    /// Somebody came without a certificate to where there is no entry without one.
    ///
    /// @param calledItself what the client calls itself; it proves nothing
    public void cameWithoutCertificate(Instant at, String remoteAddress, String calledItself) {
        String name = ClassifyingTrustManager.safe(calledItself);
        add(new HandshakeFailure(
                at,
                remoteAddress,
                HandshakeFailure.Cause.NO_CERTIFICATE,
                "it showed no certificate; it calls itself " + name,
                "CN=" + name,
                ""));
    }

    void add(HandshakeFailure failure) {
        keep(failure);
        listener.accept(failure);
    }

    private synchronized void keep(HandshakeFailure failure) {
        last.addFirst(failure);
        if (last.size() > KEPT) {
            last.removeLast();
        }
        counts.merge(failure.cause(), 1L, Long::sum);
    }

    /// Newest first.
    public synchronized List<HandshakeFailure> last(int limit) {
        List<HandshakeFailure> some = new ArrayList<>();
        for (HandshakeFailure failure : last) {
            if (some.size() == limit) {
                break;
            }
            some.add(failure);
        }
        return some;
    }

    /// Since this node started.
    public synchronized Map<HandshakeFailure.Cause, Long> counts() {
        return Map.copyOf(counts);
    }
}
