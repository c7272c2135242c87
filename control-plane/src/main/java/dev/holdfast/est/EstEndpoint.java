package dev.holdfast.est;

import dev.holdfast.ca.Ca;
import dev.holdfast.core.Environment;
import dev.holdfast.est.EstCredentials.Purpose;
import dev.holdfast.est.EstDecisions.EstCall;
import dev.holdfast.identity.Applicant;
import dev.holdfast.identity.Credential;
import dev.holdfast.identity.EnrolmentOutcome;
import dev.holdfast.identity.EnrolmentRefusal;
import dev.holdfast.identity.FailureLimits;
import dev.holdfast.identity.Identity;
import dev.holdfast.profiles.CertificateProfile;
import dev.holdfast.profiles.Profiles;
import dev.holdfast.protocol.cms.CertificatesOnly;
import dev.holdfast.protocol.cms.KeyEnvelope;
import dev.holdfast.protocol.est.CsrAttributes;
import dev.holdfast.protocol.est.EstBody;
import dev.holdfast.protocol.est.EstFormatException;
import dev.holdfast.tls.DeviceListener;
import dev.holdfast.tls.PeerClass;
import dev.holdfast.tls.PeerIdentity;
import dev.holdfast.tls.Problem;
import dev.holdfast.tls.RequestIntake;
import io.vertx.core.http.HttpMethod;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.InstantSource;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Supplier;

/// EST (RFC 7030 with RFC 8951) under `/.well-known/est/`, with or without the profile's label.
///
/// Who may ask: anybody for `cacerts` and `csrattrs`; for `simpleenroll` who has a one-time token (HTTP
/// Basic), a manufacturer's certificate or a batch's claim certificate; for `simplereenroll` who has an
/// operational certificate; for `serverkeygen` either, where the profile has keys made here. It may be
/// mounted on several listeners.
public final class EstEndpoint {
    private static final String ROOT = "/.well-known/est/";
    private static final int MOST_KIBIBYTES = 32;
    private static final int AT_ONCE = 64;

    private final Ca ca;
    private final InstantSource clock;
    private final RequestIntake intake = new RequestIntake("EST", MOST_KIBIBYTES, "RFC 7030 section 4.2", AT_ONCE);
    private final FailureLimits failures;
    private final Environment environment;
    private final EstDecisions decisions;
    private final Consumer<X509Certificate> fetched;

    /// @param signer who signs for keys that are made here: the listeners' own certificate
    /// @param fetched told with which certificate of ours somebody has fetched the authorities
    public EstEndpoint(
            Identity identity,
            Ca ca,
            Environment environment,
            Supplier<KeyEnvelope.Signer> signer,
            Consumer<X509Certificate> fetched,
            InstantSource clock,
            SecureRandom random) {
        this.environment = environment;
        this.failures = identity.enrolment().failures();
        this.decisions =
                new EstDecisions(identity, ca, environment, new ServerKeys(identity.secrets(), random), signer, clock);
        this.ca = ca;
        this.fetched = fetched;
        this.clock = clock;
    }

    public void mount(Router router) {
        intake.reads(router.route(ROOT + "*"));
        router.route(ROOT + "*").handler(this::handle);
        intake.fails(router.route(ROOT + "*"));
    }

    private void handle(RoutingContext request) {
        String[] path = request.request().path().substring(ROOT.length()).split("/", -1);
        String operation = path[path.length - 1];
        Optional<String> label = path.length == 2 ? Optional.of(path[0]) : Optional.empty();
        Optional<CertificateProfile> profile =
                path.length > 2 ? Optional.empty() : ca.profiles().find(environment, label.orElse(Profiles.DEVICE));
        if (profile.isEmpty()) {
            Problem.send(
                    request,
                    404,
                    "est-label-unknown",
                    "no such EST label",
                    "leave the label out or use the name of a certificate profile of this environment");
            return;
        }
        switch (operation) {
            case "cacerts" -> allow(request, HttpMethod.GET, () -> authorities(request));
            case "csrattrs" -> allow(request, HttpMethod.GET, () -> attributes(request, profile.get()));
            case "simpleenroll" -> allow(request, HttpMethod.POST, () -> enrol(request, label, Purpose.FIRST));
            case "simplereenroll" -> allow(request, HttpMethod.POST, () -> enrol(request, label, Purpose.RENEWAL));
            case "serverkeygen" -> allow(request, HttpMethod.POST, () -> enrol(request, label, Purpose.SERVER_KEY));
            case "fullcmc" ->
                Problem.send(
                        request,
                        501,
                        "est-operation-not-offered",
                        "full CMC is not offered (RFC 7030 section 4.3 leaves it to the server)",
                        "simpleenroll and simplereenroll do what devices need; CMP is there for the rest");
            default ->
                Problem.send(
                        request,
                        404,
                        "est-operation-unknown",
                        "no such EST operation",
                        "cacerts, csrattrs, simpleenroll, simplereenroll, serverkeygen");
        }
    }

    private static void allow(RoutingContext request, HttpMethod method, Runnable then) {
        if (request.request().method().equals(method)) {
            then.run();
        } else {
            request.response().putHeader("allow", method.name());
            Problem.send(request, 405, "method-not-allowed", "not with this method", "RFC 7030 section 3.2.2");
        }
    }

    /// Section 4.1.3: roots and everything between them and the certificates of devices and of our
    /// listeners; while a root is replaced, the roots' certificates for each other.
    private void authorities(RoutingContext request) {
        EstAnswers.send(
                request,
                EstAnswers.CERTIFICATES,
                CertificatesOnly.encode(ca.authorities().published()));
        PeerIdentity peer = DeviceListener.peer(request);
        if (peer.peerClass() == PeerClass.OPERATIONAL) {
            peer.leaf().ifPresent(fetched);
        }
    }

    /// Section 4.5.2: what requests for this profile should be like.
    private static void attributes(RoutingContext request, CertificateProfile profile) {
        CertificateProfile.Admittance wanted = profile.admittance();
        EstAnswers.send(
                request,
                "application/csrattrs",
                new CsrAttributes(profile.keys().kinds(), !wanted.dnsNames().isEmpty(), wanted.channelBound())
                        .encode());
    }

    /// Section 4.2. 1. The body: `application/pkcs10`, base64. 2. The credential. 3. The decision, off the
    /// event loop.
    private void enrol(RoutingContext request, Optional<String> label, Purpose purpose) {
        if (!RequestIntake.hasType(request, "application/pkcs10")) {
            Problem.send(
                    request,
                    415,
                    "media-type-not-accepted",
                    "the body is not application/pkcs10",
                    "send the base64 of a PKCS #10 request as application/pkcs10");
            return;
        }
        byte[] der;
        try {
            der = EstBody.decode(RequestIntake.body(request));
        } catch (EstFormatException e) {
            Problem.send(
                    request,
                    400,
                    EnrolmentRefusal.MALFORMED_REQUEST.text(),
                    "the body can't be read",
                    String.valueOf(e.getMessage()));
            return;
        }
        PeerIdentity peer = DeviceListener.peer(request);
        Optional<Credential> credential = EstCredentials.of(request.request(), peer, purpose, der);
        if (credential.isEmpty()) {
            EstAnswers.unauthenticated(request, purpose == Purpose.RENEWAL, peer.peerClass() == PeerClass.CLAIM);
            return;
        }
        EstCall call = new EstCall(
                der,
                new Applicant(
                        label,
                        credential.get(),
                        false,
                        CertificateProfile.Attestation.NONE,
                        "EST",
                        peer.remoteAddress()),
                peer,
                DeviceListener.channelBinding(request));
        decide(request, call, purpose);
    }

    private void decide(RoutingContext request, EstCall call, Purpose purpose) {
        FailureLimits.Caller caller = FailureLimits.caller(
                call.applicant().credential(), call.applicant().remoteAddress());
        if (failures.isOver(caller, clock.instant())) {
            request.response().putHeader("retry-after", "60");
            Problem.send(request, 429, "too-many-failures", "too many failed attempts", "wait a minute");
            return;
        }
        intake.work(request, () -> {
            EstDecisions.Decided decided =
                    purpose == Purpose.SERVER_KEY ? decisions.withServerKey(call) : decisions.enrol(call);
            if (decided.outcome() instanceof EnrolmentOutcome.Refused refused) {
                failures.refused(caller, refused.reason(), clock.instant());
            }
            return () -> EstAnswers.render(request, decided.outcome(), call.applicant(), decided.answer());
        });
    }
}
