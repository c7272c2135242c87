package dev.holdfast.simulator;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Server;
import dev.holdfast.agent.Agent;
import dev.holdfast.agent.AgentSettings;
import dev.holdfast.agent.Hardware;
import dev.holdfast.agent.MemoryDeviceStore;
import dev.holdfast.agent.Route;
import dev.holdfast.agent.Target;
import dev.holdfast.config.Configuration;
import dev.holdfast.core.Actor;
import dev.holdfast.core.DeviceId;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Environment;
import dev.holdfast.core.Labels;
import dev.holdfast.core.ModelId;
import dev.holdfast.identity.EnrolmentTokens;
import dev.holdfast.inventory.Inventory;
import dev.holdfast.inventory.Lifecycle;
import dev.holdfast.inventory.Model;
import dev.holdfast.rollover.DeviceTrust;
import dev.holdfast.rollover.Rollover;
import dev.holdfast.rollover.Rollovers;
import dev.holdfast.rollover.Step;
import io.netty.channel.EventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/// A real server with some meters, which are the real agent and quick about their roots; and the words in which
/// tests of rollovers speak of them.
final class MeterFleet implements AutoCloseable {
    static final Environment ENVIRONMENT = new Environment("development");
    static final Actor TESTER = new Actor.Holdfast("test");
    static final int PER_HOUR = 3_600_000;
    private static final CityPlan CITY = CityPlan.of(7, 60);

    private final Server server;
    private final MultiThreadIoEventLoopGroup group = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
    private final List<Agent> agents = new ArrayList<>();
    private final List<String> notes = new CopyOnWriteArrayList<>();
    private final List<String> journal = new CopyOnWriteArrayList<>();

    private MeterFleet(Server server) {
        this.server = server;
    }

    /// @param settings as environment variables
    static MeterFleet start(Path data, Map<String, String> settings) throws Exception {
        Map<String, String> quick = new TreeMap<>(Map.of("HOLDFAST_CERTIFICATES_RENEWALS_PER_HOUR", "" + PER_HOUR));
        quick.putAll(settings);
        MeterFleet fleet = new MeterFleet(serve(data, quick));
        fleet.server.journal().subscribe(entry -> fleet.journal.add(entry.content()));
        return fleet;
    }

    /// A server on free ports of this machine alone, which knows the city's model of meter.
    ///
    /// @param settings as environment variables
    static Server serve(Path data, Map<String, String> settings) throws Exception {
        Map<String, String> variables = new TreeMap<>();
        for (String listener : List.of("OPERATOR", "DEVICE", "CHANNEL_BOUND", "MQTT", "PKI", "SYSLOG", "IPFIX")) {
            variables.put("HOLDFAST_LISTENERS_" + listener + "_PORT", "0");
            variables.put("HOLDFAST_LISTENERS_" + listener + "_HOST", "127.0.0.1");
        }
        variables.putAll(settings);
        Configuration configuration = Configuration.load(Optional.empty(), variables);
        Server server = Server.start(configuration, data, InstantSource.system(), new SecureRandom());
        server.inventory()
                .putModel(
                        new Model(
                                ENVIRONMENT,
                                new ModelId(CityPlan.MODEL),
                                "Kelp Instruments",
                                CityPlan.HARDWARE,
                                Duration.ofSeconds(1),
                                Map.of(),
                                List.of(),
                                Map.of()),
                        TESTER);
        return server;
    }

    /// Puts meters in service that trust this root and no other.
    void manufacture(int meters, X509Certificate root) throws Exception {
        int first = agents.size();
        for (int i = first; i < first + meters; i++) {
            agents.add(meter(CITY.meters().get(i), root));
        }
        for (int i = first; i < first + meters; i++) {
            DeviceRef ref = ref(i);
            await(
                    "in service: " + ref,
                    () -> server.inventory().find(ref).orElseThrow().state() == Lifecycle.ACTIVE);
        }
    }

    private Agent meter(CityPlan.Meter meter, X509Certificate root) throws Exception {
        DeviceRef ref = DeviceRef.of(ENVIRONMENT.value(), meter.id());
        server.inventory().register(new Inventory.Registration(ref, new ModelId(CityPlan.MODEL), Labels.NONE), TESTER);
        EnrolmentTokens.Issued issued = server.identity().issueEnrolmentToken(ref, Duration.ofHours(1), TESTER);
        MemoryDeviceStore store = new MemoryDeviceStore();
        Agent.manufacture(store, CityPlan.FACTORY_VERSION, new FirmwareImage(CityPlan.FACTORY_VERSION, 0, 7).bytes());
        Agent agent = new Agent(
                new AgentSettings(
                        meter.id(),
                        new Hardware(CityPlan.MODEL, CityPlan.HARDWARE),
                        new Target("localhost", server.devicePort()),
                        new Target("localhost", server.mqttPort()),
                        "DEFAULT",
                        Route.DIRECT,
                        List.of(root),
                        List.of(),
                        Optional.of(
                                new AgentSettings.Credential.Token(((EnrolmentTokens.Issued.Token) issued).secret())),
                        Duration.ofSeconds(1),
                        new AgentSettings.Pace(
                                Duration.ofMillis(50),
                                Duration.ofSeconds(20),
                                Duration.ofMillis(200),
                                Duration.ofSeconds(5),
                                Duration.ofMillis(200),
                                Duration.ofSeconds(2),
                                Duration.ofSeconds(20),
                                Duration.ofSeconds(20),
                                Duration.ofSeconds(20),
                                Duration.ofSeconds(3))),
                store,
                new MeterPlatform(meter),
                (EventLoop) group.next(),
                InstantSource.system(),
                new SecureRandom(),
                (event, detail) -> notes.add(meter.id() + " " + event + ": " + detail));
        agent.start();
        return agent;
    }

    void await(String what, BooleanSupplier condition) throws InterruptedException {
        await(what, notes, condition);
    }

    /// @param notes what the meters have said, for whoever reads that it did not come in time
    static void await(String what, List<String> notes, BooleanSupplier condition) throws InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime()).as("not in time: %s; %s", what, notes).isLessThan(deadline);
            Thread.sleep(20);
        }
    }

    void awaitAllConnected() throws InterruptedException {
        for (int i = 0; i < agents.size(); i++) {
            int meter = i;
            await("connected: " + ref(meter), () -> isConnected(meter));
        }
    }

    static DeviceRef ref(int meter) {
        return DeviceRef.of(ENVIRONMENT.value(), name(meter));
    }

    static String name(int meter) {
        return CITY.meters().get(meter).id();
    }

    /// Of the operator plane.
    String url() {
        return server.describe().stream()
                .filter(line -> line.startsWith("console, API"))
                .map(line -> line.substring(line.indexOf("http")))
                .findFirst()
                .orElseThrow();
    }

    Server server() {
        return server;
    }

    Agent agent(int meter) {
        return agents.get(meter);
    }

    void cutPower(int meter) throws InterruptedException {
        agents.get(meter).cutPower().join();
        await("gone", () -> !isConnected(meter));
    }

    boolean isConnected(int meter) {
        return !server.sessions().of(ref(meter)).isEmpty();
    }

    Rollovers rollovers() {
        return server.rollover().rollovers();
    }

    X509Certificate certificate(String authority) {
        return server.ca().authorities().find(authority).orElseThrow().certificate();
    }

    /// Each line a meter, what has happened, and more of it.
    List<String> notes() {
        return notes;
    }

    long noted(String event) {
        return notes.stream().filter(n -> n.contains(" " + event + ": ")).count();
    }

    List<String> journal() {
        return journal;
    }

    List<String> devices(Rollover rollover, DeviceTrust.Only only) {
        return rollovers().devices(rollover, only, Optional.empty(), 100).stream()
                .map(one -> one.device().id().value())
                .toList();
    }

    static Rollover done(Step step) {
        assertThat(step).isInstanceOf(Step.Done.class);
        return ((Step.Done) step).rollover();
    }

    static List<String> missing(Step step) {
        assertThat(step).isInstanceOf(Step.DevicesDepend.class);
        return ((Step.DevicesDepend) step).some().stream().map(DeviceId::value).toList();
    }

    @Override
    public void close() {
        agents.forEach(agent -> agent.cutPower().join());
        group.shutdownGracefully(0, 1, TimeUnit.SECONDS).syncUninterruptibly();
        server.close();
    }
}
