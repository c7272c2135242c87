package dev.holdfast.mqtt;

import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Serial;
import dev.holdfast.identity.Admission;
import dev.holdfast.sessions.Session;
import dev.holdfast.telemetry.Observation;
import dev.holdfast.tls.PeerClass;
import dev.holdfast.tls.PeerIdentity;
import io.netty.handler.codec.mqtt.MqttConnectMessage;
import java.math.BigInteger;
import java.security.cert.X509Certificate;
import java.util.concurrent.atomic.AtomicReference;

/// Decides on a CONNECT: who is it, may it come in, is what it asks for possible. The order is a safety matter.
final class MqttDoor {
    private final MqttRooms rooms;
    private final int mostSessions;

    MqttDoor(MqttRooms rooms, int mostSessions) {
        this.rooms = rooms;
        this.mostSessions = mostSessions;
    }

    sealed interface Entry {
        record In(MqttConnection connection) implements Entry {}

        record Out(Refusal reason, boolean five) implements Entry {}
    }

    Entry enter(MqttConnectMessage connect, PeerIdentity peer, Wire wire, long now) {
        boolean five = ConnectPolicy.isFive(connect);
        if (!ConnectPolicy.isKnownVersion(connect)) {
            return new Entry.Out(Refusal.PROTOCOL_VERSION, five);
        }

        // 1. The certificate names the device, and must be one that counts.
        if (peer.leaf().isEmpty()
                || peer.peerClass() == PeerClass.MANUFACTURER
                || peer.peerClass() == PeerClass.CLAIM) {
            return new Entry.Out(Refusal.NOT_AUTHORIZED, five);
        }
        Admission first =
                rooms.identity().admit(peer.leaf().get(), rooms.clock().instant());
        if (!(first instanceof Admission.Admitted admitted)) {
            return refused((Admission.Refused) first, peer, five);
        }
        DeviceRef device = admitted.device();
        Serial certificate = admitted.certificate();

        // 2. What can't be served is refused before anything is changed.
        Presence presence = rooms.presences().of(device, now);
        if (!presence.rate().take(5, now)) {
            return new Entry.Out(Refusal.RATE, five);
        }
        if (rooms.sessions().count() >= mostSessions) {
            return new Entry.Out(Refusal.BUSY, five);
        }

        // 3. Register the session first; then look at the standing again. A device that is suspended between
        // the two
        //    is found among the sessions and cut, or refused here: there is no third way.
        AtomicReference<MqttConnection> connection = new AtomicReference<>();
        Session session = rooms.sessions()
                .register(
                        device,
                        certificate,
                        peer.leaf().get().getNotAfter().toInstant(),
                        "mqtt",
                        wire.remoteAddress(),
                        rooms.clock().instant(),
                        reason -> {
                            // The connection is made on this same event loop, before any other task of it can run.
                            wire.later(() -> {
                                MqttConnection open = connection.get();
                                if (open != null) {
                                    open.cut(reason);
                                }
                            });
                        });
        Admission second = rooms.identity().admit(device, certificate);
        if (second instanceof Admission.Refused refused) {
            rooms.sessions().close(session);
            return refused(refused, peer, five);
        }
        ConnectPolicy.Decision decision = ConnectPolicy.decide(device.id(), presence.topics(), connect, session.id());
        return switch (decision) {
            case ConnectPolicy.Refuse refuse -> {
                rooms.sessions().close(session);
                misbehaved(refuse.reason(), device, connect);
                yield new Entry.Out(refuse.reason(), five);
            }
            case ConnectPolicy.Accept terms -> {
                MqttConnection fresh = new MqttConnection(rooms, wire, presence, session, terms, now);
                Presence.Joined joined = rooms.presences().join(presence, fresh, terms.clientId());
                if (!joined.taken()) {
                    rooms.sessions().close(session);
                    yield new Entry.Out(Refusal.TOO_MANY_SESSIONS, five);
                }
                fresh.announce();
                joined.replaced().ifPresent(MqttConnection::replaced);
                connection.set(fresh);
                yield new Entry.In(fresh);
            }
        };
    }

    /// A client id or will of another device, inside a session that is authenticated: proven.
    private void misbehaved(Refusal reason, DeviceRef device, MqttConnectMessage connect) {
        switch (reason) {
            case CLIENT_ID ->
                violation(
                        device,
                        Observation.Violation.Rule.FOREIGN_IDENTITY,
                        "client id " + connect.payload().clientIdentifier());
            case WILL_TOPIC ->
                violation(
                        device,
                        Observation.Violation.Rule.FORBIDDEN_TOPIC,
                        "will to " + connect.payload().willTopic());
            case PROTOCOL_VERSION,
                    WILL_QOS,
                    WILL_RETAIN,
                    AUTHENTICATION_METHOD,
                    NOT_AUTHORIZED,
                    BANNED,
                    UNAVAILABLE,
                    BUSY,
                    TOO_MANY_SESSIONS,
                    RATE -> {}
        }
    }

    private void violation(DeviceRef device, Observation.Violation.Rule rule, String detail) {
        rooms.counts().violations.increment();
        rooms.telemetry()
                .accept(new Observation.Violation(
                        device, rooms.clock().instant(), rule, dev.holdfast.telemetry.SafeText.of(detail, 200)));
    }

    private Entry refused(Admission.Refused refused, PeerIdentity peer, boolean five) {
        observe(refused, peer);
        return switch (refused.reason()) {
            case DEVICE_SUSPENDED, DEVICE_RETIRED -> new Entry.Out(Refusal.BANNED, five);
            case SERVER_CANNOT_CHECK -> new Entry.Out(Refusal.UNAVAILABLE, five);
            case NO_CERTIFICATE,
                    NOT_A_DEVICE_CERTIFICATE,
                    CERTIFICATE_EXPIRED,
                    CERTIFICATE_NOT_YET_VALID,
                    CERTIFICATE_UNKNOWN,
                    CERTIFICATE_REVOKED,
                    CERTIFICATE_SUPERSEDED,
                    ISSUER_REPLACED,
                    DEVICE_UNKNOWN -> new Entry.Out(Refusal.NOT_AUTHORIZED, five);
        };
    }

    /// A refused certificate of ours is a fact about its device; whose it is says the record of its issuance.
    private void observe(Admission.Refused refused, PeerIdentity peer) {
        BigInteger number = peer.leaf().map(X509Certificate::getSerialNumber).orElse(BigInteger.ZERO);
        if (number.signum() <= 0 || number.bitLength() > 160) {
            return;
        }
        Serial serial = Serial.of(number);
        rooms.identity()
                .owner(serial)
                .ifPresent(device -> rooms.telemetry()
                        .accept(new Observation.RefusedCertificate(
                                device,
                                rooms.clock().instant(),
                                serial,
                                refused.reason().name(),
                                true,
                                peer.remoteAddress())));
    }
}
