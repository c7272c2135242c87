package dev.holdfast.acme;

import dev.holdfast.core.Environment;
import dev.holdfast.profiles.CertificateProfile;
import dev.holdfast.profiles.Profiles;
import dev.holdfast.protocol.acme.AcmeException;
import dev.holdfast.protocol.acme.AcmeProblem;
import dev.holdfast.tls.DeviceListener;
import dev.holdfast.tls.RequestIntake;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpMethod;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import java.util.Optional;
import java.util.function.Supplier;

/// ACME under `/acme/{profile}/`: what can be asked by anybody is answered here (directory, nonces, renewal
/// information); what is signed goes to [Acme], off the event loop.
public final class AcmeEndpoint {
    private static final int MOST_KIBIBYTES = 64;
    private static final int AT_ONCE = 64;
    private static final int RENEWAL_LOOK_SECONDS = 6 * 60 * 60;

    private final Acme acme;
    private final Profiles profiles;
    private final Environment environment;
    private final Supplier<String> base;
    private final RequestIntake intake = new RequestIntake("ACME", MOST_KIBIBYTES, "RFC 8555 section 6", AT_ONCE);

    /// @param base what URLs that devices are given begin with
    public AcmeEndpoint(Acme acme, Profiles profiles, Environment environment, Supplier<String> base) {
        this.acme = acme;
        this.profiles = profiles;
        this.environment = environment;
        this.base = base;
    }

    public void mount(Router router) {
        intake.reads(router.route(Urls.PATH + "*"));
        router.route(Urls.PATH + "*").handler(this::handle);
        intake.fails(router.route(Urls.PATH + "*"), this::failed);
    }

    private void handle(RoutingContext request) {
        String[] path = request.request().path().substring(Urls.PATH.length()).split("/", -1);
        Optional<CertificateProfile> profile = path.length < 2 ? Optional.empty() : profiles.find(environment, path[0]);
        if (profile.isEmpty() || path.length > 4) {
            send(request, AcmeReply.problem(404, AcmeProblem.MALFORMED, "no such directory or resource"));
            return;
        }
        Urls urls = Urls.of(base, path[0]);
        HttpMethod method = request.request().method();
        boolean read = method.equals(HttpMethod.GET) || method.equals(HttpMethod.HEAD);
        switch (path[1]) {
            case "directory" -> {
                if (allowed(request, read && path.length == 2)) {
                    send(request, AcmeReply.of(200, Shapes.directory(urls)));
                }
            }
            case "new-nonce" -> {
                if (allowed(request, read && path.length == 2)) {
                    send(
                            request,
                            withNonce(AcmeReply.nothing(method.equals(HttpMethod.HEAD) ? 200 : 204)
                                    .linked(index(urls))));
                }
            }
            case "renewal-info" -> {
                if (allowed(request, read && path.length == 3)) {
                    work(request, () -> renewal(path[2]));
                }
            }
            default -> {
                if (allowed(request, method.equals(HttpMethod.POST))) {
                    signed(request, urls, profile.get());
                }
            }
        }
    }

    private boolean allowed(RoutingContext request, boolean method) {
        if (!method) {
            send(request, AcmeReply.problem(405, AcmeProblem.MALFORMED, "not with this method, or not this path"));
        }
        return method;
    }

    /// RFC 9773 section 4.2 and 4.3: when to look again stands beside the window.
    private AcmeReply renewal(String id) throws AcmeException {
        return acme.downloads()
                .renewal(id)
                .map(window ->
                        AcmeReply.of(200, window.json()).with("retry-after", Integer.toString(RENEWAL_LOOK_SECONDS)))
                .orElseGet(() -> AcmeReply.problem(404, AcmeProblem.MALFORMED, "no such certificate"));
    }

    /// RFC 8555 section 6.2: only `application/jose+json`.
    private void signed(RoutingContext request, Urls urls, CertificateProfile profile) {
        if (!RequestIntake.hasType(request, "application/jose+json")) {
            send(request, AcmeReply.problem(415, AcmeProblem.MALFORMED, "send application/jose+json"));
            return;
        }
        byte[] bytes = RequestIntake.body(request);
        String remote = DeviceListener.peer(request).remoteAddress();
        String resource = request.request()
                .path()
                .substring(Urls.PATH.length() + profile.name().length() + 1);
        work(
                request,
                () -> withNonce(
                        acme.signed(urls, profile, resource, bytes, remote).linked(index(urls))));
    }

    private AcmeReply withNonce(AcmeReply reply) {
        return reply.with("replay-nonce", acme.nonces().fresh()).with("cache-control", "no-store");
    }

    private static String index(Urls urls) {
        return "<" + urls.directory() + ">;rel=\"index\"";
    }

    /// What blocks.
    @FunctionalInterface
    private interface Work {
        AcmeReply reply() throws AcmeException;
    }

    private void work(RoutingContext request, Work work) {
        intake.work(
                request,
                () -> {
                    AcmeReply answer = reply(work);
                    return () -> send(request, answer);
                },
                this::failed);
    }

    private AcmeReply reply(Work work) {
        try {
            return work.reply();
        } catch (AcmeException e) {
            return withNonce(AcmeReply.problem(e));
        }
    }

    private static void send(RoutingContext request, AcmeReply reply) {
        if (request.response().ended() || request.response().closed()) {
            return;
        }
        var response = request.response().setStatusCode(reply.status());
        reply.headers().forEach(response::putHeader);
        if (!reply.links().isEmpty()) {
            response.putHeader("link", reply.links());
        }
        if (reply.content().isPresent()) {
            response.putHeader("content-type", reply.type())
                    .end(Buffer.buffer(reply.content().get()));
        } else {
            response.end();
        }
    }

    /// In ACME's own words; a nonce for the next attempt goes with those that are worth one.
    private void failed(RequestIntake.Failure failure, RoutingContext request) {
        String detail = failure.title() + ": " + failure.detail();
        if (failure.status() < 500) {
            send(request, AcmeReply.problem(failure.status(), AcmeProblem.MALFORMED, detail));
        } else {
            AcmeProblem problem =
                    failure.type().equals("busy") ? AcmeProblem.RATE_LIMITED : AcmeProblem.SERVER_INTERNAL;
            send(request, withNonce(AcmeReply.problem(failure.status(), problem, detail)));
        }
    }
}
