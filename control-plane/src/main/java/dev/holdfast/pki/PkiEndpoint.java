package dev.holdfast.pki;

import dev.holdfast.ca.Authority;
import dev.holdfast.ca.Ca;
import dev.holdfast.config.Configuration;
import dev.holdfast.protocol.x509.Certificates;
import io.vertx.core.DeploymentOptions;
import io.vertx.core.Future;
import io.vertx.core.VerticleBase;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import java.io.IOException;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/// `/ocsp`, `/crl/{issuer}.crl` and `/ca/{issuer}.cer` over plain HTTP, as RFC 5280 (AIA, CDP) and RFC 6960
/// appendix A expect; what is served is signed itself, so it needs no TLS.
///
/// Opened before the authorities exist, because their certificates name the port that was bound; answers 503
/// until [#serve].
public final class PkiEndpoint {
    private static final int IDLE_SECONDS = 30;

    private final Router router;
    private final int port;
    private volatile boolean serving;

    private PkiEndpoint(Router router, int port) {
        this.router = router;
        this.port = port;
    }

    /// Binds the listener.
    ///
    /// @param port as Vert.x takes it: negative for any free one
    /// @throws IOException when the port can't be bound; the message says which
    public static PkiEndpoint listen(Vertx vertx, Configuration.Listener address, int port) throws IOException {
        Router router = Router.router(vertx);
        HttpServerOptions options = new HttpServerOptions()
                .setHost(address.host())
                .setPort(port)
                .setAcceptBacklog(1_024)
                .setIdleTimeout(IDLE_SECONDS)
                .setMaxInitialLineLength(8_192)
                .setMaxHeaderSize(8_192)
                .setHttp2ClearTextEnabled(false)
                .setHandle100ContinueAutomatically(true);
        int[] bound = new int[1];
        try {
            vertx.deployVerticle(
                            () -> new VerticleBase() {
                                @Override
                                public Future<?> start() {
                                    return vertx.createHttpServer(options)
                                            .requestHandler(router)
                                            .listen()
                                            .onSuccess(server -> bound[0] = server.actualPort());
                                }
                            },
                            new DeploymentOptions().setInstances(2))
                    .await(20, TimeUnit.SECONDS);
        } catch (RuntimeException | TimeoutException e) {
            throw new IOException(
                    "the PKI listener can't be opened on " + address.host() + ":" + address.port() + ": "
                            + e.getMessage(),
                    e);
        }
        PkiEndpoint endpoint = new PkiEndpoint(router, bound[0]);
        router.route().order(-1).handler(request -> {
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

    /// Begins to answer.
    public void serve(Ca ca) {
        router.get("/ca/:file").handler(request -> authority(ca, request));
        serving = true;
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
