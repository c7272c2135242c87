package dev.holdfast.simulator;

import dev.holdfast.agent.DeviceIdentity;
import dev.holdfast.agent.DeviceMqttClient;
import dev.holdfast.agent.DeviceTls;
import dev.holdfast.agent.Route;
import dev.holdfast.agent.Target;
import io.netty.channel.EventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.handler.ssl.SslContext;
import java.io.PrintStream;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/// An attacker with the copied key and certificate of a meter, in a process of its own: it passes itself off as that
/// meter, beside the real one.
public final class CloneMain {
    private static final Duration AGAIN = Duration.ofMillis(600);

    private final EventLoop loop;
    private final PrintStream out;
    private final String id;
    private final Target mqtt;
    private final Route route;
    private final SslContext tls;
    private final SecureRandom random = new SecureRandom();
    private final AtomicReference<@Nullable DeviceMqttClient> session = new AtomicReference<>();

    /// @param arguments device id, PEM file with the copied identity, PEM file of the CA, MQTT `host:port`, own address
    public static void main(String[] arguments) throws Exception {
        DeviceIdentity stolen = DeviceIdentity.fromPem(Files.readAllBytes(Path.of(arguments[1])));
        List<X509Certificate> anchors = DeviceIdentity.certificatesFromPem(Files.readAllBytes(Path.of(arguments[2])));
        CloneMain clone = new CloneMain(
                arguments[0],
                Target.parse(arguments[3], 8883),
                new Route(Optional.empty(), Optional.of(InetAddress.getByName(arguments[4]))),
                DeviceTls.context(Optional.of(stolen), anchors, InstantSource.system()));
        clone.loop.execute(clone::connect);
        Thread.currentThread().join();
    }

    private CloneMain(String id, Target mqtt, Route route, SslContext tls) {
        this.id = id;
        this.mqtt = mqtt;
        this.route = route;
        this.tls = tls;
        this.out = System.out;
        this.loop = (EventLoop) new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory()).next();
    }

    private void connect() {
        session.set(DeviceMqttClient.open(
                loop, route, mqtt, tls, id, Duration.ofSeconds(30), new DeviceMqttClient.Listener() {
                    private boolean wasReady;

                    @Override
                    public void ready() {
                        wasReady = true;
                        out.println(Instant.now() + " accepted as " + id);
                        pretend();
                    }

                    @Override
                    public void command(byte[] payload) {
                        out.println(Instant.now() + " got a command meant for " + id);
                    }

                    @Override
                    public void closed(String reason) {
                        out.println(Instant.now() + (wasReady ? " cut off: " : " refused: ") + reason);
                        loop.schedule(CloneMain.this::connect, AGAIN.toMillis(), TimeUnit.MILLISECONDS)
                                .addListener(_ -> {});
                    }
                }));
    }

    private void pretend() {
        DeviceMqttClient open = session.get();
        if (open == null || !open.isReady()) {
            return;
        }
        String lie = "{\"powerKw\":" + random.nextInt(100) / 100.0 + "}";
        open.publish("d/" + id + "/telemetry", lie.getBytes(StandardCharsets.UTF_8), () -> {});
        loop.schedule(this::pretend, 400, TimeUnit.MILLISECONDS).addListener(_ -> {});
    }
}
