package dev.holdfast.tls;

import dev.holdfast.config.Configuration;
import io.netty.channel.Channel;
import io.netty.handler.ssl.NotSslRecordException;
import io.netty.handler.ssl.SslHandshakeTimeoutException;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.file.FileSystemOptions;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.channels.ClosedChannelException;
import java.time.InstantSource;
import java.util.HashSet;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/// The event loops of the device plane: its own, so that nothing devices do can slow the operators' pages.
/// Every listener for devices is opened on [#vertx], and so stands behind the same limits.
public final class DevicePlane implements AutoCloseable {
    private final Vertx vertx;
    private final AcceptGate gate;
    private final HandshakeFailures failures = new HandshakeFailures();
    private final RequestWatch watch;
    private final InstantSource clock;
    private final AtomicInteger freePorts = new AtomicInteger();

    public DevicePlane(Configuration.Limits limits, InstantSource clock) {
        this.clock = clock;
        this.gate = new AcceptGate(limits.handshakesPerSecond(), limits.sessions(), this::failed);
        // Without Vert.x's cache of files: each kill of the server would leave it behind in /tmp.
        this.vertx = Vertx.builder()
                .with(new VertxOptions()
                        .setPreferNativeTransport(false)
                        .setFileSystemOptions(new FileSystemOptions()
                                .setClassPathResolvingEnabled(false)
                                .setFileCachingEnabled(false)))
                .withTransport(new GatedTransport(gate))
                .build();
        this.watch = new RequestWatch(limits.idleTimeout(), limits.requestTimeout());
        vertx.setPeriodic(1_000, _ -> watch.sweep());
    }

    public Vertx vertx() {
        return vertx;
    }

    /// Why handshakes failed lately.
    public HandshakeFailures failures() {
        return failures;
    }

    /// What HTTP listeners for devices give their connections to.
    public RequestWatch watch() {
        return watch;
    }

    /// Connections of HTTP listeners that are known now.
    public int watched() {
        return watch.size();
    }

    /// Connections that are open now, half-open ones included, over all listeners.
    public long connections() {
        return gate.open();
    }

    /// Connections closed at once because there were too many already.
    public long turnedAway() {
        return gate.turnedAway();
    }

    /// How many event loops listeners should be spread over.
    public static int eventLoops() {
        return Math.max(2, Runtime.getRuntime().availableProcessors());
    }

    /// What to give Vert.x as the port of a listener that is spread over several event loops. For "any free
    /// port" that is a negative number, another one for each listener: Vert.x takes those with the same one for
    /// instances of a single listener.
    public int vertxPort(int configured) {
        return configured == 0 ? freePorts.decrementAndGet() : configured;
    }

    /// What is said when a listener can't be opened: which, where, why, and the setting that helps.
    ///
    /// @param key of its settings under `listeners`
    public static IOException notOpened(String what, String key, Configuration.Listener address, Exception cause) {
        String variable = key.replaceAll("([A-Z])", "_$1").toUpperCase(Locale.ROOT);
        return new IOException(
                "the " + what + " listener can't be opened on " + address.host() + ":" + address.port() + ": "
                        + cause.getMessage() + "; set listeners." + key + ".port (or HOLDFAST_LISTENERS_" + variable
                        + "_PORT) to a free one, 0 for any",
                cause);
    }

    private void failed(Channel channel, Throwable error) {
        String remote = channel.remoteAddress() instanceof InetSocketAddress address
                ? address.getAddress().getHostAddress() + ":" + address.getPort()
                : "";
        ClassifyingTrustManager.UnknownChain chain = find(error, ClassifyingTrustManager.UnknownChain.class, 0);
        failures.add(
                chain != null
                        ? new HandshakeFailure(
                                clock.instant(), remote, chain.reason(), detail(chain), chain.subject(), chain.serial())
                        : new HandshakeFailure(clock.instant(), remote, cause(error), detail(error), "", ""));
    }

    private static HandshakeFailure.Cause cause(Throwable error) {
        if (find(error, SslHandshakeTimeoutException.class, 0) != null) {
            return HandshakeFailure.Cause.TIMED_OUT;
        }
        if (find(error, NotSslRecordException.class, 0) != null) {
            return HandshakeFailure.Cause.NOT_TLS;
        }
        if (find(error, ClosedChannelException.class, 0) != null) {
            return HandshakeFailure.Cause.CLOSED_BY_CLIENT;
        }
        String text = detail(error).toUpperCase(Locale.ROOT);
        if (text.contains("ALERT") && (text.contains("CERTIFICATE") || text.contains("UNKNOWN_CA"))) {
            return HandshakeFailure.Cause.CLIENT_REJECTED_OUR_CERTIFICATE;
        }
        if (text.contains("HTTP_REQUEST") || text.contains("WRONG_VERSION_NUMBER")) {
            return HandshakeFailure.Cause.NOT_TLS;
        }
        return HandshakeFailure.Cause.PROTOCOL_ERROR;
    }

    private static String detail(Throwable error) {
        String message = error.getMessage();
        return ClassifyingTrustManager.safe(
                message == null || message.isBlank() ? error.getClass().getSimpleName() : message);
    }

    private static <T extends Throwable> @Nullable T find(@Nullable Throwable error, Class<T> type, int depth) {
        if (error == null || depth > 8) {
            return null;
        }
        if (type.isInstance(error)) {
            return type.cast(error);
        }
        T inCause = find(error.getCause(), type, depth + 1);
        if (inCause != null) {
            return inCause;
        }
        for (Throwable suppressed : error.getSuppressed()) {
            T inSuppressed = find(suppressed, type, depth + 1);
            if (inSuppressed != null) {
                return inSuppressed;
            }
        }
        return null;
    }

    static final Set<String> PROTOCOLS = new HashSet<>(Set.of("TLSv1.3", "TLSv1.2"));

    @Override
    public void close() {
        try {
            vertx.close().await(10, TimeUnit.SECONDS);
        } catch (java.util.concurrent.TimeoutException e) {
            throw new CompletionException("the device plane did not close in time", e);
        }
    }
}
