package dev.holdfast.tls;

import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BiConsumer;

/// Stands before every listening socket of the device plane: accepts no faster than the rate (what comes faster
/// waits in the kernel's queue), closes what is over the cap at once, and hears of every handshake that fails.
@ChannelHandler.Sharable
final class AcceptGate extends ChannelInboundHandlerAdapter {
    private static final long SHORTEST_PAUSE = 20;
    private final int perSecond;
    private final int most;
    private final BiConsumer<Channel, Throwable> failed;
    private final AtomicLong open = new AtomicLong();
    private final AtomicLong turnedAway = new AtomicLong();
    private double tokens;
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
        long pause = take();
        Channel listening = context.channel();
        if (pause > 0 && listening.config().isAutoRead()) {
            listening.config().setAutoRead(false);
            resume(listening, pause);
        }
    }

    /// Several connections are accepted at once, and several listeners share the rate: how long to wait is seen when
    /// the pause is over.
    private void resume(Channel listening, long pause) {
        var _ = listening
                .eventLoop()
                .schedule(
                        () -> {
                            long more = missing();
                            if (more > 0) {
                                resume(listening, more);
                            } else {
                                listening.config().setAutoRead(true);
                            }
                        },
                        pause,
                        TimeUnit.MILLISECONDS);
    }

    /// @return for how many milliseconds nobody should be accepted
    private synchronized long take() {
        tokens--;
        return missing();
    }

    private synchronized long missing() {
        long now = System.nanoTime();
        tokens = Math.min(perSecond, tokens + (now - refilledNanos) * perSecond / 1e9);
        refilledNanos = now;
        return tokens >= 1 ? 0 : Math.max(SHORTEST_PAUSE, (long) ((1 - tokens) * 1_000 / perSecond));
    }
}
