package dev.holdfast.tls;

import io.vertx.core.Future;
import io.vertx.core.Handler;
import io.vertx.core.VerticleBase;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.ext.web.Router;
import java.util.function.IntConsumer;

/// One of the [DeviceListener]'s servers, on one event loop.
final class DeviceHttpsEndpoint extends VerticleBase {
    private final HttpServerOptions options;
    private final DeviceTls tls;
    private final DeviceTls.Engine engine;
    private final Router router;
    private final Handler<HttpConnection> opened;
    private final IntConsumer bound;

    DeviceHttpsEndpoint(
            HttpServerOptions options,
            DeviceTls tls,
            DeviceTls.Engine engine,
            Router router,
            Handler<HttpConnection> opened,
            IntConsumer bound) {
        this.options = options;
        this.tls = tls;
        this.engine = engine;
        this.router = router;
        this.opened = opened;
        this.bound = bound;
    }

    @Override
    public Future<?> start() {
        HttpServer server = vertx.createHttpServer(options);
        server.connectionHandler(opened);
        server.exceptionHandler(_ -> {}); // failed handshakes: the gate hears of them, with their address
        server.requestHandler(router);
        tls.onRenewal(engine, server::updateSSLOptions);
        return server.listen().onSuccess(open -> bound.accept(open.actualPort()));
    }
}
