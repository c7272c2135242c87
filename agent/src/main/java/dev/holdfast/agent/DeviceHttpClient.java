package dev.holdfast.agent;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.EventLoop;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.http.DefaultFullHttpRequest;
import io.netty.handler.codec.http.HttpClientCodec;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslHandler;
import io.netty.util.concurrent.ScheduledFuture;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLPeerUnverifiedException;
import org.jspecify.annotations.Nullable;

/// HTTPS from a device to one server: one connection, opened when needed, closed when idle, one request at a time.
///
/// Everything happens on the device's event loop; every answer is bounded in size and time.
@SuppressWarnings("ReferenceEquality") // the very channel is meant
public final class DeviceHttpClient implements AutoCloseable {
    private final EventLoop loop;
    private final Route route;
    private final Target target;
    private final SslContext tls;
    private final Duration timeout;
    private final Duration idle;
    private final Deque<Exchange> waiting = new ArrayDeque<>();
    private @Nullable Exchange current;
    private @Nullable Channel channel;
    private @Nullable ScheduledFuture<?> idleTimer;
    private boolean connecting;
    private boolean closed;

    /// @param path with query, starting with `/`
    @SuppressWarnings("ArrayRecordComponent") // never compared
    public record Request(HttpMethod method, String path, Map<String, String> headers, byte[] body) {
        public static Request get(String path, Map<String, String> headers) {
            return new Request(HttpMethod.GET, path, headers, new byte[0]);
        }

        public static Request send(HttpMethod method, String path, String contentType, byte[] body) {
            return new Request(method, path, Map.of("content-type", contentType), body);
        }
    }

    /// Gets the answer, piece by piece; exactly one of `end` and `failed` is called, last.
    public interface Receiver {
        /// @return false to stop: `failed` follows
        boolean head(int status, HttpHeaders headers);

        /// @return false to stop: `failed` follows
        boolean body(byte[] piece);

        void end();

        void failed(String reason);
    }

    private static final class Exchange {
        final Request request;
        final Receiver receiver;

        @Nullable
        ScheduledFuture<?> timer;

        boolean begun;
        boolean keepAlive = true;

        Exchange(Request request, Receiver receiver) {
            this.request = request;
            this.receiver = receiver;
        }
    }

    /// @param timeout for connecting, and for each pause in an exchange
    /// @param idle how long an unused connection is kept
    public DeviceHttpClient(
            EventLoop loop, Route route, Target target, SslContext tls, Duration timeout, Duration idle) {
        this.loop = loop;
        this.route = route;
        this.target = target;
        this.tls = tls;
        this.timeout = timeout;
        this.idle = idle;
    }

    public Target target() {
        return target;
    }

    /// What the server has shown on the connection that is open now, its own first; empty where none is. On
    /// the event loop only.
    List<X509Certificate> serverChain() {
        Channel open = channel;
        SslHandler tls = open == null ? null : open.pipeline().get(SslHandler.class);
        try {
            if (tls == null) {
                return List.of();
            }
            List<X509Certificate> chain = new ArrayList<>();
            for (Certificate certificate : tls.engine().getSession().getPeerCertificates()) {
                chain.add((X509Certificate) certificate);
            }
            return chain;
        } catch (SSLPeerUnverifiedException nobody) {
            return List.of();
        }
    }

    public void send(Request request, Receiver receiver) {
        if (!loop.inEventLoop()) {
            loop.execute(() -> send(request, receiver));
            return;
        }
        if (closed) {
            receiver.failed("the client is closed");
            return;
        }
        waiting.add(new Exchange(request, receiver));
        advance();
    }

    private void advance() {
        if (current != null || connecting || waiting.isEmpty() || closed) {
            return;
        }
        if (idleTimer != null) {
            idleTimer.cancel(false);
            idleTimer = null;
        }
        Channel open = channel;
        if (open != null && open.isActive()) {
            write(open);
        } else {
            connect();
        }
    }

    private void connect() {
        connecting = true;
        var dialled = Dialer.dial(
                loop, route, target, tls, timeout, List.of(new HttpClientCodec(4096, 16_384, 16_384), new Answers()));
        dialled.addListener((ChannelFutureListener) done -> {
            if (!done.isSuccess()) {
                connecting = false;
                failNext("can't connect to " + target + ": " + done.cause().getMessage());
                return;
            }
            Channel fresh = done.channel();
            fresh.pipeline().get(SslHandler.class).handshakeFuture().addListener(handshake -> {
                connecting = false;
                if (!handshake.isSuccess()) {
                    failNext("TLS with " + target + " failed: "
                            + handshake.cause().getMessage());
                    return;
                }
                channel = fresh;
                advance();
            });
        });
    }

    private void failNext(String reason) {
        Exchange next = waiting.poll();
        if (next != null) {
            next.receiver.failed(reason);
        }
        advance();
    }

    private void write(Channel open) {
        Exchange exchange = waiting.remove();
        current = exchange;
        Request request = exchange.request;
        ByteBuf body = Unpooled.wrappedBuffer(request.body());
        DefaultFullHttpRequest message =
                new DefaultFullHttpRequest(HttpVersion.HTTP_1_1, request.method(), request.path(), body);
        message.headers().set(HttpHeaderNames.HOST, target.toString());
        request.headers().forEach(message.headers()::set);
        if (request.body().length > 0 || request.method() != HttpMethod.GET) {
            message.headers().set(HttpHeaderNames.CONTENT_LENGTH, request.body().length);
        }
        rearm(exchange);
        open.writeAndFlush(message).addListener(ChannelFutureListener.CLOSE_ON_FAILURE);
    }

    private void rearm(Exchange exchange) {
        if (exchange.timer != null) {
            exchange.timer.cancel(false);
        }
        exchange.timer = loop.schedule(
                () -> fail("no answer from " + target + " within " + timeout.toSeconds() + " s"),
                timeout.toMillis(),
                TimeUnit.MILLISECONDS);
    }

    private void fail(String reason) {
        Exchange failed = current;
        current = null;
        closeChannel();
        if (failed != null) {
            if (failed.timer != null) {
                failed.timer.cancel(false);
            }
            failed.receiver.failed(reason);
        }
        advance();
    }

    private void finish() {
        Exchange done = current;
        if (done == null) {
            return;
        }
        current = null;
        if (done.timer != null) {
            done.timer.cancel(false);
        }
        if (!done.keepAlive) {
            closeChannel();
        }
        done.receiver.end();
        if (current == null && waiting.isEmpty() && channel != null) {
            idleTimer = loop.schedule(this::closeChannel, idle.toMillis(), TimeUnit.MILLISECONDS);
        }
        advance();
    }

    private void closeChannel() {
        Channel open = channel;
        channel = null;
        if (open != null) {
            open.close().addListener(_ -> {});
        }
    }

    @Override
    public void close() {
        if (!loop.inEventLoop()) {
            loop.execute(this::close);
            return;
        }
        closed = true;
        if (idleTimer != null) {
            idleTimer.cancel(false);
        }
        fail("the client is closed");
        while (!waiting.isEmpty()) {
            waiting.remove().receiver.failed("the client is closed");
        }
    }

    private final class Answers extends SimpleChannelInboundHandler<HttpObject> {
        @Override
        protected void channelRead0(ChannelHandlerContext context, HttpObject message) {
            Exchange exchange = current;
            if (exchange == null || context.channel() != channel) {
                context.close().addListener(_ -> {});
                return;
            }
            if (message.decoderResult().isFailure()) {
                fail("the answer is not HTTP");
                return;
            }
            rearm(exchange);
            if (message instanceof HttpResponse response) {
                if (response.status().code() < 200) {
                    return;
                }
                exchange.begun = true;
                exchange.keepAlive = HttpUtil.isKeepAlive(response);
                if (!exchange.receiver.head(response.status().code(), response.headers())) {
                    fail("the answer was refused");
                    return;
                }
            }
            if (message instanceof HttpContent content && exchange.begun) {
                if (content.content().isReadable()
                        && !exchange.receiver.body(ByteBufUtil.getBytes(content.content()))) {
                    fail("the answer was refused");
                    return;
                }
                if (content instanceof LastHttpContent) {
                    finish();
                }
            }
        }

        @Override
        public void channelInactive(ChannelHandlerContext context) {
            if (context.channel() == channel) {
                channel = null;
                if (current != null) {
                    fail("the connection to " + target + " was closed");
                }
            }
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            if (context.channel() == channel && current != null) {
                fail("the connection to " + target + " broke: " + cause.getMessage());
            } else {
                context.close().addListener(_ -> {});
            }
        }
    }
}
