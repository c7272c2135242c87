package dev.holdfast.cmp;

import dev.holdfast.ca.Ca;
import dev.holdfast.core.Environment;
import dev.holdfast.database.Database;
import dev.holdfast.identity.Identity;
import dev.holdfast.journal.Journal;
import dev.holdfast.protocol.cmp.CmpMessage;
import dev.holdfast.revocation.Revocation;
import dev.holdfast.tls.DeviceListener;
import dev.holdfast.tls.DeviceTls;
import dev.holdfast.tls.Problem;
import io.vertx.core.Context;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClosedException;
import io.vertx.core.http.HttpMethod;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import io.vertx.ext.web.handler.BodyHandler;
import java.io.IOException;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// CMP over HTTP (RFC 9811, RFC 9483 section 6.1): `/.well-known/cmp`, `/.well-known/cmp/p/{profile}`, and
/// either with the name of an operation after it.
///
/// A client certificate in TLS is neither needed nor looked at: each message says itself whose it is. What is
/// a CMP message is answered by one, with status 200 whatever it says; the other statuses are for what is
/// none.
public final class CmpEndpoint {
    private static final Logger LOG = LoggerFactory.getLogger(CmpEndpoint.class);
    private static final String ROOT = "/.well-known/cmp";
    private static final String TYPE = "application/pkixcmp";
    private static final int AT_ONCE = 64;
    private static final Duration SWEEP = Duration.ofSeconds(30);

    private final CmpResponder responder;
    private final Ca ca;
    private final Environment environment;
    private final Semaphore places = new Semaphore(AT_ONCE);
    private final AtomicBoolean sweeping = new AtomicBoolean();

    public CmpEndpoint(
            Journal journal,
            Identity identity,
            Ca ca,
            Revocation revocation,
            DeviceTls tls,
            Environment environment,
            InstantSource clock,
            SecureRandom random)
            throws IOException {
        this.responder = new CmpResponder(journal, identity, ca, revocation, tls, environment, clock, random);
        this.ca = ca;
        this.environment = environment;
    }

    public void mount(Router router) {
        for (String path : new String[] {ROOT, ROOT + "/*"}) {
            router.route(path).handler(BodyHandler.create(false).setBodyLimit(CmpMessage.MOST_OCTETS));
            router.route(path).handler(this::handle);
            router.route(path).failureHandler(CmpEndpoint::failed);
        }
    }

    /// Begins to end what is overdue, now and then.
    public void start(Vertx vertx) {
        vertx.setPeriodic(SWEEP.toMillis(), _ -> {
            if (sweeping.compareAndSet(false, true)) {
                var _ = Thread.ofVirtual().name("cmp-sweep").start(() -> {
                    try {
                        sweep();
                    } catch (RuntimeException e) {
                        LOG.warn("overdue CMP transactions could not be ended yet: {}", e.toString());
                    } finally {
                        sweeping.set(false);
                    }
                });
            }
        });
    }

    /// Revokes what was not confirmed in time, and forgets what may be forgotten. Blocks.
    public void sweep() {
        responder.sweep();
    }

    private void handle(RoutingContext request) {
        Optional<CmpResponder.Place> place = place(request.request().path());
        if (place.isEmpty()) {
            Problem.send(
                    request,
                    404,
                    "cmp-path-unknown",
                    "no such CMP path",
                    ROOT + " or " + ROOT + "/p/ and the name of a certificate profile; after it, or not, one of "
                            + String.join(", ", CmpResponder.operations()));
            return;
        }
        if (!request.request().method().equals(HttpMethod.POST)) {
            request.response().putHeader("allow", "POST");
            Problem.send(request, 405, "method-not-allowed", "not with this method", "POST a CMP message");
            return;
        }
        String type = Optional.ofNullable(request.request().getHeader("content-type"))
                .orElse("")
                .toLowerCase(Locale.ROOT);
        if (!type.equals(TYPE) && !type.startsWith(TYPE + ";")) {
            Problem.send(
                    request,
                    415,
                    "media-type-not-accepted",
                    "the body is not " + TYPE,
                    "send a DER message as " + TYPE);
            return;
        }
        Buffer body = request.body().buffer();
        answer(request, body == null ? new byte[0] : body.getBytes(), place.get());
    }

    /// RFC 9483 section 6.1: `[/p/{profile}][/{operation}]`.
    private Optional<CmpResponder.Place> place(String path) {
        String[] parts = path.substring(ROOT.length()).split("/", -1);
        int at = 1;
        Optional<String> profile = Optional.empty();
        if (parts.length > at + 1 && parts[at].equals("p")) {
            profile = Optional.of(parts[at + 1]);
            if (ca.profiles().find(environment, parts[at + 1]).isEmpty()) {
                return Optional.empty();
            }
            at += 2;
        }
        if (at == parts.length || (at + 1 == parts.length && parts[at].isEmpty())) {
            return Optional.of(new CmpResponder.Place(profile, Optional.empty()));
        }
        Optional<String> message = at + 1 == parts.length ? CmpResponder.message(parts[at]) : Optional.empty();
        Optional<String> named = profile;
        return message.map(name -> new CmpResponder.Place(named, Optional.of(name)));
    }

    private void answer(RoutingContext request, byte[] der, CmpResponder.Place place) {
        if (!places.tryAcquire()) {
            request.response().putHeader("retry-after", "2");
            Problem.send(request, 503, "busy", "too many requests at once", "try again shortly");
            return;
        }
        String remote = DeviceListener.peer(request).remoteAddress();
        Context loop = request.vertx().getOrCreateContext();
        var _ = Thread.ofVirtual().name("cmp").start(() -> {
            try {
                CmpResponder.Answer answer = responder.answer(der, place, remote);
                loop.runOnContext(_ -> send(request, answer));
            } catch (RuntimeException e) {
                loop.runOnContext(_ -> request.fail(e));
            } finally {
                places.release();
            }
        });
    }

    private static void send(RoutingContext request, CmpResponder.Answer answer) {
        if (request.response().ended() || request.response().closed()) {
            return;
        }
        request.response()
                .setStatusCode(answer.readable() ? 200 : 400)
                .putHeader("content-type", TYPE)
                .putHeader("cache-control", "no-store")
                .end(answer.der());
    }

    private static void failed(RoutingContext request) {
        if (request.failure() instanceof HttpClosedException) {
            return; // the client is gone
        }
        int status = request.statusCode();
        if (status == 413) {
            request.response().putHeader("connection", "close");
            Problem.send(request, 413, "request-too-large", "the body is too large", "at most 64 KiB");
        } else if (status >= 400 && status < 500) {
            Problem.send(request, status, "bad-request", "the request can't be read", "RFC 9811 section 3");
        } else {
            String reference = Integer.toHexString(System.identityHashCode(request));
            LOG.error("CMP request failed, reference {}", reference, request.failure());
            boolean away = request.failure() != null && Database.isAway(request.failure());
            request.response().putHeader("retry-after", "10");
            Problem.send(
                    request,
                    503,
                    away ? "database-away" : "internal-error",
                    "it can't be decided now",
                    "try again; the operator finds the cause under reference " + reference);
        }
    }
}
