package dev.holdfast.updates;

import dev.holdfast.core.DeviceId;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Environment;
import dev.holdfast.core.Serial;
import dev.holdfast.identity.Admission;
import dev.holdfast.identity.Identity;
import dev.holdfast.inventory.Inventory;
import dev.holdfast.sessions.Session;
import dev.holdfast.sessions.Sessions;
import dev.holdfast.telemetry.Observation;
import dev.holdfast.telemetry.Telemetry;
import dev.holdfast.tls.DeviceListener;
import dev.holdfast.tls.PeerIdentity;
import dev.holdfast.tls.Problem;
import dev.holdfast.tls.RequestWatch;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.RoutingContext;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;
import javax.security.auth.x500.X500Principal;

/// Who may pass to the update routes, and as whom: only the certificate says.
final class Door {
    private static final double PER_SECOND = 20;
    private static final double BURST = 100;
    private static final Set<String> FORWARDED =
            Set.of("forwarded", "x-real-ip", "x-client-cert", "x-client-verify", "ssl-client-cert");

    private final Identity identity;
    private final Inventory inventory;
    private final Sessions sessions;
    private final Telemetry telemetry;
    private final Environment byDefault;
    private final InstantSource clock;
    private final Map<HttpConnection, Visit> visits = new ConcurrentHashMap<>();

    Door(
            Identity identity,
            Inventory inventory,
            Sessions sessions,
            Telemetry telemetry,
            Environment byDefault,
            InstantSource clock) {
        this.identity = identity;
        this.inventory = inventory;
        this.sessions = sessions;
        this.telemetry = telemetry;
        this.byDefault = byDefault;
        this.clock = clock;
    }

    /// One connection's session, and its allowance of requests. Used on the connection's event loop.
    private static final class Visit {
        final Session session;
        private double allowance = BURST;
        private Instant at;

        Visit(Session session, Instant now) {
            this.session = session;
            this.at = now;
        }

        boolean mayAsk(Instant now) {
            double passed = Math.max(0, java.time.Duration.between(at, now).toMillis() / 1000.0);
            allowance = Math.min(BURST, allowance + passed * PER_SECOND);
            at = now;
            if (allowance < 1) {
                return false;
            }
            allowance--;
            return true;
        }
    }

    /// 1. Identity forwarded in headers is refused, not ignored: whoever sends it believes in a proxy that is not
    /// there.
    /// 2. The certificate decides who it is, and whether it may come in at all.
    /// 3. The session is registered before the standing is looked at, so that a cut in between finds it.
    /// 4. The URL must name the very device and its environment.
    void enter(RoutingContext request) {
        Instant now = clock.instant();
        if (forwardsIdentity(request.request())) {
            Problem.send(
                    request,
                    400,
                    "forwarded-identity-refused",
                    "this listener takes no identity from headers",
                    "connect directly, with the device's own certificate; leave out tokens and X-Ssl-* or"
                            + " X-Forwarded-* headers");
            return;
        }
        PeerIdentity peer = DeviceListener.peer(request);
        Admission first = peer.leaf()
                .map(leaf -> identity.admit(leaf, now))
                .orElse(new Admission.Refused(Admission.Refusal.NO_CERTIFICATE, "no certificate"));
        if (!(first instanceof Admission.Admitted admitted)) {
            refuse(request, peer, (Admission.Refused) first, now);
            return;
        }
        Visit visit = visit(request, admitted, peer, now);
        Admission second = identity.admit(admitted.device(), admitted.certificate());
        if (!(second instanceof Admission.Admitted sure)) {
            refuse(request, peer, (Admission.Refused) second, now);
            return;
        }
        if (!visit.mayAsk(now)) {
            violation(admitted.device(), now, Observation.Violation.Rule.RATE_EXCEEDED, "more requests than allowed");
            request.response().putHeader("retry-after", "5");
            Problem.send(request, 429, "too-many-requests", "too many requests", "poll at the interval that is told");
            return;
        }
        if (!named(request).equals(Optional.of(admitted.device()))) {
            violation(admitted.device(), now, Observation.Violation.Rule.FOREIGN_IDENTITY, "asked in another's name");
            Problem.send(
                    request,
                    403,
                    "not-this-device",
                    "the address names another device than the certificate",
                    "use the device's own id, and its environment (or DEFAULT) as tenant");
            return;
        }
        inventory.heard(admitted.device(), now);
        telemetry.accept(activity(visit.session, now, Observation.SessionActivity.Kind.USED));
        new Caller(sure.device(), sure.certificate(), sure.state()).attach(request);
        request.next();
    }

    private static boolean forwardsIdentity(HttpServerRequest request) {
        for (Map.Entry<String, String> header : request.headers()) {
            String name = header.getKey().toLowerCase(Locale.ROOT);
            if (name.startsWith("x-ssl-")
                    || name.startsWith("x-forwarded-")
                    || name.equals("authorization")
                    || FORWARDED.contains(name)) {
                return true;
            }
        }
        return false;
    }

    private Optional<DeviceRef> named(RoutingContext request) {
        String tenant = request.pathParam("tenant");
        try {
            Environment environment = tenant.equals("DEFAULT") ? byDefault : new Environment(tenant);
            return DeviceId.parse(request.pathParam("id")).map(id -> new DeviceRef(environment, id));
        } catch (IllegalArgumentException noEnvironment) {
            return Optional.empty();
        }
    }

    private Visit visit(RoutingContext request, Admission.Admitted admitted, PeerIdentity peer, Instant now) {
        HttpConnection connection = request.request().connection();
        Visit known = visits.get(connection);
        if (known != null) {
            return known;
        }
        Session session = sessions.register(
                admitted.device(),
                admitted.certificate(),
                peer.leaf().orElseThrow().getNotAfter().toInstant(),
                "https",
                peer.remoteAddress(),
                now,
                _ -> HardClose.of(connection));
        Visit visit = new Visit(session, now);
        visits.put(connection, visit);
        telemetry.accept(activity(session, now, Observation.SessionActivity.Kind.OPENED));
        RequestWatch.onClose(request, () -> left(connection));
        return visit;
    }

    private void left(HttpConnection connection) {
        Visit visit = visits.remove(connection);
        if (visit != null) {
            sessions.close(visit.session);
            telemetry.accept(activity(visit.session, clock.instant(), Observation.SessionActivity.Kind.CLOSED));
        }
    }

    private static Observation.SessionActivity activity(
            Session session, Instant now, Observation.SessionActivity.Kind kind) {
        return new Observation.SessionActivity(
                session.device(),
                now,
                session.id(),
                session.certificate(),
                session.protocol(),
                session.remoteAddress(),
                kind);
    }

    /// The handshake proved the key, so a certificate that does not count any more is worth noticing.
    private void refuse(RoutingContext request, PeerIdentity peer, Admission.Refused refused, Instant now) {
        Optional<X509Certificate> leaf = peer.leaf();
        Optional<DeviceRef> named = named(request);
        if (leaf.isPresent() && named.isPresent() && isFor(leaf.get(), named.get())) {
            telemetry.accept(new Observation.RefusedCertificate(
                    named.get(),
                    now,
                    Serial.of(leaf.get().getSerialNumber().abs()),
                    refused.reason().name(),
                    true,
                    peer.remoteAddress()));
        }
        request.response().putHeader("connection", "close");
        if (refused.reason() == Admission.Refusal.SERVER_CANNOT_CHECK) {
            request.response().putHeader("retry-after", "30");
            Problem.send(
                    request, 503, "cannot-check", "the server can't check certificates now", "come back in a while");
            return;
        }
        Problem.send(
                request,
                403,
                "not-admitted",
                "this certificate is not admitted",
                refused.reason() + ": " + refused.detail());
    }

    private static boolean isFor(X509Certificate leaf, DeviceRef device) {
        return leaf.getSubjectX500Principal()
                .getName(X500Principal.RFC2253)
                .matches("(?:.*,)?CN=" + Pattern.quote(device.id().value()) + "(?:,.*)?");
    }

    void violation(DeviceRef device, Instant now, Observation.Violation.Rule rule, String detail) {
        telemetry.accept(new Observation.Violation(device, now, rule, detail));
    }
}
