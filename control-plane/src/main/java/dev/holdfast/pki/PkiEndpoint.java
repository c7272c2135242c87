package dev.holdfast.pki;

import dev.holdfast.ca.Authority;
import dev.holdfast.ca.Ca;
import dev.holdfast.ca.ListName;
import dev.holdfast.config.Configuration;
import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.revocation.Revocation;
import dev.holdfast.revocation.RevocationList;
import dev.holdfast.revocation.StatusAnswer;
import dev.holdfast.timestamps.TimeStamping;
import dev.holdfast.tls.DevicePlane;
import dev.holdfast.tls.PeerIdentity;
import dev.holdfast.tls.RequestWatch;
import io.vertx.core.Context;
import io.vertx.core.DeploymentOptions;
import io.vertx.core.Future;
import io.vertx.core.VerticleBase;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import java.io.IOException;
import java.time.InstantSource;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// `/ocsp`, `/crl/{issuer}.crl`, `/ca/{issuer}.cer` and `/tsp` over plain HTTP, as RFC 5280 (AIA, CDP) and
/// RFC 6960 appendix A expect; what is served is signed itself, so it needs no TLS.
///
/// Opened before the authorities exist, because their certificates name the port that was bound; answers 503
/// until [#serve].
public final class PkiEndpoint implements AutoCloseable {
    private static final int THREADS = Math.max(2, Runtime.getRuntime().availableProcessors());

    private static final String LIST = "application/pkix-crl";
    /// How long others may give a list out without asking, seconds.
    private static final int LIST_MAX_AGE = 60;

    private static final Logger LOG = LoggerFactory.getLogger(PkiEndpoint.class);

    private final Router router;
    private final RequestWatch watch;
    private volatile int port;
    private final ThreadPoolExecutor signers = new ThreadPoolExecutor(
            THREADS,
            THREADS,
            1,
            TimeUnit.MINUTES,
            new ArrayBlockingQueue<>(2_000),
            Thread.ofPlatform().name("pki-", 0).daemon().factory());
    private volatile boolean serving;
    private volatile @Nullable StatusEndpoint status;

    private PkiEndpoint(Router router, RequestWatch watch) {
        this.router = router;
        this.watch = watch;
    }

    private void handle(HttpServerRequest request) {
        StatusEndpoint ready = status;
        String path = request.path();
        if (ready != null && path != null && StatusEndpoint.isFor(path)) {
            ready.handle(request);
        } else {
            router.handle(request);
        }
    }

    /// Binds the listener.
    ///
    /// @throws IOException when the port can't be bound; the message says which
    public static PkiEndpoint listen(DevicePlane plane, Configuration configuration) throws IOException {
        Vertx vertx = plane.vertx();
        Configuration.Listener address = configuration.listeners().pki();
        Configuration.Limits limits = configuration.limits();
        RequestWatch watch = plane.watch();
        Router router = Router.router(vertx);
        HttpServerOptions options = new HttpServerOptions()
                .setHost(address.host())
                .setPort(plane.vertxPort(address.port()))
                .setAcceptBacklog(1_024)
                .setIdleTimeout((int) limits.idleTimeout().toMillis())
                .setIdleTimeoutUnit(TimeUnit.MILLISECONDS)
                .setMaxInitialLineLength(8_192)
                .setMaxHeaderSize(8_192)
                .setHttp2ClearTextEnabled(false)
                .setPerMessageWebSocketCompressionSupported(false)
                .setPerFrameWebSocketCompressionSupported(false)
                .setHandle100ContinueAutomatically(true);
        PkiEndpoint endpoint = new PkiEndpoint(router, watch);
        try {
            vertx.deployVerticle(
                            () -> new VerticleBase() {
                                @Override
                                public Future<?> start() {
                                    return vertx.createHttpServer(options)
                                            .connectionHandler(
                                                    connection -> watch.opened(connection, PeerIdentity.none("")))
                                            .requestHandler(endpoint::handle)
                                            .listen()
                                            .onSuccess(server -> endpoint.port = server.actualPort());
                                }
                            },
                            new DeploymentOptions().setInstances(2))
                    .await(20, TimeUnit.SECONDS);
        } catch (Exception e) { // Vert.x throws what happened as it is, checked or not
            throw DevicePlane.notOpened("PKI", "pki", address, e);
        }
        router.route().order(-1).handler(request -> {
            watch.begin(request);
            if (endpoint.serving) {
                request.next();
            } else {
                request.response()
                        .setStatusCode(503)
                        .putHeader("retry-after", "5")
                        .end();
            }
        });
        return endpoint;
    }

    /// The port that was bound.
    public int port() {
        return port;
    }

    /// Where other protocols over plain HTTP mount their routes, before [#serve].
    public Router router() {
        return router;
    }

    /// Begins to answer.
    public void serve(Ca ca, Revocation revocation, TimeStamping timeStamping, InstantSource clock) {
        router.get("/ca/:file").handler(request -> authority(ca, request));
        router.get("/crl/:file").handler(request -> work(request, loop -> list(revocation, request, loop)));
        new TimeEndpoint(timeStamping).mount(router, (request, task) -> work(request, _ -> task.run()));
        router.route().failureHandler(PkiEndpoint::failed);
        status = new StatusEndpoint(revocation.statusResponder(), watch, clock);
        serving = true;
    }

    private static void list(Revocation revocation, RoutingContext request, Context loop) {
        if (revocation.mayHaveForgotten()) {
            loop.runOnContext(_ -> request.response()
                    .setStatusCode(503)
                    .putHeader("retry-after", "60")
                    .end());
            return;
        }
        Optional<RevocationList> found =
                ListName.parse(request.pathParam("file")).flatMap(revocation.lists()::find);
        loop.runOnContext(_ -> {
            if (request.response().ended() || request.response().closed()) {
                return;
            }
            if (found.isEmpty()) {
                request.response().setStatusCode(404).end();
                return;
            }
            RevocationList list = found.get();
            String tag = '"' + list.tag() + '"';
            request.response()
                    .putHeader("etag", tag)
                    .putHeader("last-modified", StatusAnswer.httpDate(list.thisUpdate()))
                    .putHeader("cache-control", "max-age=" + LIST_MAX_AGE + ", public, no-transform, must-revalidate");
            String known = request.request().getHeader("if-none-match");
            if (known != null && known.contains(tag)) {
                request.response().setStatusCode(304).end();
                return;
            }
            switch (list.content()) {
                case RevocationList.Content.InMemory memory -> send(request, memory.der(), LIST);
                case RevocationList.Content.InFile file ->
                    request.response()
                            .putHeader("content-type", LIST)
                            .sendFile(file.file().toString())
                            .onFailure(request::fail);
            }
        });
    }

    private static void send(RoutingContext request, byte[] body, String type) {
        if (!request.response().ended() && !request.response().closed()) {
            request.response().putHeader("content-type", type).end(Buffer.buffer(body));
        }
    }

    /// Signing is not for event loops; what does not fit into the queue is told to come again.
    private void work(RoutingContext request, Consumer<Context> task) {
        Context loop = request.vertx().getOrCreateContext();
        try {
            signers.execute(() -> {
                try {
                    task.accept(loop);
                } catch (RuntimeException e) {
                    loop.runOnContext(_ -> request.fail(e));
                }
            });
        } catch (RejectedExecutionException full) {
            request.response().setStatusCode(503).putHeader("retry-after", "1").end();
        }
    }

    private static void failed(RoutingContext request) {
        if (request.failure() != null && request.statusCode() >= 500) {
            LOG.error("PKI request failed", request.failure());
        }
        if (!request.response().ended()) {
            int status = request.statusCode() < 400 ? 500 : request.statusCode();
            request.response()
                    .setStatusCode(status)
                    .putHeader("connection", "close")
                    .end();
        }
    }

    @Override
    public void close() {
        signers.shutdownNow();
    }

    /// `{issuer}.cer`, DER (RFC 5280 section 4.2.2.1: application/pkix-cert), or `{issuer}.pem`.
    private static void authority(Ca ca, RoutingContext request) {
        String file = request.pathParam("file");
        boolean pem = file.endsWith(".pem");
        Optional<Authority> found = file.endsWith(".cer") || pem
                ? ca.authorities().find(file.substring(0, file.length() - 4))
                : Optional.empty();
        if (found.isEmpty()) {
            request.response().setStatusCode(404).end();
        } else if (pem) {
            request.response()
                    .putHeader("content-type", "application/x-pem-file")
                    .end(Certificates.pem(found.get().certificate()));
        } else {
            request.response()
                    .putHeader("content-type", "application/pkix-cert")
                    .end(Buffer.buffer(Certificates.der(found.get().certificate())));
        }
    }
}
