package dev.holdfast.web;

import io.vertx.core.Future;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.http.HttpVersion;
import java.io.IOException;
import java.io.OutputStream;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Writes answers, always with the headers that keep a browser safe.
public final class Answers {
    private static final Logger LOG = LoggerFactory.getLogger(Answers.class);
    private static final int PIECE = 64 * 1024;
    private static final int DRAINED = 8 << 20;

    /// Numbers faults, from the process's start on, so that a reference is not given twice soon.
    private static final AtomicLong FAULTS = new AtomicLong(
            java.lang.management.ManagementFactory.getRuntimeMXBean().getStartTime());

    private final boolean tls;
    private volatile String styleHashes = "";

    public Answers(boolean tls) {
        this.tls = tls;
    }

    /// Hashes (`'sha256-...'`) of the style elements that the console makes itself.
    public void allowStyles(String hashes) {
        styleHashes = hashes.isBlank() ? "" : " " + hashes.strip();
    }

    void securityHeaders(HttpServerResponse response) {
        response.putHeader(
                        "content-security-policy",
                        "default-src 'none'; script-src 'self'; style-src 'self'" + styleHashes
                                + "; img-src 'self' data:; font-src 'self'; connect-src 'self'; manifest-src 'self';"
                                + " base-uri 'none'; form-action 'self'; frame-ancestors 'none'")
                .putHeader("x-content-type-options", "nosniff")
                .putHeader("referrer-policy", "no-referrer")
                .putHeader("cross-origin-opener-policy", "same-origin")
                .putHeader("cross-origin-resource-policy", "same-origin")
                .putHeader("permissions-policy", "camera=(), microphone=(), geolocation=(), payment=(), usb=()")
                .putHeader("cache-control", "no-store");
        if (tls) {
            response.putHeader("strict-transport-security", "max-age=31536000");
        }
    }

    void reply(HttpServerRequest request, Reply reply, BodyStream body) throws IOException {
        HttpServerResponse response = request.response();
        if (response.ended() || response.closed()) {
            return;
        }
        response.setStatusCode(reply.status());
        if (!reply.mediaType().isEmpty()) {
            response.putHeader("content-type", reply.mediaType());
        }
        reply.headers().forEach(response::putHeader);
        finishBody(request, Optional.of(body));
        if (reply.download().isPresent()) {
            response.setChunked(true);
            try (OutputStream out = new Pieces(response)) {
                reply.download().get().write(out);
            }
        } else if (reply.status() == 204 || reply.status() == 304) {
            quietly(response.end());
        } else {
            quietly(response.end(Buffer.buffer(reply.body())));
        }
    }

    public void problem(HttpServerRequest request, Problem problem, Optional<BodyStream> body) {
        send(request, problem, Optional.empty(), body);
    }

    /// A fault of ours: logged with a reference that the operator can quote; nothing of it is shown.
    public void failure(HttpServerRequest request, Throwable fault) {
        String reference = Long.toString(FAULTS.incrementAndGet(), 36);
        LOG.error("operator plane: {} {} failed, reference {}", request.method(), request.path(), reference, fault);
        send(
                request,
                new Problem(ProblemType.INTERNAL, "a fault in the server"),
                Optional.of(reference),
                Optional.empty());
    }

    private void send(
            HttpServerRequest request, Problem problem, Optional<String> reference, Optional<BodyStream> body) {
        HttpServerResponse response = request.response();
        if (response.ended() || response.closed()) {
            return;
        }
        if (response.headWritten()) {
            request.connection().close().onFailure(e -> LOG.debug("closing", e)); // a download broke off
            return;
        }
        securityHeaders(response);
        response.setStatusCode(problem.type().status()).putHeader("content-type", "application/problem+json");
        problem.retryAfter().ifPresent(seconds -> response.putHeader("retry-after", Integer.toString(seconds)));
        if (problem.type() == ProblemType.NOT_SIGNED_IN) {
            response.putHeader("www-authenticate", "Bearer");
        }
        finishBody(request, body);
        quietly(response.end(Buffer.buffer(problem.body(reference))));
    }

    /// An answer before the body was read: what is on its way is swallowed up to a limit, so that the client reads the
    /// answer rather than a reset, and an HTTP/1 connection is not used again.
    private static void finishBody(HttpServerRequest request, Optional<BodyStream> body) {
        if (body.isPresent() && body.get().ended()) {
            return;
        }
        HttpServerResponse response = request.response();
        long[] swallowed = {0};
        if (!request.method().name().equals("GET") && request.version() != HttpVersion.HTTP_2) {
            response.putHeader("connection", "close");
        }
        try {
            request.handler(piece -> {
                swallowed[0] += piece.length();
                if (swallowed[0] > DRAINED) {
                    request.connection().close().onFailure(e -> LOG.debug("closing", e));
                }
            });
            request.resume();
        } catch (IllegalStateException alreadyEnded) {
            LOG.trace("nothing left to swallow");
        }
    }

    private static void quietly(Future<Void> done) {
        done.onFailure(e -> LOG.debug("an answer could not be sent: {}", e.getMessage()));
    }

    /// Writes pieces and waits for each, so that a slow client slows the writer and nothing piles up.
    private static final class Pieces extends OutputStream {
        private final HttpServerResponse response;
        private Buffer buffer = Buffer.buffer(PIECE);

        Pieces(HttpServerResponse response) {
            this.response = response;
        }

        @Override
        public void write(int b) throws IOException {
            write(new byte[] {(byte) b}, 0, 1);
        }

        @Override
        public void write(byte[] bytes, int offset, int length) throws IOException {
            buffer.appendBytes(bytes, offset, length);
            if (buffer.length() >= PIECE) {
                Buffer full = buffer;
                buffer = Buffer.buffer(PIECE);
                await(response.write(full));
            }
        }

        @Override
        public void close() throws IOException {
            await(response.end(buffer));
        }

        private static void await(Future<Void> written) throws IOException {
            try {
                written.toCompletionStage().toCompletableFuture().get(30, TimeUnit.SECONDS);
            } catch (ExecutionException | TimeoutException e) {
                throw new IOException("the client does not take the answer", e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IOException("interrupted", e);
            }
        }
    }
}
