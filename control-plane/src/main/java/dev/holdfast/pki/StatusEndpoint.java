package dev.holdfast.pki;

import dev.holdfast.protocol.ocsp.OcspResponse;
import dev.holdfast.revocation.StatusAnswer;
import dev.holdfast.revocation.StatusResponder;
import dev.holdfast.tls.RequestWatch;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Base64;
import java.util.Locale;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// OCSP over HTTP (RFC 6960 appendix A, RFC 5019 sections 5 and 6): before the router and on the event loop
/// from beginning to end, because an answer takes less time than handing it to another thread.
final class StatusEndpoint {
    private static final Logger LOG = LoggerFactory.getLogger(StatusEndpoint.class);
    private static final String PATH = "/ocsp";
    private static final String REQUEST = "application/ocsp-request";
    private static final CharSequence RESPONSE = HttpHeaders.createOptimized("application/ocsp-response");
    private static final CharSequence NOT_KEPT = HttpHeaders.createOptimized("no-store");
    private static final int MOST_BODY = 16 * 1024;
    /// How long others may give an answer out without asking: as long as a revocation may stay unseen behind
    /// them.
    private static final long MAX_AGE = 60;

    private final StatusResponder responder;
    private final RequestWatch watch;
    private final InstantSource clock;

    StatusEndpoint(StatusResponder responder, RequestWatch watch, InstantSource clock) {
        this.responder = responder;
        this.watch = watch;
        this.clock = clock;
    }

    /// Whether the request is for here.
    static boolean isFor(String path) {
        return path.startsWith(PATH) && (path.length() == PATH.length() || path.charAt(PATH.length()) == '/');
    }

    void handle(HttpServerRequest request) {
        watch.begin(request);
        HttpMethod method = request.method();
        if (method.equals(HttpMethod.POST) && request.path().equals(PATH)) {
            posted(request);
        } else if (method.equals(HttpMethod.GET) && request.path().length() > PATH.length()) {
            inPath(request);
        } else {
            refuse(request, 405);
        }
    }

    /// RFC 6960 appendix A.1: POST of the DER. No cache may keep what answers it (RFC 5019 section 6).
    private void posted(HttpServerRequest request) {
        String type = request.getHeader(HttpHeaders.CONTENT_TYPE);
        if (type == null || !type.toLowerCase(Locale.ROOT).startsWith(REQUEST)) {
            refuse(request, 415);
            return;
        }
        Buffer body = Buffer.buffer();
        request.handler(chunk -> {
            if (body.length() + chunk.length() > MOST_BODY) {
                request.handler(null).endHandler(null);
                refuse(request, 413);
            } else {
                body.appendBuffer(chunk);
            }
        });
        request.endHandler(_ -> send(request, answer(body.getBytes()).der()));
        request.exceptionHandler(_ -> {}); // who leaves in the middle gets no answer
    }

    /// Appendix A.1: GET, the path's rest is the base64 of the DER, URL-encoded (by some clients not, or
    /// twice over with slashes collapsed by proxies, which is not mended here).
    private void inPath(HttpServerRequest request) {
        StatusAnswer answer;
        try {
            String text = request.path().substring(PATH.length() + 1);
            if (text.indexOf('%') >= 0) {
                text = URLDecoder.decode(text.replace("+", "%2B"), StandardCharsets.US_ASCII);
            }
            answer = answer(Base64.getDecoder().decode(text));
        } catch (IllegalArgumentException e) {
            send(request, OcspResponse.Failure.MALFORMED_REQUEST.response());
            return;
        }
        if (answer.caching().isEmpty()) {
            send(request, answer.der());
            return;
        }
        StatusAnswer.Caching caching = answer.caching().get();
        Instant now = clock.instant();
        HttpServerResponse response = request.response();
        response.putHeader(HttpHeaders.DATE, StatusAnswer.httpDate(now))
                .putHeader(HttpHeaders.LAST_MODIFIED, caching.from())
                .putHeader(HttpHeaders.EXPIRES, caching.until())
                .putHeader(HttpHeaders.ETAG, caching.tag())
                .putHeader(
                        HttpHeaders.CACHE_CONTROL,
                        "max-age=" + maxAge(now, caching.nextUpdate()) + ", public, no-transform, must-revalidate");
        if (isKnown(request, caching)) {
            response.setStatusCode(304);
            end(request, Buffer.buffer());
        } else {
            response.putHeader(HttpHeaders.CONTENT_TYPE, RESPONSE);
            end(request, Buffer.buffer(answer.der()));
        }
    }

    /// RFC 5019 section 6.2: less than what is left until nextUpdate.
    private static long maxAge(Instant now, Instant nextUpdate) {
        return Math.clamp(Duration.between(now, nextUpdate).toSeconds() - 1, 0, MAX_AGE);
    }

    /// RFC 9110 section 13.2.2: the tag decides where there is one.
    private static boolean isKnown(HttpServerRequest request, StatusAnswer.Caching caching) {
        String tags = request.getHeader(HttpHeaders.IF_NONE_MATCH);
        return tags == null
                ? caching.from().equals(request.getHeader(HttpHeaders.IF_MODIFIED_SINCE))
                : tags.contains(caching.tag()) || tags.strip().equals("*");
    }

    private StatusAnswer answer(byte[] der) {
        try {
            return responder.answer(der);
        } catch (RuntimeException e) {
            LOG.error("an OCSP request failed", e);
            return StatusAnswer.failure(OcspResponse.Failure.INTERNAL_ERROR);
        }
    }

    private void send(HttpServerRequest request, byte[] der) {
        request.response().putHeader(HttpHeaders.CONTENT_TYPE, RESPONSE).putHeader(HttpHeaders.CACHE_CONTROL, NOT_KEPT);
        end(request, Buffer.buffer(der));
    }

    private void refuse(HttpServerRequest request, int status) {
        HttpServerResponse response = request.response().setStatusCode(status);
        if (status == 405) {
            response.putHeader(HttpHeaders.ALLOW, "GET, POST");
        } else {
            response.putHeader(HttpHeaders.CONNECTION, HttpHeaders.CLOSE); // what follows is not read
        }
        end(request, Buffer.buffer());
    }

    private void end(HttpServerRequest request, Buffer body) {
        HttpServerResponse response = request.response();
        if (!response.ended() && !response.closed()) {
            var _ = response.end(body);
        }
        watch.answered(request);
    }
}
