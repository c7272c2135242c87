package dev.holdfast.gateway;

import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;

/// The parties of [RealPacketsTest], each in a network namespace of its own. Times are microseconds of the one
/// monotonic clock that all processes of a machine share.
public final class PacketsMain {
    private static final int BAD_PORT = 4444;
    private static final int GOOD_PORT = 8443;

    private PacketsMain() {}

    public static void main(String[] arguments) throws Exception {
        switch (arguments[0]) {
            case "meter" -> meter(arguments[1]);
            case "world" -> world();
            case "gateway" ->
                gateway(arguments[1], arguments[2], Path.of(arguments[3]), Integer.parseInt(arguments[4]));
            default -> throw new IllegalArgumentException(arguments[0]);
        }
    }

    private static long micros() {
        return System.nanoTime() / 1000;
    }

    private static void say(String line) {
        System.out.println(line);
        System.out.flush();
    }

    /// Sends small packets to a stranger, many a second, until it is told to stop; then tries what it may and
    /// may not.
    private static void meter(String destination) throws IOException {
        InetAddress to = InetAddress.ofLiteral(destination);
        byte[] payload = new byte[64];
        int sent = 0;
        try (DatagramSocket socket = new DatagramSocket()) {
            say("first " + micros());
            long end = System.nanoTime() + 60_000_000_000L;
            while (System.nanoTime() < end && (sent % 100 != 0 || System.in.available() == 0)) {
                socket.send(new DatagramPacket(payload, payload.length, to, BAD_PORT));
                sent++;
                LockSupport.parkNanos(150_000);
            }
        }
        say("sent " + sent);
        say("good " + reaches(to, GOOD_PORT));
        say("bad " + reaches(to, BAD_PORT));
    }

    private static boolean reaches(InetAddress to, int port) {
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(to, port), 1_000);
            return true;
        } catch (IOException stopped) {
            return false;
        }
    }

    private static void world() throws IOException {
        try (DatagramSocket socket = new DatagramSocket(BAD_PORT);
                ServerSocket good = new ServerSocket(GOOD_PORT);
                ServerSocket bad = new ServerSocket(BAD_PORT)) {
            say("listening " + good.getLocalPort() + " " + bad.getLocalPort());
            socket.setSoTimeout(1_500);
            DatagramPacket packet = new DatagramPacket(new byte[2048], 2048);
            int received = 0;
            long last = 0;
            while (true) {
                try {
                    socket.receive(packet);
                    received++;
                    last = micros();
                } catch (SocketTimeoutException quiet) {
                    if (received > 0) {
                        say("received " + received + " last " + last);
                        socket.setSoTimeout(60_000);
                    }
                }
            }
        }
    }

    /// The gateway's own parts, without a server between them: what is seen at the exporter is stopped in the
    /// kernel.
    private static void gateway(String meter, String world, Path control, int port) throws Exception {
        MultiThreadIoEventLoopGroup group = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
        AtomicBoolean acted = new AtomicBoolean();
        NftablesEnforcer kernel = NftablesEnforcer.open();
        NetflowCollector.open(
                group,
                port,
                flow -> {
                    if (flow.source().equals(meter) && flow.port() == BAD_PORT && acted.compareAndSet(false, true)) {
                        long seen = micros();
                        try {
                            kernel.enforce(
                                    new Duty(1, Map.of(meter, "m-1"), Map.of(meter, Set.of(world + ":" + GOOD_PORT))));
                        } catch (IOException e) {
                            say("failed " + e.getMessage());
                        }
                        say("seen " + seen + " enforced " + micros());
                    }
                },
                PacketsMain::say);
        SoftflowdClient.open(control, PacketsMain::say);
        say("ready");
        new CountDownLatch(1).await();
    }
}
