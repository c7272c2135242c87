package dev.holdfast.tls;

import dev.holdfast.database.Database;
import io.vertx.core.Context;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClosedException;
import io.vertx.ext.web.Route;
import io.vertx.ext.web.RoutingContext;
import io.vertx.ext.web.handler.BodyHandler;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// What a protocol of the device plane does around its own work: the cap on bodies, their media type, a bounded
/// number of places off the event loop, and what is said of a request that failed.
public final class RequestIntake {
    private static final Logger LOG = LoggerFactory.getLogger(RequestIntake.class);
    private static final int RETRY_BUSY_SECONDS = 2;
    private static final int RETRY_FAILED_SECONDS = 10;

    private final String protocol;
    private final int mostKibibytes;
    private final String form;
    private final Semaphore places;

    /// @param protocol as the log names it
    /// @param mostKibibytes of a body
    /// @param form where it is said what requests are like, for those that can't be read
    /// @param places how many requests may be worked on at once
    public RequestIntake(String protocol, int mostKibibytes, String form, int places) {
        this.protocol = protocol;
        this.mostKibibytes = mostKibibytes;
        this.form = form;
        this.places = new Semaphore(places);
    }

    /// Why there is no answer of the protocol's own, as an RFC 9457 problem says it.
    ///
    /// @param title the cause, the same for every occurrence
    public record Failure(int status, String type, String title, String detail) {
        void send(RoutingContext request) {
            Problem.send(request, status, type, title, detail);
        }
    }

    /// Before the protocol's own handlers: bodies are read, up to the cap.
    public void reads(Route route) {
        route.handler(BodyHandler.create(false).setBodyLimit(mostKibibytes * 1024L));
    }

    /// After them: a failure is told as a problem.
    public void fails(Route route) {
        fails(route, Failure::send);
    }

    /// After them: a failure is told in the protocol's own form.
    public void fails(Route route, Telling telling) {
        route.failureHandler(request -> failure(request).ifPresent(it -> telling.tell(it, request)));
    }

    /// How a protocol tells of a failure.
    @FunctionalInterface
    public interface Telling {
        void tell(Failure failure, RoutingContext request);
    }

    public static byte[] body(RoutingContext request) {
        Buffer body = request.body().buffer();
        return body == null ? new byte[0] : body.getBytes();
    }

    /// Whether the body is said to be of this type, whatever its parameters.
    public static boolean hasType(RoutingContext request, String type) {
        String said = Optional.ofNullable(request.request().getHeader("content-type"))
                .orElse("")
                .toLowerCase(Locale.ROOT);
        return said.equals(type) || said.startsWith(type + ";");
    }

    /// As [#work], where a full house is told as a problem.
    public void work(RoutingContext request, Supplier<Runnable> work) {
        work(request, work, Failure::send);
    }

    /// Does what blocks on a thread of its own; what it returns is run on the request's event loop.
    public void work(RoutingContext request, Supplier<Runnable> work, Telling full) {
        if (!places.tryAcquire()) {
            request.response().putHeader("retry-after", Integer.toString(RETRY_BUSY_SECONDS));
            full.tell(new Failure(503, "busy", "too many requests at once", "try again shortly"), request);
            return;
        }
        Context loop = request.vertx().getOrCreateContext();
        var _ = Thread.ofVirtual().name(protocol).start(() -> {
            try {
                Runnable answer = work.get();
                loop.runOnContext(_ -> answer.run());
            } catch (RuntimeException | Error e) { // whatever it is, nobody waits for ever
                loop.runOnContext(_ -> request.fail(e));
            } finally {
                places.release();
            }
        });
    }

    /// 1. A client that is gone is told nothing. 2. A body that is too large ends the connection, as the rest
    /// of it is not read. 3. What is the client's fault. 4. What is ours: logged under a reference.
    private Optional<Failure> failure(RoutingContext request) {
        if (request.failure() instanceof HttpClosedException) {
            return Optional.empty();
        }
        int status = request.statusCode();
        if (status == 413) {
            request.response().putHeader("connection", "close");
            return Optional.of(new Failure(
                    413, "request-too-large", "the body is too large", "at most " + mostKibibytes + " KiB"));
        }
        if (status >= 400 && status < 500) {
            return Optional.of(new Failure(status, "bad-request", "the request can't be read", form));
        }
        String reference = Integer.toHexString(System.identityHashCode(request));
        LOG.error("{} request failed, reference {}", protocol, reference, request.failure());
        boolean away = request.failure() != null && Database.isAway(request.failure());
        request.response().putHeader("retry-after", Integer.toString(RETRY_FAILED_SECONDS));
        return Optional.of(new Failure(
                503,
                away ? "database-away" : "internal-error",
                "it can't be decided now",
                "try again; the operator finds the cause under reference " + reference));
    }
}
