package dev.holdfast.sessions;

import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Serial;
import dev.holdfast.core.SessionOrder;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BiPredicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The live connections of each device over every protocol, on this node.
///
/// Order at connect: the edge registers the session first and checks the device's standing after, so that a
/// device
/// suspended between the two is still found here and cut.
public final class Sessions {
    private static final Logger LOG = LoggerFactory.getLogger(Sessions.class);
    private final Map<DeviceRef, Map<Long, Live>> live = new ConcurrentHashMap<>();
    private final AtomicLong ids = new AtomicLong();
    private final AtomicLong open = new AtomicLong();

    /// What an edge gives us to end a connection. Runs on the caller's thread and must not block: it hands
    /// the close to
    /// its event loop, and input already queued is discarded.
    @FunctionalInterface
    public interface Connection {
        void cut(CutReason reason);
    }

    private record Live(Session session, Connection connection) {}

    /// @param until when the certificate ends, and the session with it
    /// @return the session under which the edge must [#close] it again
    public Session register(
            DeviceRef device,
            Serial certificate,
            Instant until,
            String protocol,
            String remoteAddress,
            Instant now,
            Connection connection) {
        Session session = new Session(
                ids.updateAndGet(last -> SessionOrder.next(last, now)),
                device,
                certificate,
                until,
                protocol,
                remoteAddress,
                now);
        live.compute(device, (_, sessions) -> {
            Map<Long, Live> known = sessions == null ? new ConcurrentHashMap<>(2) : sessions;
            known.put(session.id(), new Live(session, connection));
            return known;
        });
        open.incrementAndGet();
        return session;
    }

    /// Forgets the session; harmless when it was forgotten already.
    public void close(Session session) {
        live.computeIfPresent(session.device(), (_, sessions) -> {
            if (sessions.remove(session.id()) != null) {
                open.decrementAndGet();
            }
            return sessions.isEmpty() ? null : sessions;
        });
    }

    public List<Session> of(DeviceRef device) {
        return sessions(device).stream().map(Live::session).toList();
    }

    public long count() {
        return open.get();
    }

    /// Cuts every session of the device.
    ///
    /// @return how many
    public int cut(DeviceRef device, CutReason reason) {
        return cut(device, reason, (_, _) -> true);
    }

    /// Cuts the device's sessions that use this certificate.
    public int cut(DeviceRef device, Serial certificate, CutReason reason) {
        return cut(device, reason, (_, session) -> session.certificate().equals(certificate));
    }

    /// Cuts the device's sessions that the predicate names.
    public int cut(DeviceRef device, CutReason reason, BiPredicate<DeviceRef, Session> which) {
        List<Live> chosen = new ArrayList<>();
        for (Live candidate : sessions(device)) {
            if (which.test(device, candidate.session())) {
                chosen.add(candidate);
            }
        }
        chosen.forEach(c -> {
            close(c.session());
            try {
                c.connection().cut(reason);
            } catch (RuntimeException e) {
                // The others must be cut all the same; this one's next message is refused, if it can still send one.
                LOG.error("a {} session of {} could not be cut", c.session().protocol(), device, e);
            }
        });
        return chosen.size();
    }

    /// Cuts every session that the predicate names, of whatever device.
    ///
    /// @return how many
    public int cutWhere(CutReason reason, java.util.function.Predicate<Session> which) {
        return List.copyOf(live.keySet()).stream()
                .mapToInt(device -> cut(device, reason, (_, session) -> which.test(session)))
                .sum();
    }

    /// Cuts every session whose certificate has ended: it would not be let in any more.
    ///
    /// @return how many
    public int cutExpired(Instant now) {
        List<Session> expired = new ArrayList<>();
        live.values()
                .forEach(sessions -> sessions.values().stream()
                        .map(Live::session)
                        .filter(session -> now.isAfter(session.until()))
                        .forEach(expired::add));
        return expired.stream()
                .mapToInt(session ->
                        cut(session.device(), CutReason.CERTIFICATE_EXPIRED, (_, one) -> one.id() == session.id()))
                .sum();
    }

    /// Cuts everything, when the server stops.
    public void cutAll(CutReason reason) {
        List.copyOf(live.keySet()).forEach(device -> cut(device, reason));
    }

    /// Waits until no session is open.
    ///
    /// @return false when some still were after the time allowed
    public boolean awaitNone(Duration atMost) throws InterruptedException {
        long deadline = System.nanoTime() + atMost.toNanos();
        while (open.get() > 0) {
            if (System.nanoTime() - deadline > 0) {
                return false;
            }
            java.util.concurrent.TimeUnit.MILLISECONDS.sleep(5);
        }
        return true;
    }

    private Collection<Live> sessions(DeviceRef device) {
        return live.getOrDefault(device, Map.of()).values();
    }
}
