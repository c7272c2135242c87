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
import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.rollover.DeviceTrust;
import dev.holdfast.rollover.Progress;
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
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.TempDir;

/// A root is replaced under living meters, three times: nobody touches a device, and nothing goes while one
/// depends on it. The last time one is left behind, so the order is fixed.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class RootRolloverTest {
    private static final Environment ENVIRONMENT = new Environment("development");
    private static final Actor TESTER = new Actor.Holdfast("test");
    private static final int PER_HOUR = 3_600_000;
    private static final int METERS = 5;
    private static final CityPlan CITY = CityPlan.of(7, 60);

    @TempDir
    private static Path folder;

    private Server server;
    private MultiThreadIoEventLoopGroup group;
    private final List<Agent> agents = new ArrayList<>();
    private final List<String> notes = new CopyOnWriteArrayList<>();
    private final List<String> journal = new CopyOnWriteArrayList<>();
    private X509Certificate oldRoot;

    @BeforeAll
    void start() throws Exception {
        folder.toFile().setExecutable(true, false);
        Map<String, String> variables = new TreeMap<>(Map.of("HOLDFAST_CERTIFICATES_RENEWALS_PER_HOUR", "" + PER_HOUR));
        for (String listener : List.of("OPERATOR", "DEVICE", "CHANNEL_BOUND", "MQTT", "PKI", "SYSLOG", "IPFIX")) {
            variables.put("HOLDFAST_LISTENERS_" + listener + "_PORT", "0");
            variables.put("HOLDFAST_LISTENERS_" + listener + "_HOST", "127.0.0.1");
        }
        Configuration configuration = Configuration.load(Optional.empty(), variables);
        server = Server.start(configuration, folder.resolve("data"), InstantSource.system(), new SecureRandom());
        server.journal().subscribe(entry -> journal.add(entry.content()));
        group = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
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
        oldRoot = server.ca().authorities().root().certificate();
        for (int i = 0; i < METERS; i++) {
            agents.add(meter(CITY.meters().get(i)));
        }
        for (int i = 0; i < METERS; i++) {
            DeviceRef ref = ref(i);
            await(
                    "in service: " + ref,
                    () -> server.inventory().find(ref).orElseThrow().state() == Lifecycle.ACTIVE);
        }
    }

    @BeforeEach
    void everyMeterIsThere() throws Exception {
        for (int i = 0; i < METERS; i++) {
            int meter = i;
            await("connected: " + ref(meter), () -> isConnected(meter));
        }
        notes.clear();
    }

    @AfterAll
    void stop() {
        agents.forEach(agent -> agent.cutPower().join());
        group.shutdownGracefully(0, 1, TimeUnit.SECONDS).syncUninterruptibly();
        server.close();
    }

    private static DeviceRef ref(int meter) {
        return DeviceRef.of(ENVIRONMENT.value(), CITY.meters().get(meter).id());
    }

    private Agent meter(CityPlan.Meter meter) throws Exception {
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
                        List.of(oldRoot),
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

    private void await(String what, BooleanSupplier condition) throws InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime()).as("not in time: %s; %s", what, notes).isLessThan(deadline);
            Thread.sleep(20);
        }
    }

    private Rollovers rollovers() {
        return server.rollover().rollovers();
    }

    private static Rollover done(Step step) {
        assertThat(step).isInstanceOf(Step.Done.class);
        return ((Step.Done) step).rollover();
    }

    private long noted(String event) {
        return notes.stream().filter(n -> n.contains(" " + event + ": ")).count();
    }

    private List<String> devices(Rollover rollover, DeviceTrust.Only only) {
        return rollovers().devices(rollover, only, Optional.empty(), 100).stream()
                .map(one -> one.device().id().value())
                .toList();
    }

    private static List<String> missing(Step step) {
        assertThat(step).isInstanceOf(Step.DevicesDepend.class);
        return ((Step.DevicesDepend) step).some().stream().map(DeviceId::value).toList();
    }

    private boolean isConnected(int meter) {
        return !server.sessions().of(ref(meter)).isEmpty();
    }

    @Test
    @Order(1)
    void everyDeviceFollowsByItselfAndTheOldRootGoes() throws Exception {
        Rollover ready = done(rollovers().startRoot(PER_HOUR, "twenty years", TESTER));
        String newRoot = Certificates.fingerprint(server.ca()
                .authorities()
                .find(ready.newAuthority())
                .orElseThrow()
                .certificate());
        await("all have fetched and trust the new root", () -> {
            Progress now = rollovers().progress(ready);
            return now.trusting() == METERS && now.fetched() == METERS;
        });
        assertThat(rollovers().progress(ready).missing()).isEmpty();
        assertThat(devices(ready, DeviceTrust.Only.MISSING)).isEmpty();
        assertThat(devices(ready, DeviceTrust.Only.ACKNOWLEDGED)).hasSize(METERS);
        assertThat(noted("root-learned")).isEqualTo(METERS);

        done(rollovers().move(ready.id(), false, "all trust it", TESTER));
        await("all have a certificate under the new root", () -> {
            Progress now = rollovers().progress(ready);
            return now.moved() == METERS && now.depending() == 0;
        });
        done(rollovers().finish(ready.id(), "all have moved", TESTER));
        assertThat(server.ca().authorities().published()).doesNotContain(oldRoot);
        await("all have dropped the old root", () -> noted("root-withdrawn") == METERS);

        // What is trusted survives a power cut, and is the new root alone.
        Agent first = agents.getFirst();
        first.cutPower().join();
        await("gone", () -> !isConnected(0));
        first.start();
        await("back", () -> isConnected(0));
        assertThat(notes).anyMatch(n -> n.endsWith(" root-learned: " + newRoot));
        assertThat(noted("root-refused")).isZero();
    }

    @Test
    @Order(2)
    void whoStaysAwayIsNamedAndComesBackByTheOldRootsWord() throws Exception {
        String away = CITY.meters().get(METERS - 1).id();
        Agent last = agents.getLast();
        last.cutPower().join();
        await("gone", () -> !isConnected(METERS - 1));

        Rollover ready = done(rollovers().startRoot(PER_HOUR, "twenty years", TESTER));
        await("the others trust it", () -> rollovers().progress(ready).trusting() == METERS - 1);
        assertThat(missing(rollovers().move(ready.id(), false, "too early", TESTER)))
                .containsExactly(away);
        assertThat(devices(ready, DeviceTrust.Only.MISSING)).containsExactly(away);
        done(rollovers().move(ready.id(), true, "it is in a cellar", TESTER));
        await("the others have moved", () -> rollovers().progress(ready).depending() == 1);
        assertThat(missing(rollovers().finish(ready.id(), "too early", TESTER))).containsExactly(away);

        last.start(); // it knows the old root alone
        await("it has moved", () -> rollovers().progress(ready).depending() == 0);
        await("it trusts the new root", () -> rollovers().progress(ready).trusting() == METERS);
        done(rollovers().finish(ready.id(), "all have moved", TESTER));
        await("all have dropped the old root", () -> noted("root-withdrawn") == METERS);
        await("it is back", () -> isConnected(METERS - 1));
    }

    @Test
    @Order(3)
    void twoPeopleMayLeaveItBehindAndItStandsInTheJournal() throws Exception {
        String away = CITY.meters().get(METERS - 1).id();
        Agent last = agents.getLast();
        last.cutPower().join();
        await("gone", () -> !isConnected(METERS - 1));
        Rollover ready = done(rollovers().startRoot(PER_HOUR, "twenty years", TESTER));
        await("the others trust it", () -> rollovers().progress(ready).trusting() == METERS - 1);
        done(rollovers().move(ready.id(), true, "it was stolen", TESTER));
        await("the others have moved", () -> rollovers().progress(ready).depending() == 1);

        for (int i = 0; i < 2; i++) { // one person twice is one person
            assertThat(rollovers().finishLeavingBehind(ready.id(), "operator:ada", "it was stolen", TESTER))
                    .isInstanceOfSatisfying(
                            Step.NeedsAnother.class,
                            another -> assertThat(another.devices()).isEqualTo(1));
        }
        assertThat(missing(rollovers().finish(ready.id(), "without a second", TESTER)))
                .containsExactly(away);
        assertThat(rollovers().waivers(ready)).singleElement().satisfies(waiver -> {
            assertThat(waiver.person()).isEqualTo("operator:ada");
            assertThat(waiver.reason()).isEqualTo("it was stolen");
        });
        done(rollovers().finishLeavingBehind(ready.id(), "operator:ben", "it was, I saw the report", TESTER));
        await(
                "the journal says who agreed",
                () -> journal.stream()
                        .anyMatch(entry -> entry.contains("\"kind\":\"rollover.ended\"")
                                && entry.contains("operator:ada")
                                && entry.contains("operator:ben")
                                && entry.contains("\"leftBehind\":1")));
        assertThat(journal).anyMatch(entry -> entry.contains("\"kind\":\"rollover.waived\""));

        await("the others have dropped the old root", () -> noted("root-withdrawn") == METERS - 1);
        last.start();
        await(
                "who was left behind does not know us any more",
                () -> notes.stream()
                        .anyMatch(n ->
                                n.startsWith(away + " disconnected: ") || n.startsWith(away + " roots-not-heard: ")));
        assertThat(isConnected(METERS - 1)).isFalse();
    }
}
