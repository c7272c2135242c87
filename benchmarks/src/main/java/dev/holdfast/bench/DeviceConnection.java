package dev.holdfast.bench;

import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.ssl.SslHandler;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// One connection of one client, TLS by BoringSSL or plain, read and written from a virtual thread as if it blocked.
/// Each client has a source address of its own in 127/8.
final class DeviceConnection implements AutoCloseable {
    private static final EventLoopGroup LOOPS = new MultiThreadIoEventLoopGroup(
            2,
            task -> {
                Thread thread = new Thread(task, "load");
                thread.setDaemon(true);
                return thread;
            },
            NioIoHandler.newFactory());
    private static final int LONGEST_WAIT_SECONDS = 60;

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition more = lock.newCondition();
    private byte[] pending = new byte[0];
    private int from;
    private int to;
    private boolean ended;
    private long endedAt;
    private final Channel channel;

    private DeviceConnection(int port, int number, @Nullable Fleet fleet, String name) throws IOException {
        Bootstrap bootstrap = new Bootstrap()
                .group(LOOPS)
                .channel(NioSocketChannel.class)
                .option(ChannelOption.TCP_NODELAY, true)
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, 30_000)
                .handler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel fresh) {
                        if (fleet != null) {
                            // The key manager finds the client's key by the name that it thinks the server has.
                            SslHandler tls = fleet.tls().newHandler(fresh.alloc(), name, port);
                            tls.setHandshakeTimeoutMillis(60_000);
                            fresh.pipeline().addLast("tls", tls);
                        }
                        fresh.pipeline().addLast(new Received());
                    }
                });
        InetSocketAddress source = new InetSocketAddress(
                InetAddress.ofLiteral("127.0." + (1 + number / 250 % 250) + "." + (1 + number % 250)), 0);
        var dial = bootstrap.connect(new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), port), source);
        await(dial);
        channel = dial.channel();
        if (fleet != null) {
            await(channel.pipeline().get(SslHandler.class).handshakeFuture());
        }
    }

    /// A connection with a full handshake: no session is kept, so none is resumed.
    static DeviceConnection mutual(Fleet fleet, Meter meter, int port) throws IOException {
        return new DeviceConnection(port, meter.number(), fleet, meter.id());
    }

    /// Over TLS without a client certificate.
    static DeviceConnection anonymous(Fleet fleet, int number, int port) throws IOException {
        return new DeviceConnection(port, number, fleet, "nobody");
    }

    static DeviceConnection plain(int number, int port) throws IOException {
        return new DeviceConnection(port, number, null, "");
    }

    private static void await(io.netty.util.concurrent.Future<?> future) throws IOException {
        try {
            if (!future.await(LONGEST_WAIT_SECONDS, TimeUnit.SECONDS)) {
                throw new IOException("no connection within " + LONGEST_WAIT_SECONDS + " s");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException(e);
        }
        if (!future.isSuccess()) {
            throw new IOException("no connection: " + future.cause(), future.cause());
        }
    }

    void write(byte[] octets) {
        var _ = channel.writeAndFlush(Unpooled.wrappedBuffer(octets));
    }

    /// Exactly so many octets.
    byte[] read(int count) throws IOException {
        lock.lock();
        try {
            await(count);
            byte[] octets = Arrays.copyOfRange(pending, from, from + count);
            from += count;
            return octets;
        } finally {
            lock.unlock();
        }
    }

    private void await(int count) throws IOException {
        long left = TimeUnit.SECONDS.toNanos(LONGEST_WAIT_SECONDS);
        try {
            while (to - from < count) {
                if (ended || left <= 0) {
                    throw new IOException((ended ? "the server closed" : "waited in vain") + " before " + count
                            + " octets; there are " + (to - from));
                }
                left = more.awaitNanos(left);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException(e);
        }
    }

    /// Waits until the server has closed the connection.
    ///
    /// @return when that was seen, as [System#nanoTime]
    long awaitEnd() throws IOException {
        lock.lock();
        try {
            await(Integer.MAX_VALUE);
            throw new IOException("so many octets can't be");
        } catch (IOException expected) {
            if (!ended) {
                throw expected;
            }
            return endedAt;
        } finally {
            lock.unlock();
        }
    }

    /// Reads one HTTP/1.1 response with a Content-Length.
    ///
    /// @return its status
    int response() throws IOException {
        lock.lock();
        try {
            int end;
            int searched = 1;
            while ((end = endOfHead()) < 0) {
                searched = Math.max(searched, to - from + 1);
                await(searched);
            }
            String head = new String(pending, from, end - from, StandardCharsets.US_ASCII).toLowerCase(Locale.ROOT);
            int at = head.indexOf("content-length:");
            int length = at < 0
                    ? 0
                    : Integer.parseInt(
                            head.substring(at + 15, head.indexOf('\r', at)).strip());
            await(end - from + length);
            from = end + length;
            return Integer.parseInt(head.substring(9, 12));
        } finally {
            lock.unlock();
        }
    }

    private int endOfHead() {
        for (int i = from; i + 3 < to; i++) {
            if (pending[i] == '\r' && pending[i + 1] == '\n' && pending[i + 2] == '\r' && pending[i + 3] == '\n') {
                return i + 4;
            }
        }
        return -1;
    }

    private final class Received extends SimpleChannelInboundHandler<ByteBuf> {
        @Override
        protected void channelRead0(ChannelHandlerContext context, ByteBuf message) {
            lock.lock();
            try {
                int count = message.readableBytes();
                if (from == to) {
                    from = 0;
                    to = 0;
                }
                if (to + count > pending.length) {
                    byte[] larger = new byte[Math.max(128, 2 * (to - from + count))];
                    System.arraycopy(pending, from, larger, 0, to - from);
                    pending = larger;
                    to -= from;
                    from = 0;
                }
                message.readBytes(pending, to, count);
                to += count;
                more.signalAll();
            } finally {
                lock.unlock();
            }
        }

        @Override
        public void channelInactive(ChannelHandlerContext context) {
            finish();
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            finish();
            var _ = context.close();
        }

        private void finish() {
            lock.lock();
            try {
                if (!ended) {
                    ended = true;
                    endedAt = System.nanoTime();
                }
                more.signalAll();
            } finally {
                lock.unlock();
            }
        }
    }

    @Override
    public void close() {
        var _ = channel.close().awaitUninterruptibly(10_000);
    }
}
