package dev.holdfast.agent;

import io.netty.channel.EventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// `holdfast agent`: the agent on a real machine.
@Command(
        name = "agent",
        mixinStandardHelpOptions = true,
        description = "Runs the device agent on this machine: enrols, reports, updates itself, until Ctrl-C.")
public final class AgentMain implements Callable<Integer> {
    @Option(names = "--id", required = true, description = "The device's id, as registered.")
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

    @Option(names = "--idevid", description = "PEM file with the manufacturer's key and certificate of this device.")
    private @Nullable Path idevid;

    @Option(names = "--release-key", description = "PEM file with a public key or certificate that may sign firmware.")
    private List<Path> releaseKeys = new ArrayList<>();

    @Option(names = "--model", defaultValue = "generic", description = "The model (default ${DEFAULT-VALUE}).")
    private String model = "";

    @Option(names = "--hardware", defaultValue = "rev-a", description = "Its revision (default ${DEFAULT-VALUE}).")
    private String hardware = "";

    @Option(
            names = "--tenant",
            defaultValue = "DEFAULT",
            description = "Environment in update URLs (default ${DEFAULT-VALUE}).")
    private String tenant = "";

    @Option(
            names = "--interval",
            defaultValue = "30",
            description = "Seconds between reports (default ${DEFAULT-VALUE}).")
    private int interval;

    @Option(names = "--proxy", description = "The gateway's HTTP CONNECT proxy, host:port.")
    private @Nullable String proxy;

    @Option(
            names = "--data",
            defaultValue = "agent-data",
            description = "Folder of this device (default ${DEFAULT-VALUE}).")
    private Path data = Path.of("");

    public static void main(String[] arguments) {
        System.exit(new CommandLine(new AgentMain()).execute(arguments));
    }

    @Override
    public Integer call() throws Exception {
        PrintStream out = System.out;
        try (FileDeviceStore store = FileDeviceStore.open(data)) {
            Agent.manufacture(store, "0.0.0", "the image this machine came with".getBytes(StandardCharsets.UTF_8));
            MultiThreadIoEventLoopGroup group = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
            EventLoop loop = (EventLoop) group.next();
            Agent agent = new Agent(
                    settings(),
                    store,
                    new HostPlatform(),
                    loop,
                    InstantSource.system(),
                    new SecureRandom(),
                    (event, detail) -> out.println(event + ": " + detail));
            CountDownLatch stop = new CountDownLatch(1);
            Runtime.getRuntime().addShutdownHook(new Thread(() -> {
                agent.cutPower()
                        .orTimeout(2, java.util.concurrent.TimeUnit.SECONDS)
                        .handle((_, _) -> true)
                        .join();
                stop.countDown();
            }));
            agent.start();
            stop.await();
            return 0;
        } catch (IOException | IllegalArgumentException e) {
            System.err.println("holdfast agent: " + e.getMessage());
            return 1;
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
        List<PublicKey> keys = new ArrayList<>();
        for (Path file : releaseKeys) {
            keys.addAll(DeviceIdentity.publicKeysFromPem(Files.readAllBytes(file)));
        }
        Optional<InetSocketAddress> via = Optional.ofNullable(proxy)
                .map(text -> Target.parse(text, 3128))
                .map(target -> new InetSocketAddress(target.host(), target.port()));
        return new AgentSettings(
                id,
                new Hardware(model, hardware),
                https,
                mqtt == null ? new Target(https.host(), 8883) : Target.parse(mqtt, 8883),
                tenant,
                new Route(via, Optional.empty()),
                anchors,
                keys,
                credential,
                Duration.ofSeconds(Math.max(1, interval)),
                AgentSettings.Pace.ordinary());
    }
}
