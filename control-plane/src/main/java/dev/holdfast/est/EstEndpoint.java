package dev.holdfast.est;

import dev.holdfast.ca.Authority;
import dev.holdfast.ca.Ca;
import dev.holdfast.ca.CertificateProfile;
import dev.holdfast.core.DeviceId;
import dev.holdfast.core.Environment;
import dev.holdfast.identity.Applicant;
import dev.holdfast.identity.Credential;
import dev.holdfast.identity.EnrolmentOutcome;
import dev.holdfast.identity.EnrolmentRefusal;
import dev.holdfast.identity.FailureLimits;
import dev.holdfast.identity.Identity;
import dev.holdfast.protocol.cms.CertificatesOnly;
import dev.holdfast.protocol.est.CsrAttributes;
import dev.holdfast.protocol.est.EstBody;
import dev.holdfast.protocol.est.EstFormatException;
import dev.holdfast.tls.DeviceListener;
import dev.holdfast.tls.PeerIdentity;
import dev.holdfast.tls.Problem;
import io.vertx.core.Context;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClosedException;
import io.vertx.core.http.HttpMethod;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import io.vertx.ext.web.handler.BodyHandler;
import java.nio.charset.StandardCharsets;
import java.security.cert.X509Certificate;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// EST (RFC 7030 with RFC 8951) under `/.well-known/est/`, with or without the profile's label.
///
/// Who may ask: anybody for `cacerts` and `csrattrs`; for `simpleenroll` who has a one-time token (HTTP Basic)
/// or a manufacturer's certificate; for `simplereenroll` who has an operational certificate.
public final class EstEndpoint {
    private static final Logger LOG = LoggerFactory.getLogger(EstEndpoint.class);
    private static final String ROOT = "/.well-known/est/";
    private static final int MOST_BODY = 32 * 1024;
    private static final int AT_ONCE = 64;
    /// Of our own: when the device should ask for the next certificate, RFC 3339. Clients that don't know it
    /// renew when they would.
    private static final String RENEW_AFTER = "renew-after";

    private static final String CERTIFICATES = "application/pkcs7-mime";

    private final Identity identity;
    private final Ca ca;
    private final InstantSource clock;
    private final Semaphore places = new Semaphore(AT_ONCE);
    private final FailureLimits failures;
    private final Environment environment;

    public EstEndpoint(Identity identity, Ca ca, Environment environment, InstantSource clock) {
        this.environment = environment;
        this.failures = identity.enrolment().failures();
        this.identity = identity;
        this.ca = ca;
        this.clock = clock;
    }

    public void mount(Router router) {
        router.route(ROOT + "*").handler(BodyHandler.create(false).setBodyLimit(MOST_BODY));
        router.route(ROOT + "*").handler(this::handle);
        router.route(ROOT + "*").failureHandler(EstEndpoint::failed);
    }

    private void handle(RoutingContext request) {
        String[] path = request.request().path().substring(ROOT.length()).split("/", -1);
        String operation = path[path.length - 1];
        Optional<String> label = path.length == 2 ? Optional.of(path[0]) : Optional.empty();
        if (path.length > 2
                || label.filter(l -> ca.profiles().find(environment, l).isEmpty())
                        .isPresent()) {
            Problem.send(
                    request,
                    404,
                    "est-label-unknown",
                    "no such EST label",
                    "leave the label out or use the name of a certificate profile");
            return;
        }
        boolean post = request.request().method().equals(HttpMethod.POST);
        boolean get = request.request().method().equals(HttpMethod.GET);
        switch (operation) {
            case "cacerts" -> allow(request, get, () -> authorities(request));
            case "csrattrs" -> allow(request, get, () -> send(request, "application/csrattrs", CsrAttributes.p256()));
            case "simpleenroll" -> allow(request, post, () -> enrol(request, label, false));
            case "simplereenroll" -> allow(request, post, () -> enrol(request, label, true));
            case "fullcmc", "serverkeygen" ->
                Problem.send(
                        request,
                        501,
                        "est-operation-not-offered",
                        "this EST operation is not offered",
                        "keys are made on the device: use simpleenroll");
            default ->
                Problem.send(
                        request,
                        404,
                        "est-operation-unknown",
                        "no such EST operation",
                        "cacerts, csrattrs, simpleenroll, simplereenroll");
        }
    }

    private static void allow(RoutingContext request, boolean method, Runnable then) {
        if (method) {
            then.run();
        } else {
            Problem.send(request, 405, "method-not-allowed", "not with this method", "RFC 7030 section 3.2.2");
        }
    }

    /// Section 4.1.3: the root and everything between it and the certificates of devices and of our listeners.
    private void authorities(RoutingContext request) {
        List<X509Certificate> all = new ArrayList<>();
        for (Authority authority : ca.authorities().all()) {
            authority.above().stream().filter(c -> !all.contains(c)).forEach(all::add);
            if (!all.contains(authority.certificate())) {
                all.add(authority.certificate());
            }
        }
        send(request, CERTIFICATES + "; smime-type=certs-only", CertificatesOnly.encode(all));
    }

    /// Section 4.2. 1. The body: `application/pkcs10`, base64. 2. The credential: Basic first, because a device
    /// that has a token means it; else the client certificate. 3. The decision, off the event loop.
    private void enrol(RoutingContext request, Optional<String> label, boolean again) {
        String type = Optional.ofNullable(request.request().getHeader("content-type"))
                .orElse("")
                .toLowerCase(Locale.ROOT);
        if (!type.equals("application/pkcs10") && !type.startsWith("application/pkcs10;")) {
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
            Buffer body = request.body().buffer();
            der = EstBody.decode(body == null ? new byte[0] : body.getBytes());
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
        Optional<Credential> credential = again ? certificate(peer, true) : token(request);
        if (credential.isEmpty() && !again && request.request().getHeader("authorization") == null) {
            credential = certificate(peer, false);
        }
        if (credential.isEmpty()) {
            unauthenticated(request, again);
            return;
        }
        decide(
                request,
                der,
                new Applicant(
                        label,
                        credential.get(),
                        false,
                        CertificateProfile.Attestation.NONE,
                        "EST",
                        peer.remoteAddress()));
    }

    /// What a certificate is good for: renewal, an operational one; first enrolment, a manufacturer's.
    private static Optional<Credential> certificate(PeerIdentity peer, boolean again) {
        if (peer.leaf().isEmpty() || peer.anchor().isPresent() == again) {
            return Optional.empty();
        }
        X509Certificate leaf = peer.leaf().get();
        return Optional.of(
                peer.anchor().isPresent()
                        ? new Credential.Manufacturer(leaf, peer.anchor().get())
                        : new Credential.Operational(leaf));
    }

    private static Optional<Credential> token(RoutingContext request) {
        String header = request.request().getHeader("authorization");
        if (header == null || header.length() > 400 || !header.regionMatches(true, 0, "Basic ", 0, 6)) {
            return Optional.empty();
        }
        try {
            String pair =
                    new String(Base64.getDecoder().decode(header.substring(6).trim()), StandardCharsets.UTF_8);
            int colon = pair.indexOf(':');
            return colon < 0
                    ? Optional.empty()
                    : DeviceId.parse(pair.substring(0, colon))
                            .map(id -> new Credential.Token(id, pair.substring(colon + 1)));
        } catch (IllegalArgumentException notBase64) {
            return Optional.empty();
        }
    }

    private static void unauthenticated(RoutingContext request, boolean again) {
        if (again) {
            Problem.send(
                    request,
                    401,
                    "client-certificate-needed",
                    "renewal needs the certificate that is to be renewed",
                    "connect with the device's operational certificate and key");
        } else {
            request.response().putHeader("www-authenticate", "Basic realm=\"est\", charset=\"UTF-8\"");
            Problem.send(
                    request,
                    401,
                    "credential-needed",
                    "enrolment needs a credential",
                    "user name = device id, password = one-time token; or the manufacturer's certificate");
        }
    }

    private void decide(RoutingContext request, byte[] der, Applicant applicant) {
        FailureLimits.Caller caller = FailureLimits.caller(applicant.credential(), applicant.remoteAddress());
        if (failures.isOver(caller, clock.instant())) {
            request.response().putHeader("retry-after", "60");
            Problem.send(request, 429, "too-many-failures", "too many failed attempts", "wait a minute");
            return;
        }
        if (!places.tryAcquire()) {
            request.response().putHeader("retry-after", "2");
            Problem.send(request, 503, "busy", "too many enrolments at once", "try again shortly");
            return;
        }
        Context loop = request.vertx().getOrCreateContext();
        var _ = Thread.ofVirtual().name("est").start(() -> {
            try {
                EnrolmentOutcome outcome = identity.enrolment().enrol(der, applicant);
                if (outcome instanceof EnrolmentOutcome.Refused refused) {
                    failures.refused(caller, refused.reason(), clock.instant());
                }
                loop.runOnContext(_ -> render(request, outcome, applicant));
            } catch (RuntimeException e) {
                loop.runOnContext(_ -> request.fail(e));
            } finally {
                places.release();
            }
        });
    }

    private static void render(RoutingContext request, EnrolmentOutcome outcome, Applicant applicant) {
        switch (outcome) {
            case EnrolmentOutcome.Issued issued -> {
                request.response().putHeader(RENEW_AFTER, issued.renewAt().toString());
                send(
                        request,
                        CERTIFICATES + "; smime-type=certs-only",
                        CertificatesOnly.encode(List.of(issued.certificate())));
            }
            case EnrolmentOutcome.Held held -> {
                request.response()
                        .putHeader(
                                "retry-after", Long.toString(held.retryAfter().toSeconds()));
                Problem.send(request, 202, "enrolment-held", "not now", held.reason());
            }
            case EnrolmentOutcome.Refused refused -> {
                LOG.debug( // the record is the journal's, and bounded there
                        "enrolment refused from {}: {} ({})",
                        applicant.remoteAddress(),
                        refused.reason(),
                        refused.detail());
                int status = status(refused.reason());
                if (status == 401) {
                    request.response().putHeader("www-authenticate", "Basic realm=\"est\", charset=\"UTF-8\"");
                }
                Problem.send(
                        request, status, refused.reason().text(), "the certificate was not granted", refused.detail());
            }
        }
    }

    private static int status(EnrolmentRefusal reason) {
        return switch (reason) {
            case MALFORMED_REQUEST,
                    REQUEST_SIGNATURE_WRONG,
                    SIGNATURE_SCHEME_NOT_ACCEPTED,
                    KEY_WEAK,
                    KEY_NOT_ACCEPTED,
                    KEY_NOT_ACCEPTED_BY_PROFILE,
                    CHANNEL_BINDING_NEEDED,
                    CHANNEL_BINDING_WRONG,
                    EXTENSION_NOT_ACCEPTED,
                    NAME_NOT_ACCEPTED,
                    ENCRYPTION_KEY_UNKNOWN,
                    REQUEST_WANTS_A_CA -> 400;
            case TOKEN_WRONG,
                    TOKEN_EXPIRED,
                    TOKEN_ALREADY_USED,
                    TOKEN_WITHDRAWN,
                    SECRET_WRONG,
                    SECRET_EXPIRED,
                    SECRET_ALREADY_USED,
                    SECRET_WITHDRAWN -> 401;
            case PROFILE_UNKNOWN -> 404;
            case TOO_MANY_REQUESTS_WAIT -> 503;
            case MANUFACTURER_SERIAL_NOT_REGISTERED,
                    CERTIFICATE_EXPIRED,
                    CERTIFICATE_NOT_YET_VALID,
                    CERTIFICATE_UNKNOWN,
                    CERTIFICATE_REVOKED,
                    CERTIFICATE_SUPERSEDED,
                    DEVICE_UNKNOWN,
                    DEVICE_SUSPENDED,
                    DEVICE_RETIRED,
                    SUBJECT_IS_NOT_THE_DEVICE,
                    ALTERNATIVE_NAMES_DIFFER,
                    KEY_ALREADY_BOUND_TO_ANOTHER_DEVICE,
                    KEY_OF_A_REVOKED_CERTIFICATE,
                    CREDENTIAL_NOT_ACCEPTED_BY_PROFILE,
                    PROFILE_IS_NOT_THE_CERTIFICATES,
                    ATTESTATION_NEEDED,
                    SERVER_KEY_NOT_OFFERED_BY_PROFILE,
                    CLAIM_UNKNOWN,
                    CLAIM_CLOSED,
                    CLAIM_EXPIRED,
                    CLAIM_USED_UP,
                    CLAIM_NOT_FOR_THIS_DEVICE,
                    REFUSED_BY_A_PERSON,
                    NOT_READY_FOR_PRODUCTION -> 403;
        };
    }

    /// RFC 7030 section 4.1.3 wants the transfer encoding named; RFC 8951 section 3.1 lets clients ignore it.
    private static void send(RoutingContext request, String type, byte[] der) {
        if (request.response().ended() || request.response().closed()) {
            return;
        }
        request.response()
                .putHeader("content-type", type)
                .putHeader("content-transfer-encoding", "base64")
                .end(Buffer.buffer(EstBody.encode(der)));
    }

    private static void failed(RoutingContext request) {
        if (request.failure() instanceof HttpClosedException) {
            return; // the client is gone
        }
        int status = request.statusCode();
        if (status == 413) {
            request.response().putHeader("connection", "close");
            Problem.send(request, 413, "request-too-large", "the body is too large", "at most 32 KiB");
        } else if (status >= 400 && status < 500) {
            Problem.send(request, status, "bad-request", "the request can't be read", "RFC 7030 section 4.2");
        } else {
            String reference = Integer.toHexString(System.identityHashCode(request));
            LOG.error("EST request failed, reference {}", reference, request.failure());
            boolean away = request.failure() != null && dev.holdfast.database.Database.isAway(request.failure());
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
