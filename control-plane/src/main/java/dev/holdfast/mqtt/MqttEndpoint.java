package dev.holdfast.mqtt;

import dev.holdfast.commands.Commands;
import dev.holdfast.config.Configuration;
import dev.holdfast.identity.Identity;
import dev.holdfast.inventory.Inventory;
import dev.holdfast.journal.Journal;
import dev.holdfast.sessions.Sessions;
import dev.holdfast.telemetry.Telemetry;
import dev.holdfast.tls.DevicePlane;
import dev.holdfast.tls.DeviceTls;
import dev.holdfast.tls.PeerIdentity;
import io.netty.channel.ChannelPipeline;
import io.netty.handler.codec.mqtt.MqttConnectMessage;
import io.netty.handler.codec.mqtt.MqttDecoder;
import io.netty.handler.codec.mqtt.MqttEncoder;
import io.netty.handler.codec.mqtt.MqttMessage;
import io.netty.handler.codec.mqtt.MqttUnacceptableProtocolVersionException;
import io.netty.util.ReferenceCountUtil;
import io.vertx.core.Context;
import io.vertx.core.DeploymentOptions;
import io.vertx.core.Future;
import io.vertx.core.ThreadingModel;
import io.vertx.core.VerticleBase;
import io.vertx.core.Vertx;
import io.vertx.core.internal.net.NetSocketInternal;
import io.vertx.core.net.NetServer;
import io.vertx.core.net.NetServerOptions;
import io.vertx.core.net.NetSocket;
import java.io.IOException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// The MQTT listener of the device plane (`:8883`): mutual TLS, MQTT 3.1.1 and 5.
///
/// One Vert.x server for each event loop on one port, Netty's MQTT codec, and our own small session on top,
/// because
/// what a broker does (routing, retained messages, stored sessions) is what must not happen here, and because
/// a full
/// queue must be able to stop one socket.
public final class MqttEndpoint {
    private static final Duration SWEEP = Duration.ofSeconds(1);

    private final DevicePlane plane;
    private final Vertx vertx;
    private final DeviceTls tls;
    private final Configuration.Listener address;
    private final MqttRooms rooms;
    private final MqttDoor door;
    private volatile int port;

    public MqttEndpoint(
            DevicePlane plane,
            DeviceTls tls,
            Configuration configuration,
            Identity identity,
            Inventory inventory,
            Sessions sessions,
            Telemetry telemetry,
            Commands commands,
            Journal journal,
            InstantSource clock) {
        this(
                plane,
                tls,
                configuration,
                rooms(
                        MqttLimits.of(configuration.limits()),
                        identity,
                        inventory,
                        sessions,
                        telemetry,
                        commands,
                        journal,
                        clock));
    }

    MqttEndpoint(DevicePlane plane, DeviceTls tls, Configuration configuration, MqttRooms rooms) {
        this.plane = plane;
        this.vertx = plane.vertx();
        this.tls = tls;
        this.address = configuration.listeners().mqtt();
        this.rooms = rooms;
        this.door = new MqttDoor(rooms, configuration.limits().sessions());
    }

    static MqttRooms rooms(
            MqttLimits limits,
            Identity identity,
            Inventory inventory,
            Sessions sessions,
            Telemetry telemetry,
            Commands commands,
            Journal journal,
            InstantSource clock) {
        Presences presences = new Presences(limits);
        return new MqttRooms(
                identity,
                inventory,
                sessions,
                telemetry,
                new CommandDelivery(commands, presences),
                new BootReports(journal, inventory, telemetry),
                presences,
                limits,
                new MqttCounts(),
                clock);
    }

    /// Opens the listener, on several event loops.
    ///
    /// @throws IOException when the port can't be bound; the message says which
    public void listen() throws IOException {
        NetServerOptions options = tls.secure(new NetServerOptions())
                .setHost(address.host())
                .setPort(plane.vertxPort(address.port()))
                .setAcceptBacklog(4_096)
                .setTcpNoDelay(true)
                .setTcpKeepAlive(true);
        try {
            vertx.deployVerticle(
                            () -> new Serving(options),
                            new DeploymentOptions()
                                    .setInstances(DevicePlane.eventLoops())
                                    .setThreadingModel(ThreadingModel.EVENT_LOOP))
                    .await(20, TimeUnit.SECONDS);
        } catch (Exception e) { // Vert.x throws what happened as it is, checked or not
            throw DevicePlane.notOpened("MQTT", "mqtt", address, e);
        }
        vertx.setPeriodic(10_000, _ -> rooms.presences().forgetIdle(System.nanoTime()));
    }

    /// The port that was bound.
    public int port() {
        return port;
    }

    public MqttCounts counts() {
        return rooms.counts();
    }

    private final class Serving extends VerticleBase {
        private final NetServerOptions options;
        private final Set<Line> lines = ConcurrentHashMap.newKeySet();

        Serving(NetServerOptions options) {
            this.options = options;
        }

        @Override
        public Future<?> start() {
            NetServer server = vertx.createNetServer(options);
            server.connectHandler(socket -> {
                Line line = new Line((NetSocketInternal) socket, context, this);
                lines.add(line);
                line.begin();
            });
            server.exceptionHandler(_ -> {}); // failed handshakes: the gate hears of them, with their address
            tls.onRenewal(server::updateSSLOptions);
            vertx.setPeriodic(SWEEP.toMillis(), _ -> sweep());
            return server.listen().onSuccess(open -> port = open.actualPort());
        }

        private void sweep() {
            long now = System.nanoTime();
            List.copyOf(lines).forEach(line -> line.check(now));
        }
    }

    /// One socket: Netty's codec below, a session above.
    private final class Line implements Wire {
        private final NetSocketInternal socket;
        private final Context context;
        private final Serving serving;
        private final String remoteAddress;
        private final long since = System.nanoTime();
        private @Nullable MqttConnection connection;
        private boolean reading = true;
        private boolean wanted = true;
        private long unreadSince;
        private boolean closing;

        Line(NetSocketInternal socket, Context context, Serving serving) {
            this.socket = socket;
            this.context = context;
            this.serving = serving;
            this.remoteAddress = socket.remoteAddress() == null
                    ? ""
                    : socket.remoteAddress().hostAddress() + ":"
                            + socket.remoteAddress().port();
        }

        void begin() {
            ChannelPipeline pipeline = socket.channelHandlerContext().pipeline();
            pipeline.addBefore("handler", "mqttEncoder", MqttEncoder.INSTANCE);
            pipeline.addBefore(
                    "handler", "mqttDecoder", new MqttDecoder(rooms.limits().largestPacket(), 256));
            socket.messageHandler(this::received);
            socket.exceptionHandler(_ -> socket.close().onComplete(_ -> {}));
            socket.drainHandler(_ -> {
                unreadSince = 0;
                read();
            });
            socket.closeHandler(_ -> {
                serving.lines.remove(this);
                if (connection != null) {
                    connection.finish();
                }
            });
        }

        private void received(Object message) {
            if (connection != null) {
                connection.received((MqttMessage) message);
                return;
            }
            try {
                if (!closing) {
                    connect((MqttMessage) message);
                }
            } finally {
                ReferenceCountUtil.release(message);
            }
        }

        private void connect(MqttMessage message) {
            if (message.decoderResult().isFailure()) {
                if (message.decoderResult().cause() instanceof MqttUnacceptableProtocolVersionException) {
                    refuse(Refusal.PROTOCOL_VERSION, false);
                } else {
                    rooms.counts().malformed.increment();
                    close();
                }
            } else if (message instanceof MqttConnectMessage connect) {
                PeerIdentity peer = tls.peer(socket.sslSession(), remoteAddress);
                if (peer.leaf().isEmpty()) {
                    plane.failures()
                            .cameWithoutCertificate(
                                    rooms.clock().instant(),
                                    remoteAddress,
                                    String.valueOf(connect.payload().clientIdentifier()));
                }
                switch (door.enter(connect, peer, this, System.nanoTime())) {
                    case MqttDoor.Entry.In in -> {
                        connection = in.connection();
                        in.connection().open(connect);
                    }
                    case MqttDoor.Entry.Out out -> refuse(out.reason(), out.five());
                }
            } else {
                rooms.counts().malformed.increment();
                close(); // MQTT-3.1.0-1
            }
        }

        private void refuse(Refusal reason, boolean five) {
            rooms.counts().refused.increment();
            send(Replies.refused(reason, five));
            close();
        }

        /// A CONNECT that does not come, a session that is not heard of, answers that are not read.
        void check(long now) {
            if (connection == null) {
                if (now - since > rooms.limits().connectTimeout().toNanos()) {
                    close();
                }
            } else if (unreadSince != 0
                    && now - unreadSince > rooms.limits().drainTimeout().toNanos()) {
                connection.timedOut();
                var _ = socket.channelHandlerContext().channel().close();
            } else if (unreadSince == 0 && connection.isOverdue(now)) {
                connection.timedOut();
            }
        }

        @Override
        public void send(MqttMessage message) {
            var _ = socket.writeMessage(message);
            if (unreadSince == 0 && socket.writeQueueFull()) {
                unreadSince = System.nanoTime();
                read();
            }
        }

        @Override
        public void close() {
            if (!closing) {
                closing = true;
                serving.lines.remove(this);
                var _ = socket.close();
            }
        }

        @Override
        public void stopReading() {
            wanted = false;
            read();
        }

        @Override
        public void readOn() {
            wanted = true;
            read();
        }

        private void read() {
            boolean should = wanted && unreadSince == 0;
            if (should != reading) {
                reading = should;
                NetSocket _ = should ? socket.resume() : socket.pause();
            }
        }

        @Override
        public void later(Runnable task) {
            context.runOnContext(_ -> task.run());
        }

        @Override
        public void after(Duration delay, Runnable task) {
            vertx.setTimer(delay.toMillis(), _ -> task.run());
        }

        @Override
        public String remoteAddress() {
            return remoteAddress;
        }
    }
}
