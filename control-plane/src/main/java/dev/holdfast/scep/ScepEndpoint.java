package dev.holdfast.scep;

import dev.holdfast.core.Environment;
import dev.holdfast.profiles.Profiles;
import io.vertx.core.Context;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpMethod;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import io.vertx.ext.web.handler.BodyHandler;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.function.Supplier;

/// `/scep` and `/scep/{profile}` (RFC 8894 section 4): `GetCACaps` and `GetCACert` by GET, `PKIOperation` by
/// POST alone.
public final class ScepEndpoint {
    private static final String PATH = "/scep";
    private static final int MOST_BODY = 48 * 1024;
    private static final int AT_ONCE = 16;

    private final Scep scep;
    private final Profiles profiles;
    private final Environment environment;
    private final Semaphore places = new Semaphore(AT_ONCE);

    public ScepEndpoint(Scep scep, Profiles profiles, Environment environment) {
        this.scep = scep;
        this.profiles = profiles;
        this.environment = environment;
    }

    public void mount(Router router) {
        for (String path : new String[] {PATH, PATH + "/:profile"}) {
            router.route(path).handler(BodyHandler.create(false).setBodyLimit(MOST_BODY));
            router.route(path).handler(this::handle);
        }
    }

    private void handle(RoutingContext request) {
        Optional<String> profile = Optional.ofNullable(request.pathParam("profile"));
        if (profile.filter(name -> profiles.find(environment, name).isEmpty()).isPresent()) {
            request.response().setStatusCode(404).end();
            return;
        }
        boolean post = request.request().method().equals(HttpMethod.POST);
        String operation =
                Optional.ofNullable(request.request().getParam("operation")).orElse("");
        switch (operation + (post ? " POST" : " " + request.request().method())) {
            case "GetCACaps GET" ->
                send(request, "text/plain", Scep.capabilities().getBytes(StandardCharsets.US_ASCII));
            case "GetCACert GET" ->
                work(request, "application/x-x509-ca-ra-cert", () -> Optional.of(scep.authorities()));
            case "PKIOperation POST" -> operate(request, profile);
            default -> request.response().setStatusCode(400).end();
        }
    }

    private void operate(RoutingContext request, Optional<String> profile) {
        Buffer body = request.body().buffer();
        byte[] bytes = body == null ? new byte[0] : body.getBytes();
        String remote = request.request().remoteAddress() == null
                ? ""
                : request.request().remoteAddress().hostAddress() + ":"
                        + request.request().remoteAddress().port();
        work(request, "application/x-pki-message", () -> scep.answer(bytes, profile, remote));
    }

    /// Off the event loop; empty is a request that nothing can be said to.
    private void work(RoutingContext request, String type, Supplier<Optional<byte[]>> work) {
        if (!places.tryAcquire()) {
            request.response().setStatusCode(503).putHeader("retry-after", "2").end();
            return;
        }
        Context loop = request.vertx().getOrCreateContext();
        var _ = Thread.ofVirtual().name("scep").start(() -> {
            try {
                Optional<byte[]> answer = work.get();
                loop.runOnContext(_ -> answer.ifPresentOrElse(
                        reply -> send(request, type, reply),
                        () -> request.response().setStatusCode(400).end()));
            } catch (RuntimeException e) {
                loop.runOnContext(_ -> request.fail(e));
            } finally {
                places.release();
            }
        });
    }

    private static void send(RoutingContext request, String type, byte[] body) {
        if (!request.response().ended() && !request.response().closed()) {
            request.response().putHeader("content-type", type).end(Buffer.buffer(body));
        }
    }
}
