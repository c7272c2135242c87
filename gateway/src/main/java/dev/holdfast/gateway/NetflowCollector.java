package dev.holdfast.gateway;

import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBufUtil;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.socket.DatagramPacket;
import io.netty.channel.socket.nio.NioDatagramChannel;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.function.Consumer;

/// Takes flows from an exporter on this very host (softflowd, for instance): only what comes from loopback to
/// loopback is believed, since UDP proves nothing about its sender.
public final class NetflowCollector implements AutoCloseable {
    private final Channel channel;

    /// @param port 0 for any
    public static NetflowCollector open(EventLoopGroup group, int port, Consumer<Flow> seen, Consumer<String> log)
            throws InterruptedException {
        return new NetflowCollector(group, port, seen, log);
    }

    private NetflowCollector(EventLoopGroup group, int port, Consumer<Flow> seen, Consumer<String> log)
            throws InterruptedException {
        NetflowDecoder decoder = new NetflowDecoder();
        this.channel = new Bootstrap()
                .group(group)
                .channel(NioDatagramChannel.class)
                .handler(new SimpleChannelInboundHandler<DatagramPacket>() {
                    @Override
                    protected void channelRead0(ChannelHandlerContext context, DatagramPacket packet) {
                        if (packet.sender().getAddress().isLoopbackAddress()) {
                            try {
                                decoder.decode(ByteBufUtil.getBytes(packet.content()))
                                        .forEach(seen);
                            } catch (NetflowDecoder.MalformedException e) {
                                log.accept("a flow export that can't be read: " + e.getMessage());
                            }
                        }
                    }
                })
                .bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port))
                .sync()
                .channel();
    }

    public int port() {
        return ((InetSocketAddress) channel.localAddress()).getPort();
    }

    @Override
    public void close() {
        channel.close().syncUninterruptibly();
    }
}
