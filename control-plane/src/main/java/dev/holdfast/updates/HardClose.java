package dev.holdfast.updates;

import io.netty.channel.Channel;
import io.netty.channel.ChannelOption;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.net.impl.VertxConnection;

/// Ends a connection so that nothing that is still queued leaves: not in our buffers, not in the kernel's.
///
/// A polite close would first send what is queued, at the pace of the peer. Linger 0 makes the kernel drop its send
/// buffer and reset the connection.
final class HardClose {
    private HardClose() {}

    /// May be called on any thread.
    static void of(HttpConnection connection) {
        if (connection instanceof VertxConnection internal) {
            Channel channel = internal.channel();
            channel.eventLoop().execute(() -> {
                if (channel.isOpen()) {
                    channel.config().setOption(ChannelOption.SO_LINGER, 0);
                    channel.unsafe().close(channel.voidPromise());
                }
            });
        } else {
            var _ = connection.close();
        }
    }
}
