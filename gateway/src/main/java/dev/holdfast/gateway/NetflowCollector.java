package dev.holdfast.gateway;

import dev.holdfast.protocol.ipfix.FlowRecord;
import dev.holdfast.protocol.ipfix.IpfixDecoder;
import dev.holdfast.protocol.ipfix.MalformedIpfixException;
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
import java.util.Optional;
import java.util.function.Consumer;

/// Takes IPFIX (RFC 7011) from an exporter on this very host (softflowd, for instance): only what comes from loopback
/// to
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
        IpfixDecoder decoder = new IpfixDecoder();
        this.channel = new Bootstrap()
                .group(group)
                .channel(NioDatagramChannel.class)
                .handler(new SimpleChannelInboundHandler<DatagramPacket>() {
                    @Override
                    protected void channelRead0(ChannelHandlerContext context, DatagramPacket packet) {
                        if (packet.sender().getAddress().isLoopbackAddress()) {
                            try {
                                decoder.decode(ByteBufUtil.getBytes(packet.content())).stream()
                                        .flatMap(record -> flow(record).stream())
                                        .forEach(seen);
                            } catch (MalformedIpfixException e) {
                                log.accept("a flow export that can't be read: " + e.getMessage());
                            }
                        }
                    }
                })
                .bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port))
                .sync()
                .channel();
    }

    private static Optional<Flow> flow(FlowRecord record) {
        String protocol = switch (record.protocol()) {
            case 6 -> "tcp";
            case 17 -> "udp";
            default -> "";
        };
        return protocol.isEmpty()
                ? Optional.empty()
                : Optional.of(new Flow(
                        Duty.canonical(record.source().getHostAddress()),
                        record.start(),
                        record.end(),
                        Duty.canonical(record.destination().getHostAddress()),
                        record.destinationPort(),
                        protocol,
                        record.octets(),
                        record.packets()));
    }

    public int port() {
        return ((InetSocketAddress) channel.localAddress()).getPort();
    }

    @Override
    public void close() {
        channel.close().syncUninterruptibly();
    }
}
