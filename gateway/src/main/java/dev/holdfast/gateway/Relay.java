package dev.holdfast.gateway;

import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.handler.timeout.ReadTimeoutHandler;
import io.netty.util.ReferenceCountUtil;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.time.InstantSource;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// The way of the devices into the world: an HTTP CONNECT proxy (RFC 9110 section 9.3.6) that speaks to the
/// destination from the device's own address, counts what passes, and stops what an isolated device may not do.
///
/// Flows come from the bytes relayed and from nothing else.
public final class Relay implements AutoCloseable {
    private static final int CONNECT_MILLIS = 5_000;
    private static final int MOST_TUNNELS_PER_DEVICE = 256;

    private final InstantSource clock;
    private final Consumer<Flow> seen;
    private final Map<String, Set<Tunnel>> tunnels = new ConcurrentHashMap<>();
    private final Channel listener;
    private volatile Duty duty = Duty.NONE;

    /// @param seen gets each piece of traffic, on an event loop
    public static Relay open(EventLoopGroup group, InetSocketAddress listen, InstantSource clock, Consumer<Flow> seen)
            throws InterruptedException {
        return new Relay(group, listen, clock, seen);
    }

    private Relay(EventLoopGroup group, InetSocketAddress listen, InstantSource clock, Consumer<Flow> seen)
            throws InterruptedException {
        this.clock = clock;
        this.seen = seen;
        this.listener = new ServerBootstrap()
                .group(group)
                .channel(NioServerSocketChannel.class)
                .option(ChannelOption.SO_BACKLOG, 4096)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childOption(ChannelOption.AUTO_READ, true)
                .childHandler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        channel.pipeline()
                                .addLast("patience", new ReadTimeoutHandler(10))
                                .addLast("http", new HttpServerCodec(1024, 4096, 4096))
                                .addLast("asked", new Asked());
                    }
                })
                .bind(listen)
                .sync()
                .channel();
    }

    public int port() {
        return ((InetSocketAddress) listener.localAddress()).getPort();
    }

    /// Puts the duty in force: from now on nothing new is let through that it does not permit, and what is open and
    /// not permitted is cut before this returns to its event loops.
    ///
    /// @return how many connections were cut
    public int enforce(Duty now) {
        duty = now;
        int cut = 0;
        for (String source : now.isolated().keySet()) {
            for (Tunnel tunnel : tunnels.getOrDefault(source, Set.of())) {
                if (!now.permits(source, tunnel.destination, tunnel.port)) {
                    tunnel.cut();
                    cut++;
                }
            }
        }
        return cut;
    }

    @Override
    public void close() {
        listener.close().syncUninterruptibly();
        tunnels.values().forEach(all -> all.forEach(Tunnel::cut));
    }

    private void note(Tunnel tunnel, long octets, long packets) {
        var now = clock.instant();
        seen.accept(new Flow(tunnel.source, now, now, tunnel.destination, tunnel.port, "tcp", octets, packets));
    }

    /// Waits for one CONNECT; then the HTTP is over and bytes pass.
    private final class Asked extends ChannelInboundHandlerAdapter {
        private @Nullable Tunnel tunnel;

        @Override
        public void channelRead(ChannelHandlerContext context, Object message) {
            try {
                if (message instanceof HttpObject http && http.decoderResult().isFailure()) {
                    refuse(context, HttpResponseStatus.BAD_REQUEST);
                } else if (message instanceof HttpRequest request) {
                    if (request.method().equals(HttpMethod.CONNECT) && tunnel == null) {
                        ask(context, request.uri());
                    } else {
                        refuse(context, HttpResponseStatus.METHOD_NOT_ALLOWED);
                    }
                } else if (!(message instanceof LastHttpContent)) {
                    refuse(context, HttpResponseStatus.BAD_REQUEST);
                }
            } finally {
                ReferenceCountUtil.release(message);
            }
        }

        private void ask(ChannelHandlerContext context, String authority) {
            int colon = authority.lastIndexOf(':');
            String port = colon < 1 ? "" : authority.substring(colon + 1);
            String host = colon < 1
                    ? ""
                    : authority.substring(0, colon).replace("[", "").replace("]", "");
            if (!Duty.isAddress(host) || !port.matches("[1-9]\\d{0,4}") || Integer.parseInt(port) > 65_535) {
                // Names would have to be looked up, and a look-up is a way out that no flow shows.
                refuse(context, HttpResponseStatus.BAD_REQUEST);
                return;
            }
            InetAddress from = ((InetSocketAddress) context.channel().remoteAddress()).getAddress();
            Tunnel fresh = new Tunnel(
                    context.channel(),
                    Duty.canonical(from.getHostAddress()),
                    Duty.canonical(host),
                    Integer.parseInt(port));
            tunnel = fresh;
            // An attempt is one packet, whether anything answers or not: a scan is made of attempts.
            note(fresh, 0, 1);
            Set<Tunnel> mine = tunnels.computeIfAbsent(fresh.source, _ -> ConcurrentHashMap.newKeySet());
            if (mine.size() >= MOST_TUNNELS_PER_DEVICE) {
                refuse(context, HttpResponseStatus.TOO_MANY_REQUESTS);
                return;
            }
            mine.add(fresh);
            context.channel().closeFuture().addListener(_ -> {
                mine.remove(fresh);
                fresh.cut();
            });
            // Listed first and judged after: an isolation between the two still finds it.
            if (!duty.permits(fresh.source, fresh.destination, fresh.port)) {
                refuse(context, HttpResponseStatus.FORBIDDEN);
                return;
            }
            fresh.connect(from, context);
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            context.close().addListener(_ -> {});
        }
    }

    private static void refuse(ChannelHandlerContext context, HttpResponseStatus status) {
        DefaultFullHttpResponse response = new DefaultFullHttpResponse(HttpVersion.HTTP_1_1, status);
        response.headers().set("content-length", 0).set("connection", "close");
        context.writeAndFlush(response).addListener(ChannelFutureListener.CLOSE);
    }

    private final class Tunnel {
        private final Channel near;
        private final String source;
        private final String destination;
        private final int port;
        private volatile @Nullable Channel far;
        private volatile boolean cut;

        Tunnel(Channel near, String source, String destination, int port) {
            this.near = near;
            this.source = source;
            this.destination = destination;
            this.port = port;
        }

        void connect(InetAddress from, ChannelHandlerContext context) {
            near.config().setAutoRead(false);
            Bootstrap bootstrap = new Bootstrap()
                    .group(near.eventLoop())
                    .channel(NioSocketChannel.class)
                    .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, CONNECT_MILLIS)
                    .option(ChannelOption.TCP_NODELAY, true)
                    .option(ChannelOption.AUTO_READ, false)
                    .handler(new Passing(this, near));
            InetSocketAddress to;
            try {
                to = new InetSocketAddress(InetAddress.getByName(destination), port);
            } catch (UnknownHostException e) {
                throw new IllegalStateException("an address that is none", e);
            }
            // A device on this host's loopback network keeps its own address; any other leaves by ours.
            ChannelFuture dialled = from.isLoopbackAddress() && to.getAddress().isLoopbackAddress()
                    ? bootstrap.connect(to, new InetSocketAddress(from, 0))
                    : bootstrap.connect(to);
            dialled.addListener((ChannelFutureListener) done -> {
                if (!done.isSuccess()) {
                    refuse(context, HttpResponseStatus.BAD_GATEWAY);
                    return;
                }
                far = done.channel();
                if (cut) {
                    cut();
                    return;
                }
                context.writeAndFlush(new DefaultFullHttpResponse(
                                HttpVersion.HTTP_1_1, new HttpResponseStatus(200, "Connection established")))
                        .addListener((ChannelFutureListener) _ -> open(done.channel()));
            });
        }

        private void open(Channel toDestination) {
            near.pipeline().remove("patience");
            near.pipeline().remove("asked");
            near.pipeline().addLast(new Passing(this, toDestination));
            near.pipeline().remove("http");
            near.config().setAutoRead(true);
            toDestination.config().setAutoRead(true);
        }

        void cut() {
            cut = true;
            near.close().addListener(_ -> {});
            Channel other = far;
            if (other != null) {
                other.close().addListener(_ -> {});
            }
        }
    }

    /// Hands bytes to the other side and counts them; a slow reader slows its writer and nobody else.
    private final class Passing extends ChannelInboundHandlerAdapter {
        private final Tunnel tunnel;
        private final Channel other;

        Passing(Tunnel tunnel, Channel other) {
            this.tunnel = tunnel;
            this.other = other;
        }

        @Override
        public void channelRead(ChannelHandlerContext context, Object message) {
            if (message instanceof ByteBuf bytes) {
                note(tunnel, bytes.readableBytes(), 1);
            }
            other.writeAndFlush(message).addListener((ChannelFutureListener) done -> {
                if (!done.isSuccess()) {
                    tunnel.cut();
                }
            });
            if (!other.isWritable()) {
                context.channel().config().setAutoRead(false);
            }
        }

        @Override
        public void channelWritabilityChanged(ChannelHandlerContext context) {
            if (context.channel().isWritable()) {
                other.config().setAutoRead(true);
            }
            context.fireChannelWritabilityChanged();
        }

        @Override
        public void channelInactive(ChannelHandlerContext context) {
            // What was handed on already still leaves.
            other.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener((ChannelFutureListener) _ -> tunnel.cut());
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            tunnel.cut();
        }
    }
}
