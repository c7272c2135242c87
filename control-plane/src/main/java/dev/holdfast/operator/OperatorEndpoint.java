package dev.holdfast.operator;

import dev.holdfast.access.Scope;
import dev.holdfast.api.FleetView;
import dev.holdfast.api.Resources;
import dev.holdfast.api.Rooms;
import dev.holdfast.config.Configuration;
import dev.holdfast.config.ConfigurationException;
import dev.holdfast.credentials.CredentialResources;
import dev.holdfast.web.Answers;
import dev.holdfast.web.ApiEndpoint;
import dev.holdfast.web.AttemptLimiter;
import dev.holdfast.web.Call;
import dev.holdfast.web.Contract;
import dev.holdfast.web.Doorkeeper;
import dev.holdfast.web.Handlers;
import dev.holdfast.web.Identities;
import dev.holdfast.web.Links;
import dev.holdfast.web.RequestClock;
import io.vertx.core.Context;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.file.FileSystemOptions;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.net.PemKeyCertOptions;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The operator plane's listener, on event loops of its own. Without a TLS certificate it listens on loopback
/// only.
public final class OperatorEndpoint implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(OperatorEndpoint.class);
    private static final int MOST_CONNECTIONS = 2_000;
    private static final Duration FIRST_REQUEST = Duration.ofSeconds(15);
    private static final Duration IDLE = Duration.ofSeconds(40);

    private final Vertx vertx;
    private final Configuration.Limits limits;
    private final HttpServer server;
    private final Identities identities;
    private final ApiEndpoint api;
    private final StreamEndpoint stream;
    private final Links links;
    private final AtomicInteger connections = new AtomicInteger();

    /// @param certificate PEM chain of this listener; without it `host` must be loopback
    /// @param publicUrl under which operators reach the console
    public record Settings(
            String host,
            int port,
            Optional<String> certificate,
            Optional<String> key,
            Optional<String> publicUrl,
            Optional<String> publicHostName,
            Configuration.Limits limits) {
        public static Settings of(Configuration configuration) {
            Configuration.Listeners listeners = configuration.listeners();
            return new Settings(
                    listeners.operator().host(),
                    listeners.operator().port(),
                    Optional.ofNullable(listeners.operatorCertificate()),
                    Optional.ofNullable(listeners.operatorKey()),
                    Optional.ofNullable(configuration.publicBaseUrls().operator()),
                    Optional.ofNullable(configuration.publicHostName()),
                    configuration.limits());
        }

        boolean tls() {
            return certificate.isPresent();
        }
    }

    /// Listens; returns when it does.
    ///
    /// @throws ConfigurationException when the listener can't be as configured
    public static OperatorEndpoint start(Settings settings, Rooms rooms) throws ConfigurationException {
        if (!settings.tls() && !isLoopback(settings.host())) {
            throw new ConfigurationException("listeners.operator.host is " + settings.host()
                    + ", but without a TLS certificate the operator plane listens on loopback only; set"
                    + " listeners.operatorCertificate and listeners.operatorKey, or host to 127.0.0.1");
        }
        // Without Vert.x's cache of files: each kill of the server would leave it behind in /tmp.
        Vertx vertx = Vertx.vertx(new VertxOptions()
                .setEventLoopPoolSize(2)
                .setWorkerPoolSize(2)
                .setFileSystemOptions(new FileSystemOptions()
                        .setClassPathResolvingEnabled(false)
                        .setFileCachingEnabled(false)));
        try {
            return new OperatorEndpoint(vertx, settings, rooms);
        } catch (ConfigurationException | RuntimeException e) {
            vertx.close().toCompletionStage().toCompletableFuture().join();
            throw e;
        }
    }

    private OperatorEndpoint(Vertx vertx, Settings settings, Rooms rooms) throws ConfigurationException {
        this.vertx = vertx;
        this.limits = settings.limits();
        HttpServerOptions options = new HttpServerOptions()
                .setHost(settings.host())
                .setPort(settings.port())
                .setMaxInitialLineLength(8_192)
                .setMaxHeaderSize(16_384)
                .setHttp2ClearTextEnabled(false)
                .setDecompressionSupported(false)
                .setCompressionSupported(false)
                .setMaxWebSocketFrameSize(1_024)
                .setPerMessageWebSocketCompressionSupported(false)
                .setPerFrameWebSocketCompressionSupported(false)
                .setIdleTimeout(
                        (int) shorter(IDLE, settings.limits().idleTimeout()).toMillis())
                .setIdleTimeoutUnit(TimeUnit.MILLISECONDS);
        if (settings.tls()) {
            options.setSsl(true)
                    .setUseAlpn(true)
                    .setEnabledSecureTransportProtocols(java.util.Set.of("TLSv1.3", "TLSv1.2"))
                    .setKeyCertOptions(new PemKeyCertOptions()
                            .setCertPath(settings.certificate().orElseThrow())
                            .setKeyPath(settings.key()
                                    .orElseThrow(() -> new ConfigurationException(
                                            "listeners.operatorCertificate needs listeners.operatorKey"))));
        }
        Late late = new Late();
        this.server = vertx.createHttpServer(options)
                .connectionHandler(this::connected)
                .invalidRequestHandler(ApiEndpoint::refuseUnreadable)
                .requestHandler(request -> {
                    RequestClock.seen(request.connection());
                    late.handle(request);
                });
        listen(settings);
        this.identities =
                Identities.of(settings.tls(), server.actualPort(), settings.publicUrl(), settings.publicHostName());
        this.links = new Links(rooms.access(), identities);
        Contract contract = Contract.load();
        Doorkeeper doorkeeper = new Doorkeeper(rooms.access(), new AttemptLimiter(rooms.clock()));
        Answers answers = new Answers(settings.tls());
        FleetView fleet = new FleetView(rooms);
        this.stream = new StreamEndpoint(vertx, rooms, fleet);
        PagesEndpoint pages = new PagesEndpoint(rooms, contract, answers);
        Handlers handlers = new Handlers();
        new SessionEndpoint(rooms, identities, doorkeeper, settings.tls()).register(handlers);
        new AccessEndpoint(rooms, links).register(handlers);
        Resources.register(handlers, rooms, fleet, identities);
        CredentialResources.register(handlers, rooms, identities);
        handlers.on("stream", Scope.READ, _ -> {
            throw new IllegalStateException("answered by StreamEndpoint");
        });
        this.api = new ApiEndpoint(
                vertx,
                rooms.database(),
                rooms.clock(),
                rooms.environment(),
                identities,
                contract,
                handlers,
                doorkeeper,
                answers,
                new ApiEndpoint.Others() {
                    @Override
                    public void page(HttpServerRequest request, String path, Executor threads) {
                        pages.handle(request, path, threads);
                    }

                    @Override
                    public void stream(HttpServerRequest request, Call call, Context context) {
                        stream.open(request, call, context);
                    }
                });
        late.api = api;
    }

    /// The port is known only after listening, and the names of the listener only with the port.
    private static final class Late {
        private volatile @org.jspecify.annotations.Nullable ApiEndpoint api;

        void handle(HttpServerRequest request) {
            ApiEndpoint ready = api;
            if (ready == null) {
                request.response()
                        .setStatusCode(503)
                        .putHeader("retry-after", "1")
                        .end();
            } else {
                ready.handle(request);
            }
        }
    }

    private void listen(Settings settings) throws ConfigurationException {
        try {
            server.listen().toCompletionStage().toCompletableFuture().get(30, TimeUnit.SECONDS);
        } catch (ExecutionException | TimeoutException | CompletionException e) {
            throw new ConfigurationException(
                    "the operator plane can't listen on " + settings.host() + ":" + settings.port() + ": "
                            + (e.getCause() == null ? e : e.getCause()).getMessage()
                            + "; set listeners.operator.port to a free one (0 for any)",
                    e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ConfigurationException("interrupted while starting the operator plane", e);
        }
    }

    /// Counts connections and ends those whose request does not come, however slowly they trickle.
    private void connected(HttpConnection connection) {
        if (connections.incrementAndGet() > MOST_CONNECTIONS) {
            LOG.warn("operator plane: more than {} connections", MOST_CONNECTIONS);
            connection.close().onComplete(_ -> connections.decrementAndGet());
            return;
        }
        RequestClock clock = new RequestClock(
                vertx, connection, shorter(FIRST_REQUEST, limits.requestTimeout()), limits.idleTimeout());
        connection.closeHandler(_ -> {
            clock.stop();
            connections.decrementAndGet();
        });
    }

    private static Duration shorter(Duration left, Duration right) {
        return left.compareTo(right) < 0 ? left : right;
    }

    private static boolean isLoopback(String host) throws ConfigurationException {
        try {
            return InetAddress.getByName(host).isLoopbackAddress();
        } catch (UnknownHostException e) {
            throw new ConfigurationException("listeners.operator.host " + host + " is not an address here", e);
        }
    }

    public int port() {
        return server.actualPort();
    }

    /// Where the console is, such as `http://localhost:8080`.
    public String url() {
        return identities.origin();
    }

    /// Lines for the server's terminal: one-time links for whoever has no other way in. They are made now;
    /// earlier ones for the same purpose no longer work.
    public java.util.List<String> welcome() {
        return links.welcome();
    }

    @Override
    public void close() {
        stream.close();
        api.close();
        try {
            vertx.close().toCompletionStage().toCompletableFuture().get(10, TimeUnit.SECONDS);
        } catch (ExecutionException | TimeoutException e) {
            LOG.warn("the operator plane did not close in time", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
