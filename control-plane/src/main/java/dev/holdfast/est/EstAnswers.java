package dev.holdfast.est;

import dev.holdfast.identity.Applicant;
import dev.holdfast.identity.EnrolmentOutcome;
import dev.holdfast.identity.EnrolmentRefusal;
import dev.holdfast.protocol.cms.CertificatesOnly;
import dev.holdfast.protocol.est.EstBody;
import dev.holdfast.tls.Problem;
import io.vertx.core.buffer.Buffer;
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
        return switch (reason.status()) {
            case BAD_REQUEST, NOT_BOUND -> 400;
            case NOT_AUTHENTICATED -> 401;
            case NOT_ALLOWED, CONFLICT -> 403;
            case NO_SUCH_PROFILE -> 404;
            case NOT_NOW -> 503;
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
}
