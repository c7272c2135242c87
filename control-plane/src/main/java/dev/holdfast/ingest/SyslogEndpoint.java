package dev.holdfast.ingest;

import dev.holdfast.config.Configuration;
import dev.holdfast.identity.Identity;
import dev.holdfast.inventory.Inventory;
import dev.holdfast.sessions.Sessions;
import dev.holdfast.telemetry.Telemetry;
import dev.holdfast.tls.DevicePlane;
import dev.holdfast.tls.DeviceTls;
import io.vertx.core.DeploymentOptions;
import io.vertx.core.Future;
import io.vertx.core.ThreadingModel;
import io.vertx.core.VerticleBase;
import io.vertx.core.buffer.Buffer;
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

/// Syslog over TLS (`:6514`, RFC 5425) with the device's certificate: its lines are its log, like those it publishes
/// over MQTT.
final class SyslogEndpoint {
    private static final Duration SWEEP = Duration.ofSeconds(1);

    private final DevicePlane plane;
    private final DeviceTls tls;
    private final SyslogRooms rooms;
    private volatile int port;

    /// What every connection shares.
    ///
    /// @param incomplete how long a message may take from its first octet to its last
    record SyslogRooms(
            Identity identity,
            Inventory inventory,
            Sessions sessions,
            Telemetry telemetry,
            IngestCounts counts,
            Duration incomplete,
            InstantSource clock) {}

    SyslogEndpoint(DevicePlane plane, DeviceTls tls, SyslogRooms rooms) {
        this.plane = plane;
        this.tls = tls;
        this.rooms = rooms;
    }

    /// @return the port that was bound
    /// @throws IOException when it can't be bound
    int listen(Configuration.Listener address) throws IOException {
        NetServerOptions options = tls.secure(new NetServerOptions())
                .setHost(address.host())
                .setPort(plane.vertxPort(address.port()))
                .setAcceptBacklog(1_024)
                .setTcpKeepAlive(true);
        try {
            plane.vertx()
                    .deployVerticle(
                            () -> new Serving(options),
                            new DeploymentOptions()
                                    .setInstances(DevicePlane.eventLoops())
                                    .setThreadingModel(ThreadingModel.EVENT_LOOP))
                    .await(20, TimeUnit.SECONDS);
            return port;
        } catch (Exception e) { // Vert.x throws what happened as it is, checked or not
            throw DevicePlane.notOpened("syslog", "syslog", address, e);
        }
    }

    private final class Serving extends VerticleBase {
        private final NetServerOptions options;
        private final Set<SyslogConnection> connections = ConcurrentHashMap.newKeySet();

        Serving(NetServerOptions options) {
            this.options = options;
        }

        @Override
        public Future<?> start() {
            NetServer server = vertx.createNetServer(options);
            server.connectHandler(this::opened);
            server.exceptionHandler(_ -> {}); // failed handshakes: the gate hears of them, with their address
            tls.onRenewal(server::updateSSLOptions);
            vertx.setPeriodic(
                    SWEEP.toMillis(),
                    _ -> List.copyOf(connections).forEach(connection -> connection.check(System.nanoTime())));
            return server.listen().onSuccess(open -> port = open.actualPort());
        }

        private void opened(NetSocket socket) {
            String remote = socket.remoteAddress() == null
                    ? ""
                    : socket.remoteAddress().hostAddress() + ":"
                            + socket.remoteAddress().port();
            SyslogConnection connection = new SyslogConnection(rooms, new SyslogConnection.Wire() {
                @Override
                public void close() {
                    var _ = socket.close();
                }

                @Override
                public void reading(boolean on) {
                    NetSocket _ = on ? socket.resume() : socket.pause();
                }

                @Override
                public void later(Runnable task) {
                    context.runOnContext(_ -> task.run());
                }

                @Override
                public void after(Duration delay, Runnable task) {
                    vertx.setTimer(delay.toMillis(), _ -> task.run());
                }
            });
            connections.add(connection);
            socket.exceptionHandler(_ -> {
                var _ = socket.close();
            });
            socket.closeHandler(_ -> {
                connections.remove(connection);
                connection.closed();
            });
            if (connection.enter(tls.peer(socket.sslSession(), remote))) {
                socket.handler((Buffer piece) -> connection.received(piece.getBytes()));
            }
        }
    }
}
