package dev.holdfast.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class RelayTest {
    private static final String METER = "127.31.0.1";
    private static final int PATIENCE = 10_000;

    private final MultiThreadIoEventLoopGroup group = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
    private final List<Flow> flows = new CopyOnWriteArrayList<>();
    private final BlockingQueue<String> callers = new LinkedBlockingQueue<>();
    private ServerSocket echo = unbound();
    private Relay relay = none();

    private static ServerSocket unbound() {
        try {
            return new ServerSocket(0, 50, InetAddress.ofLiteral("127.0.0.1"));
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private Relay none() {
        try {
            return Relay.open(
                    group,
                    new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                    InstantSource.system(),
                    flows::add);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @BeforeEach
    void answerWhoeverCalls() {
        Thread.ofVirtual().start(() -> {
            while (!echo.isClosed()) {
                try {
                    Socket caller = echo.accept();
                    callers.add(caller.getInetAddress().getHostAddress());
                    Thread.ofVirtual().start(() -> {
                        try (caller) {
                            caller.getInputStream().transferTo(caller.getOutputStream());
                        } catch (IOException over) {
                            // The relay has cut it.
                        }
                    });
                } catch (IOException closed) {
                    return;
                }
            }
        });
    }

    @AfterEach
    void stop() throws IOException {
        relay.close();
        echo.close();
        group.shutdownGracefully(0, 1, TimeUnit.SECONDS).syncUninterruptibly();
    }

    private Socket say(String request) throws IOException {
        Socket socket = new Socket();
        socket.bind(new InetSocketAddress(InetAddress.ofLiteral(METER), 0));
        socket.setSoTimeout(PATIENCE);
        socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), relay.port()), PATIENCE);
        socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
        return socket;
    }

    private Socket connect(String host, int port) throws IOException {
        return say("CONNECT " + host + ":" + port + " HTTP/1.1\r\nHost: " + host + ":" + port + "\r\n\r\n");
    }

    private static String status(Socket socket) throws IOException {
        StringBuilder head = new StringBuilder();
        InputStream in = socket.getInputStream();
        while (!head.toString().endsWith("\r\n\r\n")) {
            int next = in.read();
            if (next < 0) {
                break;
            }
            head.append((char) next);
        }
        return head.isEmpty() ? "" : head.toString().split(" ", 3)[1];
    }

    private static byte[] echoed(Socket socket, byte[] bytes) throws IOException {
        socket.getOutputStream().write(bytes);
        return socket.getInputStream().readNBytes(bytes.length);
    }

    @Test
    void passesBytesFromTheDevicesOwnAddressAndCountsThem() throws Exception {
        byte[] bytes = new byte[100_000];
        java.util.Arrays.fill(bytes, (byte) 7);
        try (Socket socket = connect("127.0.0.1", echo.getLocalPort())) {
            assertThat(status(socket)).isEqualTo("200");
            assertThat(echoed(socket, bytes)).isEqualTo(bytes);
        }
        assertThat(callers.poll(PATIENCE, TimeUnit.MILLISECONDS)).isEqualTo(METER);
        assertThat(flows).allSatisfy(flow -> {
            assertThat(flow.source()).isEqualTo(METER);
            assertThat(flow.destination()).isEqualTo("127.0.0.1");
            assertThat(flow.port()).isEqualTo(echo.getLocalPort());
        });
        assertThat(flows.stream().mapToLong(Flow::octets).sum()).isEqualTo(2L * bytes.length);
    }

    @Test
    void cutsWhatIsOpenAndRefusesWhatIsNewOnceTheDeviceIsIsolated() throws Exception {
        try (ServerSocket healing = new ServerSocket(0, 5, InetAddress.ofLiteral("127.0.0.1"));
                Socket open = connect("127.0.0.1", echo.getLocalPort());
                Socket kept = connect("127.0.0.1", healing.getLocalPort())) {
            assertThat(status(open)).isEqualTo("200");
            assertThat(status(kept)).isEqualTo("200");
            assertThat(echoed(open, new byte[] {1})).hasSize(1);
            Set<String> allowed = Set.of("127.0.0.1:" + healing.getLocalPort());
            long begun = System.nanoTime();
            int cut = relay.enforce(new Duty(1, Map.of(METER, "m-1"), Map.of(METER, allowed)));
            assertThat(open.getInputStream().read()).isEqualTo(-1);
            System.out.println("measured: relay cut " + cut + " connection " + (System.nanoTime() - begun) / 1000
                    + " us after the order");
            assertThat(cut).isEqualTo(1);
            try (Socket again = connect("127.0.0.1", echo.getLocalPort());
                    Socket heals = connect("127.0.0.1", healing.getLocalPort())) {
                assertThat(status(again)).isEqualTo("403");
                assertThat(status(heals)).isEqualTo("200");
            }
        }
    }

    @Test
    void letsTheDeviceThroughAgainWhenTheIsolationIsLifted() throws Exception {
        relay.enforce(new Duty(1, Map.of(), Map.of(METER, Set.of())));
        try (Socket stopped = connect("127.0.0.1", echo.getLocalPort())) {
            assertThat(status(stopped)).isEqualTo("403");
        }
        relay.enforce(new Duty(2, Map.of(), Map.of()));
        try (Socket through = connect("127.0.0.1", echo.getLocalPort())) {
            assertThat(status(through)).isEqualTo("200");
        }
    }

    @Test
    void countsAttemptsThatNobodyAnswers() throws Exception {
        int nobody = unusedPort();
        try (Socket socket = connect("127.66.0.9", nobody)) {
            assertThat(status(socket)).isEqualTo("502");
        }
        assertThat(flows).singleElement().satisfies(flow -> {
            assertThat(flow.destination()).isEqualTo("127.66.0.9");
            assertThat(flow.packets()).isEqualTo(1);
        });
    }

    private static int unusedPort() throws IOException {
        try (ServerSocket probe = new ServerSocket(0)) {
            return probe.getLocalPort();
        }
    }

    @Test
    void refusesNamesOtherMethodsAndWhatIsNotHttp() throws Exception {
        try (Socket name = connect("example.test", 443);
                Socket get = say("GET http://127.0.0.1/ HTTP/1.1\r\nHost: x\r\n\r\n");
                Socket port = connect("127.0.0.1", 70_000);
                Socket noise = say("\u0001\u0002\u0003\r\n\r\n\r\n")) {
            assertThat(status(name)).isEqualTo("400");
            assertThat(status(get)).isEqualTo("405");
            assertThat(status(port)).isEqualTo("400");
            assertThat(status(noise)).isIn("400", "405");
        }
        assertThat(flows).isEmpty();
    }

    @Test
    void boundsTheTunnelsOfOneDevice() throws Exception {
        List<Socket> sockets = new CopyOnWriteArrayList<>();
        try {
            String last = "";
            for (int i = 0; i < 300; i++) {
                Socket socket = connect("127.0.0.1", echo.getLocalPort());
                sockets.add(socket);
                last = status(socket);
            }
            assertThat(last).isEqualTo("429");
        } finally {
            for (Socket socket : sockets) {
                socket.close();
            }
        }
    }
}
