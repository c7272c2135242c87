package dev.holdfast.cmp;

import dev.holdfast.ca.Ca;
import dev.holdfast.core.Environment;
import dev.holdfast.identity.Identity;
import dev.holdfast.journal.Journal;
import dev.holdfast.protocol.cmp.CmpMessage;
import dev.holdfast.revocation.Revocation;
import dev.holdfast.tls.DeviceListener;
import dev.holdfast.tls.DeviceTls;
import dev.holdfast.tls.Problem;
import dev.holdfast.tls.RequestIntake;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpMethod;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import java.io.IOException;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Optional;
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
    private final RequestIntake intake =
            new RequestIntake("CMP", CmpMessage.MOST_OCTETS / 1024, "RFC 9811 section 3", AT_ONCE);
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
            intake.reads(router.route(path));
            router.route(path).handler(this::handle);
            intake.fails(router.route(path));
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
        if (!RequestIntake.hasType(request, TYPE)) {
            Problem.send(
                    request,
                    415,
                    "media-type-not-accepted",
                    "the body is not " + TYPE,
                    "send a DER message as " + TYPE);
            return;
        }
        byte[] der = RequestIntake.body(request);
        String remote = DeviceListener.peer(request).remoteAddress();
        intake.work(request, () -> {
            CmpResponder.Answer answer = responder.answer(der, place.get(), remote);
            return () -> send(request, answer);
        });
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
}
