package dev.holdfast.web;

import dev.holdfast.core.Environment;
import io.vertx.core.Context;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// One page that listens. When it does not read, what waits for it is bounded: it misses events, and is told to
/// fetch again as soon as it reads.
public final class StreamClient {
    private static final Logger LOG = LoggerFactory.getLogger(StreamClient.class);
    private static final int MOST_WAITING_BYTES = 1 << 20;

    private final HttpServerRequest request;
    private final HttpServerResponse response;
    private final Context context;
    private final Environment environment;
    private final boolean journal;
    private final Consumer<StreamClient> gone;
    private boolean behind;
    private long lastNumber;

    public StreamClient(
            HttpServerRequest request,
            Context context,
            Environment environment,
            boolean journal,
            Consumer<StreamClient> gone) {
        this.request = request;
        this.response = request.response();
        this.context = context;
        this.environment = environment;
        this.journal = journal;
        this.gone = gone;
    }

    public Environment environment() {
        return environment;
    }

    public boolean wantsJournal() {
        return journal;
    }

    /// @param until the credential is no good after it, so the stream ends and the page signs in again
    public void begin(Instant until, Instant now) {
        response.setWriteQueueMaxSize(MOST_WAITING_BYTES);
        response.closeHandler(_ -> gone.accept(this));
        response.exceptionHandler(_ -> gone.accept(this));
        context.runOnContext(_ -> {
            request.resume();
            response.setChunked(true)
                    .putHeader("content-type", "text/event-stream; charset=utf-8")
                    .putHeader("cache-control", "no-store")
                    .putHeader("x-accel-buffering", "no");
            response.drainHandler(_ -> caughtUp());
            Duration left = Duration.between(now, until);
            context.owner().setTimer(Math.clamp(left.toMillis(), 1_000, 24 * 3_600_000L), _ -> end());
        });
    }

    public void send(String event, long number, Fields data) {
        String text = new String(data.bytes(), StandardCharsets.UTF_8);
        context.runOnContext(_ -> write(event, number, text));
    }

    private void write(String event, long number, String data) {
        if (response.ended() || response.closed()) {
            gone.accept(this);
            return;
        }
        lastNumber = Math.max(lastNumber, number);
        if (behind || response.writeQueueFull()) {
            behind = true;
            return;
        }
        response.write("event: " + event + "\nid: " + lastNumber + "\ndata: " + data + "\n\n")
                .onFailure(e -> LOG.debug("a page went away: {}", e.getMessage()));
    }

    private void caughtUp() {
        if (behind) {
            behind = false;
            resync(lastNumber);
        }
    }

    public void resync(long number) {
        send(
                "hello",
                number,
                Fields.of("journal", number)
                        .with("environment", environment.value())
                        .with("resync", true));
    }

    /// Keeps the connection from looking idle.
    public void comment() {
        context.runOnContext(_ -> {
            if (!response.ended() && !response.closed() && !response.writeQueueFull()) {
                response.write(": still here\n\n").onFailure(e -> LOG.debug("a page went away: {}", e.getMessage()));
            }
        });
    }

    public void end() {
        context.runOnContext(_ -> {
            if (!response.ended() && !response.closed()) {
                response.end().onFailure(e -> LOG.debug("a page went away: {}", e.getMessage()));
            }
        });
        gone.accept(this);
    }
}
