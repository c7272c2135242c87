package dev.holdfast.gateway;

import dev.holdfast.agent.AgentSettings;
import dev.holdfast.agent.DeviceIdentity;
import dev.holdfast.agent.FileDeviceStore;
import dev.holdfast.agent.Hardware;
import dev.holdfast.agent.Route;
import dev.holdfast.agent.Target;
import io.netty.channel.EventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// `holdfast gateway`: an enrolled device that stands between other devices and the world, sees and stops.
@Command(
        name = "gateway",
        mixinStandardHelpOptions = true,
        description = "Relays or watches the traffic of devices, reports flows, and stops those that are isolated.")
public final class GatewayMain implements Callable<Integer> {
    @Option(names = "--id", required = true, description = "The gateway's own device id, as registered.")
    private String id = "";

    @Option(names = "--server", required = true, description = "The server's device HTTPS listener, host:port.")
    private String server = "";

    @Option(names = "--mqtt", description = "The server's MQTT listener, host:port (default: same host, 8883).")
    private @Nullable String mqtt;

    @Option(
            names = "--ca",
            required = true,
            description = "PEM file with the CA that the server's certificate is from.")
    private Path ca = Path.of("");

    @Option(names = "--token", description = "Single-use enrolment token (or HOLDFAST_TOKEN).")
    private @Nullable String token;

    @Option(names = "--idevid", description = "PEM file with the manufacturer's key and certificate of this gateway.")
    private @Nullable Path idevid;

    @Option(
            names = "--tenant",
            defaultValue = "DEFAULT",
            description = "Environment in update URLs (default ${DEFAULT-VALUE}).")
    private String tenant = "";

    @Option(names = "--model", defaultValue = "gateway", description = "The model (default ${DEFAULT-VALUE}).")
    private String model = "";

    @Option(
            names = "--relay",
            description = "Relay for the devices (HTTP CONNECT): listen on host:port, port 0 for any.")
    private @Nullable String relay;

    @Option(names = "--nft", description = "Enforce with nftables in this network namespace.")
    private boolean nft;

    @Option(
            names = "--ipfix",
            defaultValue = "-1",
            description = "Collect IPFIX from an exporter on this host, UDP port.")
    private int netflow;

    @Option(names = "--softflowd", description = "Control socket of that exporter, if it is softflowd: ask it often.")
    private @Nullable Path softflowd;

    @Option(
            names = "--interval",
            defaultValue = "10",
            description = "Seconds between own reports (default ${DEFAULT-VALUE}).")
    private int interval;

    @Option(names = "--data", defaultValue = "gateway-data", description = "Own folder (default ${DEFAULT-VALUE}).")
    private Path data = Path.of("");

    public static void main(String[] arguments) {
        System.exit(new CommandLine(new GatewayMain()).execute(arguments));
    }

    @Override
    public Integer call() throws Exception {
        PrintStream out = System.out;
        MultiThreadIoEventLoopGroup own = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
        MultiThreadIoEventLoopGroup relaying = new MultiThreadIoEventLoopGroup(2, NioIoHandler.newFactory());
        try (FileDeviceStore store = FileDeviceStore.open(data)) {
            GatewaySettings settings = new GatewaySettings(
                    settings(),
                    Optional.ofNullable(relay).map(GatewayMain::address),
                    nft,
                    netflowPort(),
                    Optional.ofNullable(softflowd));
            CountDownLatch stop = new CountDownLatch(1);
            CountDownLatch stopped = new CountDownLatch(1);
            try (Gateway gateway = Gateway.start(
                    settings,
                    store,
                    (EventLoop) own.next(),
                    relaying,
                    InstantSource.system(),
                    new SecureRandom(),
                    out::println)) {
                out.println("ready: relay port " + gateway.relayPort() + ", flow port " + gateway.netflowPort());
                Runtime.getRuntime().addShutdownHook(Thread.ofPlatform().unstarted(() -> {
                    stop.countDown();
                    await(stopped);
                }));
                await(stop);
            } finally {
                stopped.countDown();
            }
            return 0;
        } catch (IOException | IllegalArgumentException e) {
            System.err.println("holdfast gateway: " + e.getMessage());
            return 1;
        }
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private OptionalInt netflowPort() {
        return netflow < 0 ? OptionalInt.empty() : OptionalInt.of(netflow);
    }

    private static InetSocketAddress address(String text) {
        int colon = text.lastIndexOf(':');
        if (colon < 1 || !text.substring(colon + 1).matches("\\d{1,5}")) {
            throw new IllegalArgumentException("not host:port: " + text);
        }
        return new InetSocketAddress(text.substring(0, colon), Integer.parseInt(text.substring(colon + 1)));
    }

    private AgentSettings settings() throws IOException {
        Target https = Target.parse(server, 8443);
        String given = token == null ? System.getenv("HOLDFAST_TOKEN") : token;
        Optional<AgentSettings.Credential> credential;
        if (idevid != null) {
            credential = Optional.of(
                    new AgentSettings.Credential.Manufacturer(DeviceIdentity.fromPem(Files.readAllBytes(idevid))));
        } else {
            credential = Optional.ofNullable(given).map(AgentSettings.Credential.Token::new);
        }
        List<X509Certificate> anchors = DeviceIdentity.certificatesFromPem(Files.readAllBytes(ca));
        if (anchors.isEmpty()) {
            throw new IOException(ca + " holds no certificate");
        }
        return new AgentSettings(
                id,
                new Hardware(model, "rev-a"),
                https,
                mqtt == null ? new Target(https.host(), 8883) : Target.parse(mqtt, 8883),
                tenant,
                Route.DIRECT,
                anchors,
                List.of(),
                credential,
                Duration.ofSeconds(Math.max(1, interval)),
                AgentSettings.Pace.ordinary());
    }
}
