package dev.holdfast.simulator;

import dev.holdfast.agent.Agent;
import dev.holdfast.agent.AgentSettings;
import dev.holdfast.agent.DeviceIdentity;
import dev.holdfast.agent.Hardware;
import dev.holdfast.agent.MemoryDeviceStore;
import dev.holdfast.agent.Route;
import dev.holdfast.agent.Target;
import io.netty.channel.EventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;

/// The meters of the city, alive in this process: the real agent once for each, each with its own key, store
/// and TLS connections, each behind its gateway. Nothing here talks to the server but the agents.
final class City implements AutoCloseable {
    /// How many meters are switched on before the first of them are through.
    private static final int AT_ONCE = 64;

    private final CityPlan plan;
    private final MultiThreadIoEventLoopGroup group = new MultiThreadIoEventLoopGroup(2, NioIoHandler.newFactory());
    private final Map<String, Living> living = new HashMap<>();
    private final Semaphore arriving = new Semaphore(AT_ONCE);

    private final AtomicInteger enrolled = new AtomicInteger();
    private final Set<String> connected = ConcurrentHashMap.newKeySet();
    private final Map<String, Set<String>> tookVersion = new ConcurrentHashMap<>();
    private final Set<String> crashed = ConcurrentHashMap.newKeySet();
    private final Map<String, LongAdder> complaints = new ConcurrentHashMap<>();

    /// One meter, as the city holds it.
    record Living(CityPlan.Meter meter, Agent agent, MeterPlatform platform) {}

    /// Where the city's meters find their server, and how they behave.
    record Surroundings(
            Target https,
            Target mqtt,
            String tenant,
            List<X509Certificate> anchors,
            List<PublicKey> releaseKeys,
            Map<String, InetSocketAddress> relays,
            Duration telemetry,
            Duration poll) {}

    City(CityPlan plan, Surroundings around, Map<String, DeviceIdentity> made, byte[] firmware) throws IOException {
        this.plan = plan;
        SecureRandom random = new SecureRandom();
        AgentSettings.Pace pace = new AgentSettings.Pace(
                Duration.ofMillis(300),
                Duration.ofSeconds(30),
                Duration.ofMillis(1500),
                around.poll(),
                Duration.ofMillis(700),
                Duration.ofSeconds(10),
                Duration.ofSeconds(20),
                Duration.ofSeconds(60),
                Duration.ofSeconds(60),
                Duration.ofHours(1));
        for (CityPlan.Meter meter : plan.meters()) {
            MemoryDeviceStore store = new MemoryDeviceStore();
            Agent.manufacture(store, CityPlan.FACTORY_VERSION, firmware);
            DeviceIdentity identity = made.get(meter.id());
            AgentSettings settings = new AgentSettings(
                    meter.id(),
                    new Hardware(CityPlan.MODEL, CityPlan.HARDWARE),
                    around.https(),
                    around.mqtt(),
                    around.tenant(),
                    new Route(
                            Optional.ofNullable(around.relays().get(meter.gateway())),
                            Optional.of(InetAddress.getByName(meter.address()))),
                    around.anchors(),
                    around.releaseKeys(),
                    Optional.ofNullable(identity).map(AgentSettings.Credential.Manufacturer::new),
                    around.telemetry(),
                    pace);
            MeterPlatform platform = new MeterPlatform(meter);
            Agent agent = new Agent(
                    settings,
                    store,
                    platform,
                    (EventLoop) group.next(),
                    InstantSource.system(),
                    random,
                    (event, detail) -> noted(meter.id(), event, detail));
            living.put(meter.id(), new Living(meter, agent, platform));
        }
    }

    private void noted(String id, String event, String detail) {
        switch (event) {
            case "enrolled" -> enrolled.incrementAndGet();
            case "connected" -> {
                if (connected.add(id)) {
                    arriving.release();
                }
            }
            case "disconnected" -> connected.remove(id);
            case "boot", "installed" ->
                tookVersion
                        .computeIfAbsent(detail.split(" ", 2)[0], _ -> ConcurrentHashMap.newKeySet())
                        .add(id);
            case "crash" -> crashed.add(id);
            case "applied", "reboot", "feedback", "fetching", "confirmed", "renewed" -> {}
            default ->
                complaints
                        .computeIfAbsent(event + ": " + detail.replaceAll("[0-9a-f]{6,}", "#"), _ -> new LongAdder())
                        .increment();
        }
    }

    /// Switches every meter on, some at a time.
    void switchOn() throws InterruptedException {
        for (CityPlan.Meter meter : plan.meters()) {
            // A meter that can't get through must not keep the others dark.
            boolean inTurn = arriving.tryAcquire(5, TimeUnit.SECONDS);
            of(meter).agent().start();
            if (!inTurn) {
                arriving.release();
            }
        }
    }

    Living of(CityPlan.Meter meter) {
        Living one = living.get(meter.id());
        if (one == null) {
            throw new IllegalArgumentException("no meter of this city: " + meter.id());
        }
        return one;
    }

    int enrolled() {
        return enrolled.get();
    }

    int connected() {
        return connected.size();
    }

    /// How many meters had this version in a slot, whether it ever started or not.
    int took(String version) {
        return tookVersion.getOrDefault(version, Set.of()).size();
    }

    int crashed() {
        return crashed.size();
    }

    /// What went wrong, most frequent first; for whoever wants to know why.
    List<String> complaints() {
        return complaints.entrySet().stream()
                .sorted((a, b) -> Long.compare(b.getValue().sum(), a.getValue().sum()))
                .limit(12)
                .map(e -> e.getValue().sum() + " x " + e.getKey())
                .toList();
    }

    @Override
    public void close() {
        living.values().forEach(one -> {
            var _ = one.agent().cutPower();
        });
        group.shutdownGracefully(0, 2, TimeUnit.SECONDS).awaitUninterruptibly(3, TimeUnit.SECONDS);
    }
}
