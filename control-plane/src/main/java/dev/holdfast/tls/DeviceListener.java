package dev.holdfast.tls;

import dev.holdfast.config.Configuration;
import dev.holdfast.protocol.est.ChannelBinding;
import io.vertx.core.DeploymentOptions;
import io.vertx.core.ThreadingModel;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import java.io.IOException;
import java.time.Duration;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.ExtendedSSLSession;
import javax.net.ssl.SSLKeyException;

/// The HTTPS listener that all device protocols over HTTP share: `est`, `updates` and `ingest` mount their
/// routes on its [#router], then [#listen] opens it.
///
/// What it does for every route: TLS as [DeviceTls] has it; header sizes capped; slow requests ended
/// ([RequestWatch]).
public final class DeviceListener implements AutoCloseable {
    private static final String PEER = "holdfast.peer";
    private static final Duration RENEWAL_CHECK = Duration.ofMinutes(10);

    private final DevicePlane plane;
    private final Vertx vertx;
    private final DeviceTls tls;
    private final DeviceTls.Engine engine;
    private final Configuration.Listener address;
    private final Duration idle;
    private final Router router;
    private volatile int port;

    public DeviceListener(DevicePlane plane, DeviceTls tls, Configuration configuration) {
        this(
                plane,
                tls,
                DeviceTls.Engine.NATIVE,
                configuration,
                configuration.listeners().device());
    }

    /// A listener whose channels can be named ([#channelBinding]), on the platform's TLS.
    public static DeviceListener channelBound(DevicePlane plane, DeviceTls tls, Configuration configuration) {
        return new DeviceListener(
                plane,
                tls,
                DeviceTls.Engine.PLATFORM,
                configuration,
                configuration.listeners().channelBound());
    }

    private DeviceListener(
            DevicePlane plane,
            DeviceTls tls,
            DeviceTls.Engine engine,
            Configuration configuration,
            Configuration.Listener address) {
        this.engine = engine;
        this.plane = plane;
        this.vertx = plane.vertx();
        this.tls = tls;
        this.address = address;
        this.idle = configuration.limits().idleTimeout();
        this.router = Router.router(vertx);
        router.route().order(Integer.MIN_VALUE).handler(this::begin);
    }

    public Vertx vertx() {
        return vertx;
    }

    /// Where routes are mounted, before [#listen].
    public Router router() {
        return router;
    }

    /// Who sent this request.
    public static PeerIdentity peer(RoutingContext request) {
        PeerIdentity peer = request.get(PEER);
        return peer == null ? PeerIdentity.none("") : peer;
    }

    /// What both ends of this request's channel know and nobody else does: tls-exporter (RFC 9266). Empty
    /// where the channel exports nothing: on listeners of the native engine, before TLS 1.3.
    public static Optional<byte[]> channelBinding(RoutingContext request) {
        if (!(request.request().connection().sslSession() instanceof ExtendedSSLSession session)
                || !"TLSv1.3".equals(session.getProtocol())) {
            return Optional.empty();
        }
        try {
            byte[] exported =
                    session.exportKeyingMaterialData(ChannelBinding.LABEL, new byte[0], ChannelBinding.OCTETS);
            return Optional.of(exported);
        } catch (UnsupportedOperationException | SSLKeyException nothingToExport) {
            return Optional.empty();
        }
    }

    /// A handler that lets only these classes pass; others get 401 (none at all) or 403, as RFC 9457
    /// problems.
    public static io.vertx.core.Handler<RoutingContext> accepting(PeerClass first, PeerClass... others) {
        Set<PeerClass> accepted = EnumSet.of(first, others);
        return request -> {
            PeerIdentity peer = peer(request);
            if (accepted.contains(peer.peerClass())) {
                request.next();
            } else {
                switch (peer.peerClass()) {
                    case NONE ->
                        Problem.send(
                                request,
                                401,
                                "client-certificate-needed",
                                "a client certificate is needed here",
                                "connect with the certificate that this device was enrolled with");
                    case MANUFACTURER ->
                        Problem.send(
                                request,
                                403,
                                "operational-certificate-needed",
                                "a manufacturer certificate is not enough here",
                                "enrol first, then connect with the certificate that enrolment gave");
                    case CLAIM ->
                        Problem.send(
                                request,
                                403,
                                "claim-certificate-not-accepted-here",
                                "a claim certificate is for simpleenroll alone",
                                "claim the device's own certificate, then connect with that");
                    case OPERATIONAL ->
                        Problem.send(
                                request,
                                403,
                                "certificate-not-accepted-here",
                                "this kind of certificate is not accepted here",
                                "this path is for devices that are not enrolled yet");
                    case EXPIRED ->
                        Problem.send(
                                request,
                                403,
                                "certificate-expired",
                                "the client certificate has expired",
                                "enrol the device again");
                    case NOT_YET_VALID ->
                        Problem.send(
                                request,
                                403,
                                "certificate-not-yet-valid",
                                "the client certificate is not valid yet",
                                "its time has not come; look at the clocks");
                }
            }
        };
    }

    private void begin(RoutingContext request) {
        plane.watch()
                .begin(request)
                .ifPresentOrElse(
                        peer -> {
                            request.put(PEER, peer);
                            request.next();
                        },
                        () -> request.fail(500));
    }

    /// Opens the listener, on several event loops.
    ///
    /// @throws IOException when the port can't be bound; the message says which
    public void listen() throws IOException {
        HttpServerOptions options = tls.secure(new HttpServerOptions(), engine)
                .setHost(address.host())
                .setPort(plane.vertxPort(address.port()))
                .setAcceptBacklog(4_096)
                .setTcpNoDelay(true)
                .setIdleTimeout((int) idle.toMillis())
                .setIdleTimeoutUnit(TimeUnit.MILLISECONDS)
                .setMaxInitialLineLength(4_096)
                .setMaxHeaderSize(8_192)
                .setMaxFormAttributeSize(8_192)
                .setPerMessageWebSocketCompressionSupported(false)
                .setPerFrameWebSocketCompressionSupported(false)
                .setHandle100ContinueAutomatically(true)
                .setCompressionSupported(false)
                .setDecompressionSupported(false);
        try {
            vertx.deployVerticle(
                            () -> new DeviceHttpsEndpoint(
                                    options, tls, engine, router, this::opened, bound -> port = bound),
                            new DeploymentOptions()
                                    .setInstances(DevicePlane.eventLoops())
                                    .setThreadingModel(ThreadingModel.EVENT_LOOP))
                    .await(20, TimeUnit.SECONDS);
        } catch (Exception e) { // Vert.x throws what happened as it is, checked or not
            boolean bound = engine == DeviceTls.Engine.PLATFORM;
            throw DevicePlane.notOpened(
                    bound ? "channel-bound EST" : "device HTTPS", bound ? "channelBound" : "device", address, e);
        }
        vertx.setPeriodic(RENEWAL_CHECK.toMillis(), _ -> Thread.startVirtualThread(tls::renewWhenDue));
    }

    /// The port that was bound.
    public int port() {
        return port;
    }

    private void opened(HttpConnection connection) {
        String remote = connection.remoteAddress() == null
                ? ""
                : connection.remoteAddress().hostAddress() + ":"
                        + connection.remoteAddress().port();
        plane.watch().opened(connection, tls.peer(connection.sslSession(), remote));
    }

    @Override
    public void close() {
        plane.watch().closeAll();
    }
}
