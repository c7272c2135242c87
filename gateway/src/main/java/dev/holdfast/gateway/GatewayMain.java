package dev.holdfast.gateway;

import dev.holdfast.agent.Agent;
import dev.holdfast.agent.AgentSettings;
import dev.holdfast.agent.DeviceHttpClient;
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
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
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

    @Option(names = "--netflow", description = "Collect NetFlow v9 or IPFIX from an exporter on this host, UDP port.")
    private int netflow;

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
        Consumer<String> log = out::println;
        SecureRandom random = new SecureRandom();
        InstantSource clock = InstantSource.system();
        try (FileDeviceStore store = FileDeviceStore.open(data)) {
            Agent.manufacture(store, "1.0.0", "the image this gateway came with".getBytes(StandardCharsets.UTF_8));
            MultiThreadIoEventLoopGroup own = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
            MultiThreadIoEventLoopGroup relaying = new MultiThreadIoEventLoopGroup(2, NioIoHandler.newFactory());
            EventLoop loop = (EventLoop) own.next();
            // The agent and the reporter need each other: the reporter speaks over the agent's connection.
            List<Agent> late = new ArrayList<>(1);
            FlowReporter reporter =
                    new FlowReporter(loop, clock, (request, receiver) -> send(late, request, receiver), log);
            List<Enforcer> enforcers = new ArrayList<>();
            List<AutoCloseable> parts = new ArrayList<>();
            if (relay != null) {
                Target listen = Target.parse(relay.endsWith(":0") ? relay.replaceAll(":0$", ":1") : relay, 3128);
                int port = relay.endsWith(":0") ? 0 : listen.port();
                Relay opened = Relay.open(relaying, new InetSocketAddress(listen.host(), port), clock, reporter::seen);
                enforcers.add(opened::enforce);
                parts.add(opened);
                out.println("relay on " + new Target(listen.host(), opened.port()));
            }
            if (nft) {
                NftablesEnforcer kernel = NftablesEnforcer.open();
                enforcers.add(kernel);
                parts.add(kernel);
                out.println("nftables table ready");
            }
            if (netflow > 0) {
                NetflowCollector collector = NetflowCollector.open(relaying, netflow, reporter::seen, log);
                parts.add(collector);
                out.println("netflow on 127.0.0.1:" + collector.port());
            }
            Agent agent = new Agent(
                    settings(),
                    store,
                    new GatewayPlatform(enforcers, reporter, log),
                    loop,
                    clock,
                    random,
                    (event, detail) -> log.accept(event + ": " + detail));
            late.add(agent);
            CountDownLatch stop = new CountDownLatch(1);
            Runtime.getRuntime().addShutdownHook(new Thread(() -> {
                agent.cutPower()
                        .orTimeout(2, TimeUnit.SECONDS)
                        .handle((_, _) -> true)
                        .join();
                for (AutoCloseable part : parts) {
                    try {
                        part.close();
                    } catch (Exception e) {
                        log.accept("closing failed: " + e.getMessage());
                    }
                }
                stop.countDown();
            }));
            agent.start();
            stop.await();
            return 0;
        } catch (IOException | IllegalArgumentException e) {
            System.err.println("holdfast gateway: " + e.getMessage());
            return 1;
        }
    }

    private static void send(List<Agent> late, DeviceHttpClient.Request request, DeviceHttpClient.Receiver receiver) {
        if (late.isEmpty()) {
            receiver.failed("not started yet");
        } else {
            late.getFirst().exchange(request, receiver);
        }
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
