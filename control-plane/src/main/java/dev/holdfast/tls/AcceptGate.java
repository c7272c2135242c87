package dev.holdfast.tls;

import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.ssl.SslHandler;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BiConsumer;

/// Stands before every listening socket of the device plane: accepts no faster than the rate (what comes faster
/// waits
/// in the kernel's queue), closes what is over the cap at once, and hears of every handshake that fails.
@ChannelHandler.Sharable
final class AcceptGate extends ChannelInboundHandlerAdapter {
    private static final long PAUSE_MILLIS = 20;
    private final int perSecond;
    private final int most;
    private final BiConsumer<Channel, Throwable> failed;
    private final AtomicLong open = new AtomicLong();
    private final AtomicLong turnedAway = new AtomicLong();
    private long tokens;
    private long refilledNanos = System.nanoTime();

    /// @param most connections at the same time, over all listeners, half-open ones included
    /// @param failed called on the connection's event loop
    AcceptGate(int perSecond, int most, BiConsumer<Channel, Throwable> failed) {
        this.perSecond = perSecond;
        this.most = most;
        this.failed = failed;
        this.tokens = perSecond;
    }

    long open() {
        return open.get();
    }

    long turnedAway() {
        return turnedAway.get();
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        Channel accepted = (Channel) message;
        if (open.get() >= most) {
            turnedAway.incrementAndGet();
            accepted.unsafe().closeForcibly();
            return;
        }
        open.incrementAndGet();
        accepted.closeFuture().addListener(_ -> open.decrementAndGet());
        accepted.pipeline().addLast(new HandshakeTap(failed));
        context.fireChannelRead(accepted);
        if (!take()) {
            Channel listening = context.channel();
            listening.config().setAutoRead(false);
            var _ = listening
                    .eventLoop()
                    .schedule(() -> listening.config().setAutoRead(true), PAUSE_MILLIS, TimeUnit.MILLISECONDS);
        }
    }

    private synchronized boolean take() {
        long now = System.nanoTime();
        long fresh = (now - refilledNanos) * perSecond / 1_000_000_000L;
        if (fresh > 0) {
            tokens = Math.min(perSecond, tokens + fresh);
            refilledNanos = now;
        }
        tokens--;
        return tokens > 0;
    }

    /// At the first octets of a connection, which come after its TLS handler was put in place, asks that
    /// handler to
    /// tell how the handshake ends; then leaves the pipeline.
    private static final class HandshakeTap extends ChannelInboundHandlerAdapter {
        private final BiConsumer<Channel, Throwable> failed;

        HandshakeTap(BiConsumer<Channel, Throwable> failed) {
            this.failed = failed;
        }

        @Override
        public void channelRead(ChannelHandlerContext context, Object message) {
            SslHandler tls = context.pipeline().get(SslHandler.class);
            if (tls != null) {
                Channel channel = context.channel();
                tls.handshakeFuture().addListener(done -> {
                    if (!done.isSuccess()) {
                        failed.accept(channel, done.cause());
                    }
                });
            }
            context.pipeline().remove(this);
            context.fireChannelRead(message);
        }
    }
}
