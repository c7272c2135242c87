package dev.holdfast.updates;

import dev.holdfast.database.Database;
import dev.holdfast.tls.Problem;
import io.vertx.core.Context;
import io.vertx.ext.web.RoutingContext;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Work that may block, off the event loop: on virtual threads, as many as are allowed, and no queue.
final class Workers implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Workers.class);

    private final Semaphore permits;
    private final ExecutorService threads;

    Workers(String name, int most) {
        this.permits = new Semaphore(most);
        this.threads = Executors.newThreadPerTaskExecutor(
                Thread.ofVirtual().name(name + "-", 0).factory());
    }

    interface Work {
        /// @return what answers the request, run on its event loop
        Runnable run() throws Exception;
    }

    void run(RoutingContext request, Work work) {
        Context loop = request.vertx().getOrCreateContext();
        if (!permits.tryAcquire()) {
            busy(request);
            return;
        }
        var _ = threads.submit(() -> {
            try {
                Runnable answer = work.run();
                loop.runOnContext(_ -> answer.run());
            } catch (Exception e) {
                loop.runOnContext(_ -> failed(request, e));
            } finally {
                permits.release();
            }
        });
    }

    private static void failed(RoutingContext request, Exception e) {
        if (Database.isAway(e)) {
            busy(request);
        } else {
            LOG.error("an update request failed", e);
            Problem.send(request, 500, "failed", "the request failed here", "come back at the next poll");
        }
    }

    static void busy(RoutingContext request) {
        if (!request.response().headWritten()) {
            request.response().putHeader("retry-after", "10");
        }
        Problem.send(request, 503, "busy", "the server can't answer this now", "come back in a while");
    }

    @Override
    public void close() {
        threads.shutdownNow();
        try {
            if (!threads.awaitTermination(5, TimeUnit.SECONDS)) {
                LOG.warn("some update requests did not end in time");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
