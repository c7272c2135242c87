package dev.holdfast.est;

import dev.holdfast.identity.Applicant;
import dev.holdfast.identity.EnrolmentOutcome;
import dev.holdfast.identity.EnrolmentRefusal;
import dev.holdfast.protocol.cms.CertificatesOnly;
import dev.holdfast.protocol.est.EstBody;
import dev.holdfast.tls.Problem;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClosedException;
import io.vertx.ext.web.RoutingContext;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// What EST says in HTTP.
final class EstAnswers {
    private static final Logger LOG = LoggerFactory.getLogger(EstAnswers.class);
    static final String CERTIFICATES = "application/pkcs7-mime; smime-type=certs-only";

    /// Of our own: when the device should ask for the next certificate, RFC 3339. Clients that don't know it
    /// renew when they would.
    private static final String RENEW_AFTER = "renew-after";

    private EstAnswers() {}

    /// @param contentType of an answer whose body carries its encodings itself
    @SuppressWarnings("ArrayRecordComponent") // nobody compares these
    record Body(String contentType, byte[] octets) {}

    static byte[] certificatesOnly(X509Certificate certificate) {
        return CertificatesOnly.encode(List.of(certificate));
    }

    /// @param issued what a granted certificate is answered with; null for the certificate alone
    static void render(
            RoutingContext request,
            EnrolmentOutcome outcome,
            Applicant applicant,
            @org.jspecify.annotations.Nullable Function<X509Certificate, Body> issued) {
        switch (outcome) {
            case EnrolmentOutcome.Issued done -> {
                if (request.response().ended() || request.response().closed()) {
                    return;
                }
                request.response().putHeader(RENEW_AFTER, done.renewAt().toString());
                if (issued == null) {
                    send(request, CERTIFICATES, certificatesOnly(done.certificate()));
                } else {
                    Body body = issued.apply(done.certificate());
                    request.response()
                            .putHeader("content-type", body.contentType())
                            .putHeader("cache-control", "no-store")
                            .end(Buffer.buffer(body.octets()));
                }
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
                    TPM_NOT_BELIEVED,
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

    static void unauthenticated(RoutingContext request, boolean again, boolean claim) {
        if (claim) {
            Problem.send(
                    request,
                    403,
                    "claim-certificate-not-accepted-here",
                    "a claim certificate is for simpleenroll alone, by a device whose id is the request's CN",
                    "claim the device's own certificate first, then connect with that");
        } else if (again) {
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
                    "user name = device id, password = one-time token; or a manufacturer's or claim certificate");
        }
    }

    /// RFC 7030 section 4.1.3 wants the transfer encoding named; RFC 8951 section 3.1 lets clients ignore it.
    static void send(RoutingContext request, String type, byte[] der) {
        if (request.response().ended() || request.response().closed()) {
            return;
        }
        request.response()
                .putHeader("content-type", type)
                .putHeader("content-transfer-encoding", "base64")
                .end(Buffer.buffer(EstBody.encode(der)));
    }

    static void failed(RoutingContext request) {
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
