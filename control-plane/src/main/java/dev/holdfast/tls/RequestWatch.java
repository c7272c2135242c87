package dev.holdfast.tls;

import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.RoutingContext;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;

/// The connections of an HTTP listener that strangers reach, and what each is doing: a request whose body has
/// not come within the request timeout is ended, and so is a connection that sends no whole request head for
/// longer than the idle timeout. Dripping octets does not count as activity, which an idle timeout alone would
/// take it for.
///
/// It has each connection's only close handler (Vert.x keeps one); others that must know ask [#onClose].
public final class RequestWatch {
    private static final String CONNECTION = "holdfast.connection";

    private final Duration idle;
    private final Duration request;
    private final Map<HttpConnection, Connection> connections = new ConcurrentHashMap<>();

    private static final class Connection {
        final PeerIdentity peer;
        final Queue<Runnable> closing = new ConcurrentLinkedQueue<>();
        volatile long since = System.nanoTime();
        volatile Phase phase = Phase.WAITING;

        Connection(PeerIdentity peer) {
            this.peer = peer;
        }

        void enter(Phase next) {
            since = System.nanoTime();
            phase = next;
        }
    }

    private enum Phase {
        /// For a whole request's head.
        WAITING,
        /// For the rest of its body.
        RECEIVING,
        ANSWERING
    }

    RequestWatch(Duration idle, Duration request) {
        this.idle = idle;
        this.request = request;
    }

    public void opened(HttpConnection connection, PeerIdentity peer) {
        Connection fresh = new Connection(peer);
        connections.put(connection, fresh);
        connection.closeHandler(_ -> {
            connections.remove(connection);
            fresh.closing.forEach(Runnable::run);
        });
    }

    /// A whole request head came.
    ///
    /// @return who sent it; empty for a connection that is not known, which is nobody
    public Optional<PeerIdentity> begin(RoutingContext context) {
        Connection connection = connections.get(context.request().connection());
        if (connection == null) {
            return Optional.empty();
        }
        context.put(CONNECTION, connection);
        connection.enter(Phase.RECEIVING);
        context.request().end().onSuccess(_ -> {
            if (connection.phase == Phase.RECEIVING) {
                connection.enter(Phase.ANSWERING);
            }
        });
        context.addEndHandler(_ -> connection.enter(Phase.WAITING));
        return Optional.of(connection.peer);
    }

    /// As [#begin(RoutingContext)], for a request that is answered without a router, at once when it has come.
    public void begin(HttpServerRequest request) {
        enter(request, Phase.RECEIVING);
    }

    /// The request has its answer.
    public void answered(HttpServerRequest request) {
        enter(request, Phase.WAITING);
    }

    private void enter(HttpServerRequest request, Phase phase) {
        Connection connection = connections.get(request.connection());
        if (connection != null) {
            connection.enter(phase);
        }
    }

    /// Runs it when the connection of this request has ended; to be called on its event loop, while it is open.
    public static void onClose(RoutingContext context, Runnable then) {
        Connection connection = context.get(CONNECTION);
        if (connection == null) {
            throw new IllegalStateException("the request came by no watched listener");
        }
        connection.closing.add(then);
    }

    int size() {
        return connections.size();
    }

    /// Ends those that are over their time; called every second.
    void sweep() {
        long now = System.nanoTime();
        connections.forEach((connection, state) -> {
            long nanos = now - state.since;
            boolean over = switch (state.phase) {
                case WAITING -> nanos > idle.toNanos();
                case RECEIVING -> nanos > request.toNanos();
                case ANSWERING -> false;
            };
            if (over) {
                var _ = connection.close();
            }
        });
    }

    /// Ends them all.
    void closeAll() {
        connections.keySet().forEach(connection -> {
            var _ = connection.close();
        });
    }
}
