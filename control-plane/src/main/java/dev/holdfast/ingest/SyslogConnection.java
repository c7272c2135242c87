package dev.holdfast.ingest;

import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Serial;
import dev.holdfast.identity.Admission;
import dev.holdfast.inventory.Lifecycle;
import dev.holdfast.protocol.syslog.MalformedSyslogException;
import dev.holdfast.protocol.syslog.OctetCounting;
import dev.holdfast.protocol.syslog.SyslogMessage;
import dev.holdfast.sessions.Session;
import dev.holdfast.sessions.TokenBucket;
import dev.holdfast.telemetry.Acknowledgement;
import dev.holdfast.telemetry.Observation;
import dev.holdfast.telemetry.SafeText;
import dev.holdfast.telemetry.Severity;
import dev.holdfast.tls.PeerClass;
import dev.holdfast.tls.PeerIdentity;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// One device's syslog over TLS. On its event loop only.
///
/// There is no acknowledgement in this protocol; what is full is not read, and TCP tells the device. It counts
/// as a session that can be cut, but says nothing for the detection of clones: a device that speaks MQTT and
/// syslog in turn is one device.
final class SyslogConnection {
    private static final int MOST_OCTETS = 8_192;
    private static final int LONGEST_TEXT = 4_096;
    private static final int MOST_UNDECIDED = 64;
    private static final int MOST_MALFORMED = 20;
    private static final Duration IDLE = Duration.ofHours(2);
    private static final Duration AGAIN = Duration.ofMillis(20);

    private final SyslogEndpoint.SyslogRooms rooms;
    private final Wire wire;
    private final OctetCounting framing = new OctetCounting(MOST_OCTETS);
    private final ArrayDeque<Observation.LogLine> held = new ArrayDeque<>();
    private @Nullable Session session;
    private @Nullable TokenBucket rate;
    private int undecided;
    private int malformed;
    private boolean reading = true;
    private boolean retrying;
    private long heardAt = System.nanoTime();
    private long completeAt = System.nanoTime();
    private volatile boolean ended;

    /// The socket, as this sees it.
    interface Wire {
        void close();

        void reading(boolean on);

        void later(Runnable task);

        void after(Duration delay, Runnable task);
    }

    SyslogConnection(SyslogEndpoint.SyslogRooms rooms, Wire wire) {
        this.rooms = rooms;
        this.wire = wire;
    }

    /// @return false when it may not come in; the socket is closed then
    boolean enter(PeerIdentity peer) {
        Instant now = rooms.clock().instant();
        Optional<Admission.Admitted> admitted = Optional.of(peer)
                .filter(p -> p.peerClass() == PeerClass.OPERATIONAL)
                .flatMap(PeerIdentity::leaf)
                .map(leaf -> rooms.identity().admit(leaf, now))
                .filter(Admission.Admitted.class::isInstance)
                .map(Admission.Admitted.class::cast);
        if (admitted.isEmpty()) {
            return refused();
        }
        DeviceRef device = admitted.get().device();
        Serial certificate = admitted.get().certificate();
        Instant until = peer.leaf().orElseThrow().getNotAfter().toInstant();
        session = rooms.sessions().register(device, certificate, until, "syslog", peer.remoteAddress(), now, _ -> {
            ended = true; // what is queued is discarded
            wire.later(wire::close);
        });
        rate = new TokenBucket(100, 400, System.nanoTime());
        if (!mayGoOn(device, certificate)) {
            return refused();
        }
        rooms.inventory().heard(device, now);
        return true;
    }

    private boolean refused() {
        rooms.counts().refused.increment();
        ended = true;
        wire.close();
        return false;
    }

    private boolean mayGoOn(DeviceRef device, Serial certificate) {
        return switch (rooms.identity().admit(device, certificate)) {
            case Admission.Admitted admitted -> admitted.state() != Lifecycle.QUARANTINED;
            case Admission.Refused refused ->
                refused.reason() == Admission.Refusal.SERVER_CANNOT_CHECK
                        && rooms.identity().lastKnown(device, certificate) instanceof Admission.Admitted last
                        && last.state() != Lifecycle.QUARANTINED;
        };
    }

    void received(byte[] piece) {
        Session open = session;
        TokenBucket bucket = rate;
        if (ended || open == null || bucket == null) {
            return;
        }
        heardAt = System.nanoTime();
        try {
            for (byte[] message : framing.feed(piece)) {
                if (!mayGoOn(open.device(), open.certificate())) {
                    end();
                    return;
                }
                if (!bucket.take(1 + message.length / 1_024.0, heardAt)) {
                    violation(open.device(), Observation.Violation.Rule.RATE_EXCEEDED, "syslog messages");
                    end();
                    return;
                }
                take(open.device(), message);
            }
        } catch (MalformedSyslogException e) {
            // The stream can't be followed any further.
            rooms.counts().malformed.increment();
            violation(open.device(), Observation.Violation.Rule.MALFORMED_MESSAGE, "syslog: " + e.getMessage());
            end();
            return;
        }
        if (!framing.isInside()) {
            completeAt = heardAt;
        }
        hand();
    }

    private void take(DeviceRef device, byte[] octets) {
        try {
            held.add(line(device, SyslogMessage.parse(octets), rooms.clock().instant()));
        } catch (MalformedSyslogException e) {
            rooms.counts().malformed.increment();
            violation(device, Observation.Violation.Rule.MALFORMED_MESSAGE, "syslog: " + e.getMessage());
            if (++malformed >= MOST_MALFORMED) {
                end();
            }
        }
    }

    /// Host name and time are the device's word, and add nothing: whose line it is says the certificate.
    static Observation.LogLine line(DeviceRef device, SyslogMessage message, Instant now) {
        String source = message.application().orElse("")
                + message.process().map(p -> "[" + p + "]").orElse("");
        return new Observation.LogLine(
                device,
                now,
                Severity.of(message.severity()).keyword(),
                SafeText.of(source.isEmpty() ? message.text() : source + ": " + message.text(), LONGEST_TEXT));
    }

    private void hand() {
        while (!held.isEmpty() && undecided < MOST_UNDECIDED && !ended) {
            if (!rooms.telemetry().keep(held.peek(), decided())) {
                if (!retrying) {
                    retrying = true;
                    wire.after(AGAIN, () -> {
                        retrying = false;
                        hand();
                    });
                }
                break;
            }
            rooms.counts().lines.increment();
            undecided++;
            held.poll();
        }
        boolean should = held.isEmpty();
        if (should != reading && !ended) {
            reading = should;
            wire.reading(should);
        }
    }

    private Acknowledgement decided() {
        return new Acknowledgement() {
            @Override
            public void committed() {
                wire.later(SyslogConnection.this::oneLess);
            }

            @Override
            public void failed(RuntimeException why) {
                wire.later(SyslogConnection.this::end); // the device connects again; nothing was promised
            }
        };
    }

    private void oneLess() {
        undecided--;
        hand();
    }

    private void violation(DeviceRef device, Observation.Violation.Rule rule, String detail) {
        rooms.telemetry().accept(new Observation.Violation(device, rooms.clock().instant(), rule, detail));
    }

    /// A message that has begun must end soon; a silent connection is given up at last.
    void check(long now) {
        if (reading
                && framing.isInside()
                && now - completeAt > rooms.incomplete().toNanos()) {
            end();
        } else if (now - heardAt > IDLE.toNanos()) {
            end();
        }
    }

    private void end() {
        ended = true;
        wire.close();
    }

    void closed() {
        ended = true;
        held.clear();
        if (session != null) {
            rooms.sessions().close(session);
        }
    }
}
