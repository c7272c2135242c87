package dev.holdfast.mqtt;

import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Serial;
import dev.holdfast.identity.Admission;
import dev.holdfast.sessions.CutReason;
import dev.holdfast.sessions.Session;
import dev.holdfast.telemetry.Observation;
import dev.holdfast.telemetry.Observation.SessionActivity.Kind;
import dev.holdfast.telemetry.Observation.Violation.Rule;
import dev.holdfast.telemetry.SafeText;
import io.netty.buffer.ByteBufUtil;
import io.netty.handler.codec.mqtt.MqttConnectMessage;
import io.netty.handler.codec.mqtt.MqttMessage;
import io.netty.handler.codec.mqtt.MqttMessageIdVariableHeader;
import io.netty.handler.codec.mqtt.MqttProperties;
import io.netty.handler.codec.mqtt.MqttPublishMessage;
import io.netty.handler.codec.mqtt.MqttQoS;
import io.netty.handler.codec.mqtt.MqttReasonCodeAndPropertiesVariableHeader;
import io.netty.handler.codec.mqtt.MqttSubscribeMessage;
import io.netty.handler.codec.mqtt.MqttSubscriptionOption;
import io.netty.handler.codec.mqtt.MqttTopicSubscription;
import io.netty.handler.codec.mqtt.MqttUnsubscribeMessage;
import io.netty.util.ReferenceCountUtil;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// An accepted MQTT session: what the device says, is answered, and is told. Everything happens on its event
/// loop.
///
/// The right to be here is looked at again with every message, in memory; a session that is cut drops what it
/// had not
/// yet looked at.
final class MqttConnection {
    static final int RECEIVE_MAXIMUM = 64;
    private static final long NANOS = 1_000_000_000L;
    private static final int LONGEST_DETAIL = 200;

    private final MqttRooms rooms;
    private final Wire wire;
    private final Presence presence;
    private final DeviceRef device;
    private final Serial certificate;
    private final Session session;
    private final ConnectPolicy.Accept terms;
    private final Mailbox mailbox;
    private final Intake intake;
    private final CommandQueue commands;
    private Optional<ConnectPolicy.Will> will;
    private int violations;
    private long heardAt;
    private long usedAt = Long.MIN_VALUE;
    private long reportedAt = Long.MIN_VALUE;
    private boolean ended;
    private volatile boolean cut;

    MqttConnection(
            MqttRooms rooms, Wire wire, Presence presence, Session session, ConnectPolicy.Accept terms, long now) {
        this.rooms = rooms;
        this.wire = wire;
        this.presence = presence;
        this.device = session.device();
        this.certificate = session.certificate();
        this.session = session;
        this.terms = terms;
        this.will = terms.will();
        this.heardAt = now;
        this.mailbox =
                new Mailbox((packetId, reason, why) -> wire.send(Replies.pubAck(packetId, reason, why, terms.five())));
        this.intake = new Intake(rooms, device, wire, mailbox, this::broken);
        this.commands = new CommandQueue(
                device, presence.topics().command(), wire, rooms, terms.receiveMaximum(), terms.maximumPacket());
    }

    String clientId() {
        return terms.clientId();
    }

    /// Tells that the session is there: before the session that it takes over ends, or two parties that keep
    /// throwing each other out would look like one that reconnects.
    void announce() {
        activity(Kind.OPENED);
    }

    /// Says what the session is, after CONNACK.
    void open(MqttConnectMessage connect) {
        wire.send(Replies.connAck(
                io.netty.handler.codec.mqtt.MqttConnectReturnCode.CONNECTION_ACCEPTED, offered(connect)));
        rooms.counts().opened.increment();
        rooms.inventory().heard(device, now());
    }

    /// What this server can and can't (MQTT 5 section 3.2.2.3); 3.1.1 has no way to say so.
    private MqttProperties offered(MqttConnectMessage connect) {
        if (!terms.five()) {
            return MqttProperties.NO_PROPERTIES;
        }
        MqttProperties offered = new MqttProperties();
        number(offered, MqttProperties.MAXIMUM_QOS, 1);
        number(offered, MqttProperties.RETAIN_AVAILABLE, 0);
        number(offered, MqttProperties.WILDCARD_SUBSCRIPTION_AVAILABLE, 0);
        number(offered, MqttProperties.SUBSCRIPTION_IDENTIFIER_AVAILABLE, 0);
        number(offered, MqttProperties.SHARED_SUBSCRIPTION_AVAILABLE, 0);
        number(offered, MqttProperties.RECEIVE_MAXIMUM, RECEIVE_MAXIMUM);
        number(offered, MqttProperties.MAXIMUM_PACKET_SIZE, rooms.limits().largestPacket());
        number(offered, MqttProperties.SESSION_EXPIRY_INTERVAL, 0);
        if (terms.keepAlive() != connect.variableHeader().keepAliveTimeSeconds()) {
            number(offered, MqttProperties.SERVER_KEEP_ALIVE, terms.keepAlive());
        }
        if (terms.assigned()) {
            offered.add(new MqttProperties.StringProperty(MqttProperties.ASSIGNED_CLIENT_IDENTIFIER, terms.clientId()));
        }
        return offered;
    }

    private static void number(MqttProperties properties, int id, int value) {
        properties.add(new MqttProperties.IntegerProperty(id, value));
    }

    void received(MqttMessage message) {
        try {
            if (ended || cut) {
                return; // what a cut session had queued is discarded
            }
            heardAt = System.nanoTime();
            if (message.decoderResult().isFailure()) {
                undecodable(message.decoderResult().cause());
                return;
            }
            if (!presence.rate().take(cost(message), heardAt)) {
                violation(Rule.RATE_EXCEEDED, "more than " + rooms.limits().messagesPerSecond() + " messages a second");
                rooms.counts().violations.increment();
                end(Replies.MESSAGE_RATE_TOO_HIGH, "too many messages a second", false);
                return;
            }
            switch (message.fixedHeader().messageType()) {
                case PUBLISH -> published((MqttPublishMessage) message);
                case PUBACK ->
                    commands.acknowledged(((MqttMessageIdVariableHeader) message.variableHeader()).messageId());
                case SUBSCRIBE -> subscribed((MqttSubscribeMessage) message);
                case UNSUBSCRIBE -> unsubscribed((MqttUnsubscribeMessage) message);
                case PINGREQ -> {
                    contact();
                    wire.send(Replies.PINGRESP);
                }
                case DISCONNECT -> goodbye(message);
                case CONNECT, CONNACK, PUBREC, PUBREL, PUBCOMP, SUBACK, UNSUBACK, PINGRESP, AUTH ->
                    end(
                            Replies.PROTOCOL_ERROR,
                            message.fixedHeader().messageType() + " is not for a client to send here",
                            true);
            }
        } finally {
            ReferenceCountUtil.release(message);
        }
    }

    private static double cost(MqttMessage message) {
        return 1 + message.fixedHeader().remainingLength() / 1_024.0;
    }

    private void undecodable(Throwable cause) {
        rooms.counts().malformed.increment();
        violation(Rule.MALFORMED_MESSAGE, "a packet that is not MQTT");
        boolean large = cause instanceof io.netty.handler.codec.TooLongFrameException;
        end(
                large ? Replies.PACKET_TOO_LARGE : Replies.MALFORMED_PACKET,
                large ? "packets have at most " + rooms.limits().largestPacket() + " octets" : "not an MQTT packet",
                true);
    }

    private void published(MqttPublishMessage message) {
        // 1. What this server said at connect that it does not do.
        MqttProperties properties = message.variableHeader().properties();
        if (message.fixedHeader().qosLevel() == MqttQoS.EXACTLY_ONCE) {
            end(Replies.QOS_NOT_SUPPORTED, "QoS 2 is not supported", true);
            return;
        }
        if (terms.five() && properties.getProperty(MqttProperties.TOPIC_ALIAS) != null) {
            end(Replies.TOPIC_ALIAS_INVALID, "topic aliases are not supported", true);
            return;
        }
        if (terms.five() && message.fixedHeader().isRetain()) {
            end(Replies.RETAIN_NOT_SUPPORTED, "retained messages are not supported", true);
            return;
        }
        // 2. Whether it may still be here, and may publish there.
        int packetId = message.fixedHeader().qosLevel() == MqttQoS.AT_LEAST_ONCE
                ? message.variableHeader().packetId()
                : 0;
        Admission admission = rooms.identity().admit(device, certificate);
        boolean quarantined = false;
        switch (admission) {
            case Admission.Admitted admitted ->
                quarantined = admitted.state() == dev.holdfast.inventory.Lifecycle.QUARANTINED;
            case Admission.Refused refused -> {
                if (refused.reason() != Admission.Refusal.SERVER_CANNOT_CHECK) {
                    cutNow(refused.reason());
                    return;
                }
                // A session that exists may go on, as what it was last known to be; what must be committed waits for
                // the database by itself.
                quarantined = !(rooms.identity().lastKnown(device, certificate) instanceof Admission.Admitted last)
                        || last.state() == dev.holdfast.inventory.Lifecycle.QUARANTINED;
            }
        }
        Optional<UpTopic> topic = presence.topics().up(message.variableHeader().topicName());
        if (topic.isEmpty()) {
            forbidden(
                    Rule.FORBIDDEN_TOPIC,
                    "publish to " + message.variableHeader().topicName());
            mailbox.decided(packetId, Replies.NOT_AUTHORIZED, "only the device's own topics");
            return;
        }
        contact();
        if (quarantined && topic.get() != UpTopic.EVENT) {
            rooms.counts().discardedInQuarantine.increment();
            violation(Rule.REFUSED_IN_QUARANTINE, "published " + topic.get());
            mailbox.decided(packetId, Replies.NOT_AUTHORIZED, "quarantined: only events are taken");
            return;
        }

        // 3. What it says.
        used();
        try {
            intake.take(topic.get(), ByteBufUtil.getBytes(message.payload()), packetId);
        } catch (MalformedMessageException e) {
            rooms.counts().malformed.increment();
            violation(Rule.MALFORMED_MESSAGE, topic.get() + ": " + e.getMessage());
            mailbox.decided(packetId, Replies.PAYLOAD_FORMAT_INVALID, text(e));
        }
    }

    private void subscribed(MqttSubscribeMessage message) {
        if (terms.five()
                && message.idAndPropertiesVariableHeader()
                                .properties()
                                .getProperty(MqttProperties.SUBSCRIPTION_IDENTIFIER)
                        != null) {
            end(Replies.SUBSCRIPTION_IDENTIFIERS_NOT_SUPPORTED, "subscription identifiers are not supported", true);
            return;
        }
        if (message.payload().topicSubscriptions().isEmpty()) {
            end(Replies.PROTOCOL_ERROR, "a SUBSCRIBE without a topic", true); // MQTT-3.8.3-2
            return;
        }
        List<Integer> codes = new ArrayList<>();
        Optional<String> foreign = Optional.empty();
        Optional<MqttTopicSubscription> own = Optional.empty();
        for (MqttTopicSubscription wanted : message.payload().topicSubscriptions()) {
            if (presence.topics().maySubscribe(wanted.topicFilter())) {
                own = Optional.of(wanted);
                codes.add(Math.min(1, wanted.qualityOfService().value()));
            } else {
                foreign = Optional.of(wanted.topicFilter());
                codes.add(Replies.NOT_AUTHORIZED & 0xff);
            }
        }
        wire.send(Replies.subAck(message.variableHeader().messageId(), codes, terms.five()));
        foreign.ifPresent(filter -> forbidden(Rule.FORBIDDEN_TOPIC, "subscribe to " + filter));
        own.ifPresent(this::subscribe);
    }

    private void subscribe(MqttTopicSubscription wanted) {
        if (ended) {
            return;
        }
        used();
        MqttSubscriptionOption.RetainedHandlingPolicy policy = wanted.option().retainHandling();
        boolean sendNow = switch (policy) {
            case SEND_AT_SUBSCRIBE -> true;
            case SEND_AT_SUBSCRIBE_IF_NOT_YET_EXISTS -> !commands.isSubscribed();
            case DONT_SEND_AT_SUBSCRIBE -> false;
        };
        commands.subscribe(
                wanted.qualityOfService() == MqttQoS.AT_MOST_ONCE ? MqttQoS.AT_MOST_ONCE : MqttQoS.AT_LEAST_ONCE,
                sendNow);
    }

    private void unsubscribed(MqttUnsubscribeMessage message) {
        List<Short> codes = new ArrayList<>();
        for (String filter : message.payload().topics()) {
            boolean known = presence.topics().maySubscribe(filter) && commands.isSubscribed();
            codes.add(known ? (short) 0 : (short) 0x11);
            if (known) {
                commands.unsubscribe();
            }
        }
        wire.send(Replies.unsubAck(message.variableHeader().messageId(), codes));
    }

    private void goodbye(MqttMessage message) {
        boolean withWill = message.variableHeader() instanceof MqttReasonCodeAndPropertiesVariableHeader header
                && header.reasonCode() == 4;
        if (!withWill) {
            will = Optional.empty();
        }
        finish();
        wire.close();
    }

    private void forbidden(Rule rule, String what) {
        rooms.counts().violations.increment();
        violation(rule, SafeText.of(what, LONGEST_DETAIL));
        if (++violations >= rooms.limits().violationsPerSession()) {
            end(Replies.NOT_AUTHORIZED, "too many forbidden topics", false);
        }
    }

    private void violation(Rule rule, String detail) {
        rooms.telemetry().accept(new Observation.Violation(device, now(), rule, detail));
    }

    private static String text(Exception e) {
        String message = e.getMessage();
        return message == null ? "" : message;
    }

    /// The session's use is reported when another session of the device was used in between (that is what a
    /// clone looks like), else every ten seconds; at most twenty times a second.
    private void used() {
        long since = heardAt - usedAt;
        if (usedAt == Long.MIN_VALUE
                || since > 10 * NANOS
                || (since > NANOS / 20 && presence.isAnother(session.id()))) {
            if (activity(Kind.USED)) {
                usedAt = heardAt;
                presence.used(session.id());
            }
        }
    }

    private void contact() {
        if (reportedAt == Long.MIN_VALUE || heardAt - reportedAt > NANOS) {
            reportedAt = heardAt;
            rooms.inventory().heard(device, now());
        }
    }

    private boolean activity(Kind kind) {
        return rooms.telemetry()
                .accept(new Observation.SessionActivity(
                        device, now(), session.id(), certificate, "mqtt", wire.remoteAddress(), kind));
    }

    private Instant now() {
        return rooms.clock().instant();
    }

    void desiredChanged() {
        wire.later(commands::changed);
    }

    /// From [dev.holdfast.sessions.Sessions], on any thread.
    void cut(CutReason reason) {
        cut = true;
        wire.later(() -> {
            will = Optional.empty();
            switch (reason) {
                case REPLACED_BY_NEWER_SESSION -> end(Replies.SESSION_TAKEN_OVER, "a newer session", false);
                case SERVER_STOPPING -> end(Replies.SERVER_SHUTTING_DOWN, "the server is stopping", false);
                case QUARANTINED -> end(Replies.ADMINISTRATIVE_ACTION, "quarantined", false);
                case PROTOCOL_VIOLATION, RATE_EXCEEDED -> end(Replies.NOT_AUTHORIZED, "", false);
                case SUSPENDED,
                        RETIRED,
                        CERTIFICATE_REVOKED,
                        CERTIFICATE_SUPERSEDED,
                        CERTIFICATE_EXPIRED,
                        ISSUER_REPLACED -> end(Replies.NOT_AUTHORIZED, "no longer authorised", false);
            }
        });
    }

    private void cutNow(Admission.Refusal reason) {
        will = Optional.empty();
        end(Replies.NOT_AUTHORIZED, reason.name(), false);
    }

    /// A newer session with the same client id (MQTT-3.1.4-3). Its will is due: the session has ended.
    void replaced() {
        wire.later(() -> end(Replies.SESSION_TAKEN_OVER, "a newer session with this client id", true));
    }

    /// Something of ours failed: the message is not acknowledged, so the device sends it again.
    private void broken(String why) {
        end(Replies.IMPLEMENTATION_ERROR, why, true);
    }

    /// @return when the session must have been heard of again (nanoseconds)
    boolean isOverdue(long now) {
        return !intake.isStalled() && now - heardAt > terms.keepAlive() * 3L / 2 * NANOS;
    }

    void timedOut() {
        end(Replies.KEEP_ALIVE_TIMEOUT, "nothing heard within one and a half keep alives", true);
    }

    /// Ends the session from our side.
    private void end(byte reason, String why, boolean withWill) {
        if (ended) {
            return;
        }
        if (!withWill) {
            will = Optional.empty();
        }
        finish();
        if (terms.five()) {
            wire.send(Replies.disconnect(reason, why));
        }
        wire.close();
    }

    /// The socket is gone, or the session has ended: once.
    void finish() {
        if (ended) {
            return;
        }
        ended = true;
        intake.close();
        commands.close();
        presence.leave(this);
        rooms.sessions().close(session);
        // The will is what the device would have said; so it is judged as if it said it now.
        will.filter(w -> !cut
                        && rooms.identity().admit(device, certificate) instanceof Admission.Admitted admitted
                        && (admitted.state() != dev.holdfast.inventory.Lifecycle.QUARANTINED
                                || w.topic() == UpTopic.EVENT))
                .ifPresent(intake::lastWords);
        activity(Kind.CLOSED);
    }

    boolean hasEnded() {
        return ended;
    }
}
