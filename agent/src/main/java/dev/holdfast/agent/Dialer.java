package dev.holdfast.agent;

import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.proxy.HttpProxyHandler;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslHandler;
import io.netty.resolver.DefaultAddressResolverGroup;
import io.netty.resolver.NoopAddressResolverGroup;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.time.Duration;
import java.util.List;

/// Opens TLS connections along the device's route, on the device's own event loop.
final class Dialer {
    private Dialer() {}

    /// @param handlers added behind TLS, in order
    static ChannelFuture dial(
            EventLoop loop,
            Route route,
            Target target,
            SslContext tls,
            Duration timeout,
            List<ChannelHandler> handlers) {
        int millis = (int) Math.min(Integer.MAX_VALUE, timeout.toMillis());
        Bootstrap bootstrap = new Bootstrap()
                .group(loop)
                .channel(NioSocketChannel.class)
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, millis)
                .option(ChannelOption.TCP_NODELAY, true)
                .handler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        route.via().ifPresent(proxy -> {
                            HttpProxyHandler handler = new HttpProxyHandler(proxy);
                            handler.setConnectTimeoutMillis(millis);
                            channel.pipeline().addLast(handler);
                        });
                        SslHandler handshake = tls.newHandler(channel.alloc(), target.host(), target.port());
                        handshake.setHandshakeTimeoutMillis(millis);
                        channel.pipeline().addLast("tls", handshake);
                        handlers.forEach(channel.pipeline()::addLast);
                    }
                });
        // Behind a proxy the name is the proxy's to resolve.
        if (route.via().isPresent()) {
            bootstrap.resolver(NoopAddressResolverGroup.INSTANCE);
        } else {
            bootstrap.resolver(DefaultAddressResolverGroup.INSTANCE);
        }
        SocketAddress remote = InetSocketAddress.createUnresolved(target.host(), target.port());
        return route.from().isPresent()
                ? bootstrap.connect(remote, new InetSocketAddress(route.from().get(), 0))
                : bootstrap.connect(remote);
    }
}
