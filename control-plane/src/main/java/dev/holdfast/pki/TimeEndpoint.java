package dev.holdfast.pki;

import dev.holdfast.timestamps.TimeStamping;
import io.vertx.core.buffer.Buffer;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import io.vertx.ext.web.handler.BodyHandler;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;

/// `/tsp`: the time-stamp protocol over HTTP (RFC 3161 section 3.4). As many answers a second as a fleet
/// needs that starts after a power cut, and no more: whoever comes too often is told to come again.
final class TimeEndpoint {
    private static final String QUERY = "application/timestamp-query";
    private static final String REPLY = "application/timestamp-reply";
    private static final int MOST_BODY = 4 * 1024;
    private static final long MOST_A_SECOND = 2_000;
    private static final long SECOND = 1_000_000_000L;

    private final TimeStamping timeStamping;
    /// The second that is counted, and how many it has had, in one number.
    private final AtomicLong spent = new AtomicLong();

    /// How work that signs is done off the event loop.
    interface Workers {
        void work(RoutingContext request, Runnable task);
    }

    TimeEndpoint(TimeStamping timeStamping) {
        this.timeStamping = timeStamping;
    }

    void mount(Router router, Workers workers) {
        router.post("/tsp").handler(BodyHandler.create(false).setBodyLimit(MOST_BODY));
        router.post("/tsp").handler(request -> asked(request, workers));
        router.route("/tsp")
                .handler(request -> request.response()
                        .setStatusCode(405)
                        .putHeader("allow", "POST")
                        .end());
    }

    private void asked(RoutingContext request, Workers workers) {
        String type = request.request().getHeader("content-type");
        if (type == null || !type.strip().equalsIgnoreCase(QUERY)) {
            request.response().setStatusCode(415).end();
            return;
        }
        if (!take(System.nanoTime())) {
            busy(request);
            return;
        }
        Buffer body = request.body().buffer();
        byte[] question = body == null ? new byte[0] : body.getBytes();
        var loop = request.vertx().getOrCreateContext();
        workers.work(request, () -> {
            Optional<byte[]> answer = timeStamping.answer(question);
            loop.runOnContext(_ -> {
                if (request.response().ended() || request.response().closed()) {
                    return;
                }
                if (answer.isEmpty()) {
                    busy(request);
                } else {
                    request.response()
                            .putHeader("content-type", REPLY)
                            .putHeader("cache-control", "no-store")
                            .end(Buffer.buffer(answer.get()));
                }
            });
        });
    }

    private static void busy(RoutingContext request) {
        request.response().setStatusCode(503).putHeader("retry-after", "1").end();
    }

    private boolean take(long nanos) {
        long second = Math.floorDiv(nanos, SECOND) << 20;
        long now = spent.updateAndGet(before -> (before & -(1L << 20)) == second ? before + 1 : second + 1);
        return (now & ((1L << 20) - 1)) <= MOST_A_SECOND;
    }
}
