package dev.holdfast.agent;

import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.EventLoop;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.mqtt.MqttConnAckMessage;
import io.netty.handler.codec.mqtt.MqttConnectReturnCode;
import io.netty.handler.codec.mqtt.MqttDecoder;
import io.netty.handler.codec.mqtt.MqttEncoder;
import io.netty.handler.codec.mqtt.MqttFixedHeader;
import io.netty.handler.codec.mqtt.MqttMessage;
import io.netty.handler.codec.mqtt.MqttMessageBuilders;
import io.netty.handler.codec.mqtt.MqttMessageIdVariableHeader;
import io.netty.handler.codec.mqtt.MqttMessageType;
import io.netty.handler.codec.mqtt.MqttPublishMessage;
import io.netty.handler.codec.mqtt.MqttQoS;
import io.netty.handler.codec.mqtt.MqttSubAckMessage;
import io.netty.handler.codec.mqtt.MqttVersion;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslHandler;
import io.netty.util.concurrent.ScheduledFuture;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// One MQTT 3.1.1 session over mutual TLS: opened once, never reopened; the agent makes a new one.
///
/// Everything happens on the device's event loop.
public final class DeviceMqttClient implements AutoCloseable {
    private static final int MOST_OCTETS = 262_144;
    private static final int MOST_UNACKNOWLEDGED = 1_000;
    private static final Duration TIMEOUT = Duration.ofSeconds(20);

    private final EventLoop loop;
    private final String deviceId;
    private final Duration keepAlive;
    private final Listener listener;
    private final Map<Integer, Runnable> unacknowledged = new HashMap<>();
    private @Nullable Channel channel;
    private @Nullable ScheduledFuture<?> heartbeat;
    private int lastPacketId;
    private boolean ready;
    private boolean ended;
    private long lastHeard = System.nanoTime();

    /// Called on the event loop. `closed` comes once, last.
    public interface Listener {
        /// Connected, and subscribed to the device's commands.
        void ready();

        void command(byte[] payload);

        void closed(String reason);
    }

    private DeviceMqttClient(EventLoop loop, String deviceId, Duration keepAlive, Listener listener) {
        this.loop = loop;
        this.deviceId = deviceId;
        this.keepAlive = keepAlive;
        this.listener = listener;
    }

    public static DeviceMqttClient open(
            EventLoop loop,
            Route route,
            Target target,
            SslContext tls,
            String deviceId,
            Duration keepAlive,
            Listener listener) {
        DeviceMqttClient client = new DeviceMqttClient(loop, deviceId, keepAlive, listener);
        Dialer.dial(
                        loop,
                        route,
                        target,
                        tls,
                        TIMEOUT,
                        List.of(MqttEncoder.INSTANCE, new MqttDecoder(MOST_OCTETS), client.new Packets()))
                .addListener((ChannelFutureListener) done -> {
                    if (done.isSuccess()) {
                        client.greet(done.channel());
                    } else {
                        client.end("can't connect to " + target + ": "
                                + done.cause().getMessage());
                    }
                });
        return client;
    }

    private void greet(Channel fresh) {
        channel = fresh;
        if (ended) {
            fresh.close().addListener(_ -> {});
            return;
        }
        fresh.pipeline().get(SslHandler.class).handshakeFuture().addListener(handshake -> {
            if (!handshake.isSuccess()) {
                end("TLS failed: " + handshake.cause().getMessage());
                return;
            }
            write(MqttMessageBuilders.connect()
                    .protocolVersion(MqttVersion.MQTT_3_1_1)
                    .clientId(deviceId)
                    .cleanSession(true)
                    .keepAlive((int) keepAlive.toSeconds())
                    .build());
            loop.schedule(
                            () -> {
                                if (!ready) end("the server did not answer");
                            },
                            TIMEOUT.toMillis(),
                            TimeUnit.MILLISECONDS)
                    .addListener(_ -> {});
        });
    }

    /// Publishes with QoS 1.
    ///
    /// @param acknowledged runs when the server has taken it over
    /// @return false when there is no session, or too much waits for the server already
    public boolean publish(String topic, byte[] payload, Runnable acknowledged) {
        if (!ready || ended || unacknowledged.size() >= MOST_UNACKNOWLEDGED) {
            return false;
        }
        int id = nextPacketId();
        unacknowledged.put(id, acknowledged);
        write(MqttMessageBuilders.publish()
                .topicName(topic)
                .qos(MqttQoS.AT_LEAST_ONCE)
                .messageId(id)
                .payload(Unpooled.wrappedBuffer(payload))
                .build());
        return true;
    }

    private int nextPacketId() {
        do {
            lastPacketId = lastPacketId % 65_535 + 1;
        } while (unacknowledged.containsKey(lastPacketId));
        return lastPacketId;
    }

    public boolean isReady() {
        return ready && !ended;
    }

    private void write(MqttMessage message) {
        Channel open = channel;
        if (open != null) {
            open.writeAndFlush(message).addListener(ChannelFutureListener.CLOSE_ON_FAILURE);
        }
    }

    private void received(MqttMessage message) {
        lastHeard = System.nanoTime();
        if (message.decoderResult().isFailure()) {
            end("the server does not speak MQTT");
            return;
        }
        switch (message.fixedHeader().messageType()) {
            case CONNACK ->
                connected(((MqttConnAckMessage) message).variableHeader().connectReturnCode());
            case SUBACK -> subscribed((MqttSubAckMessage) message);
            case PUBLISH -> commanded((MqttPublishMessage) message);
            case PUBACK -> {
                int id = ((MqttMessageIdVariableHeader) message.variableHeader()).messageId();
                Runnable acknowledged = unacknowledged.remove(id);
                if (acknowledged != null) {
                    acknowledged.run();
                }
            }
            case PINGRESP -> {}
            case CONNECT, PUBREC, PUBREL, PUBCOMP, SUBSCRIBE, UNSUBSCRIBE, UNSUBACK, PINGREQ, DISCONNECT, AUTH ->
                end("the server sent " + message.fixedHeader().messageType());
        }
    }

    private void connected(MqttConnectReturnCode code) {
        if (code != MqttConnectReturnCode.CONNECTION_ACCEPTED) {
            end("the server refused the session: " + code);
            return;
        }
        write(MqttMessageBuilders.subscribe()
                .messageId(nextPacketId())
                .addSubscription(MqttQoS.AT_LEAST_ONCE, "d/" + deviceId + "/cmd")
                .build());
    }

    private void subscribed(MqttSubAckMessage message) {
        if (message.payload().grantedQoSLevels().stream().anyMatch(level -> level > 1)) {
            end("the server refused the subscription");
            return;
        }
        if (ready) {
            return;
        }
        ready = true;
        heartbeat = loop.scheduleAtFixedRate(
                this::beat, keepAlive.toMillis() / 2, keepAlive.toMillis() / 2, TimeUnit.MILLISECONDS);
        listener.ready();
    }

    private void beat() {
        if (System.nanoTime() - lastHeard > keepAlive.toNanos() * 3 / 2) {
            end("nothing heard from the server");
            return;
        }
        write(new MqttMessage(new MqttFixedHeader(MqttMessageType.PINGREQ, false, MqttQoS.AT_MOST_ONCE, false, 0)));
    }

    private void commanded(MqttPublishMessage message) {
        byte[] payload = ByteBufUtil.getBytes(message.payload());
        if (message.fixedHeader().qosLevel() == MqttQoS.AT_LEAST_ONCE) {
            write(MqttMessageBuilders.pubAck()
                    .packetId(message.variableHeader().packetId())
                    .build());
        }
        listener.command(payload);
    }

    private void end(String reason) {
        if (ended) {
            return;
        }
        ended = true;
        ready = false;
        if (heartbeat != null) {
            heartbeat.cancel(false);
        }
        unacknowledged.clear();
        Channel open = channel;
        if (open != null) {
            open.close().addListener(_ -> {});
        }
        listener.closed(reason);
    }

    /// Says goodbye and closes; `closed` is called.
    @Override
    public void close() {
        if (!loop.inEventLoop()) {
            loop.execute(this::close);
            return;
        }
        if (ready) {
            write(MqttMessage.DISCONNECT);
        }
        end("closed by the device");
    }

    private final class Packets extends SimpleChannelInboundHandler<MqttMessage> {
        @Override
        protected void channelRead0(ChannelHandlerContext context, MqttMessage message) {
            received(message);
        }

        @Override
        public void channelInactive(ChannelHandlerContext context) {
            end("the server closed the connection");
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            end("the connection broke: " + cause.getMessage());
        }
    }
}
