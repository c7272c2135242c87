package dev.holdfast.web;

import io.vertx.core.Vertx;
import io.vertx.core.http.HttpConnection;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/// Ends a connection on which no whole request head arrived in time; an idle timeout alone would let a client hold it
/// with one byte now and then.
public final class RequestClock {
    private static final Map<HttpConnection, RequestClock> CLOCKS = new ConcurrentHashMap<>();

    private final Vertx vertx;
    private final HttpConnection connection;
    private final Duration next;
    private long timer;
    private int inWork;

    /// @param first for the first request, @param next for each one after the answer to the one before
    public RequestClock(Vertx vertx, HttpConnection connection, Duration first, Duration next) {
        this.vertx = vertx;
        this.connection = connection;
        this.next = next;
        CLOCKS.put(connection, this);
        start(first);
    }

    /// A whole request head arrived.
    public static void seen(HttpConnection connection) {
        RequestClock clock = CLOCKS.get(connection);
        if (clock != null) {
            synchronized (clock) {
                clock.inWork++;
                clock.vertx.cancelTimer(clock.timer);
            }
        }
    }

    /// The answer to a request was sent, or can't be any more.
    static void answered(HttpConnection connection) {
        RequestClock clock = CLOCKS.get(connection);
        if (clock != null) {
            synchronized (clock) {
                clock.inWork--;
                if (clock.inWork <= 0) {
                    clock.start(clock.next);
                }
            }
        }
    }

    private synchronized void start(Duration after) {
        vertx.cancelTimer(timer);
        timer = vertx.setTimer(after.toMillis(), _ -> connection.close());
    }

    public synchronized void stop() {
        CLOCKS.remove(connection);
        vertx.cancelTimer(timer);
    }
}
