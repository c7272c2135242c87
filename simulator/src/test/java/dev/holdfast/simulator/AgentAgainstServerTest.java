package dev.holdfast.simulator;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Server;
import dev.holdfast.agent.Agent;
import dev.holdfast.agent.AgentSettings;
import dev.holdfast.agent.DeviceIdentity;
import dev.holdfast.agent.Hardware;
import dev.holdfast.agent.MemoryDeviceStore;
import dev.holdfast.agent.Route;
import dev.holdfast.agent.Target;
import dev.holdfast.core.Actor;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Environment;
import dev.holdfast.core.FirmwareVersion;
import dev.holdfast.core.Labels;
import dev.holdfast.core.ModelId;
import dev.holdfast.firmware.Firmware;
import dev.holdfast.firmware.Registered;
import dev.holdfast.firmware.SigningKey;
import dev.holdfast.identity.EnrolmentTokens;
import dev.holdfast.inventory.Device;
import dev.holdfast.inventory.Inventory;
import dev.holdfast.inventory.Lifecycle;
import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.rollout.Plan;
import dev.holdfast.rollout.RolloutView;
import io.netty.channel.EventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The agent against the real server: everything over its real protocols; rooms are only asked what they know.
class AgentAgainstServerTest {
    private static final Environment ENVIRONMENT = new Environment("development");
    private static final Actor TESTER = new Actor.Holdfast("test");
    private static final Factory FACTORY = new Factory(new SecureRandom(), Instant.parse("2026-01-01T00:00:00Z"));
    private static final CityPlan CITY = CityPlan.of(7, 60);

    @TempDir
    private static Path folder;

    private static Server server;
    private static MultiThreadIoEventLoopGroup group;
    private final AtomicReference<Duration> ahead = new AtomicReference<>(Duration.ZERO);
    private final List<Agent> agents = new ArrayList<>();
    private final List<String> notes = new CopyOnWriteArrayList<>();

    @BeforeAll
    static void start() throws Exception {
        folder.toFile().setExecutable(true, false);
        server = MeterFleet.serve(folder.resolve("data"), Map.of());
        group = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
        server.firmware().registerKey(ENVIRONMENT, SigningKey.Kind.MANIFEST, "maker", FACTORY.releaseKeyPem(), TESTER);
    }

    @AfterAll
    static void stop() {
        group.shutdownGracefully(0, 1, TimeUnit.SECONDS).syncUninterruptibly();
        server.close();
    }

    @AfterEach
    void switchOff() {
        agents.forEach(agent -> agent.cutPower().join());
    }

    private static Device device(DeviceRef ref) {
        return server.inventory().find(ref).orElseThrow();
    }

    private static boolean runs(DeviceRef ref, String version) {
        return device(ref).firmware().equals(Optional.of(new FirmwareVersion(version)));
    }

    private DeviceRef register(CityPlan.Meter meter) {
        DeviceRef ref = DeviceRef.of(ENVIRONMENT.value(), meter.id());
        server.inventory().register(new Inventory.Registration(ref, new ModelId(CityPlan.MODEL), Labels.NONE), TESTER);
        return ref;
    }

    private Agent agent(CityPlan.Meter meter, AgentSettings.Credential credential) throws Exception {
        MemoryDeviceStore store = new MemoryDeviceStore();
        Agent.manufacture(store, CityPlan.FACTORY_VERSION, new FirmwareImage(CityPlan.FACTORY_VERSION, 0, 7).bytes());
        X509Certificate root = server.ca().authorities().root().certificate();
        Agent agent = new Agent(
                new AgentSettings(
                        meter.id(),
                        new Hardware(CityPlan.MODEL, CityPlan.HARDWARE),
                        new Target("localhost", server.devicePort()),
                        new Target("localhost", server.mqttPort()),
                        "DEFAULT",
                        Route.DIRECT,
                        DeviceIdentity.certificatesFromPem(
                                Certificates.pem(root).getBytes(StandardCharsets.US_ASCII)),
                        List.of(FACTORY.releaseKey()),
                        Optional.of(credential),
                        Duration.ofSeconds(1),
                        new AgentSettings.Pace(
                                Duration.ofMillis(50),
                                Duration.ofSeconds(20),
                                Duration.ofMillis(200),
                                Duration.ofSeconds(1),
                                Duration.ofMillis(200),
                                Duration.ofSeconds(2),
                                Duration.ofSeconds(20),
                                Duration.ofSeconds(20),
                                Duration.ofSeconds(20),
                                Duration.ofHours(1))),
                store,
                new MeterPlatform(meter),
                (EventLoop) group.next(),
                () -> Instant.now().plus(ahead.get()),
                new SecureRandom(),
                (event, detail) -> notes.add(meter.id() + " " + event + ": " + detail));
        agents.add(agent);
        agent.start();
        return agent;
    }

    private AgentSettings.Credential token(DeviceRef ref) {
        EnrolmentTokens.Issued issued = server.identity().issueEnrolmentToken(ref, Duration.ofHours(1), TESTER);
        return new AgentSettings.Credential.Token(((EnrolmentTokens.Issued.Token) issued).secret());
    }

    private static long release(FirmwareImage firmware) {
        byte[] image = firmware.bytes();
        server.firmware()
                .upload(
                        ENVIRONMENT,
                        "kelp-meter-" + firmware.version() + ".img",
                        new ByteArrayInputStream(image),
                        Optional.empty(),
                        TESTER);
        Registered registered = server.firmware()
                .registerManifest(
                        new Firmware.Declaration(ENVIRONMENT, false), FACTORY.sign(firmware.version(), image), TESTER);
        assertThat(registered).isInstanceOf(Registered.Accepted.class);
        return ((Registered.Accepted) registered).release().id();
    }

    private static RolloutView rollout(long release, Optional<Long> previous) {
        Plan.Batch all = new Plan.Batch(
                "all", "", "100%", 10, Duration.ZERO, Duration.ofSeconds(2), 0.05, Duration.ofMinutes(2));
        return server.rollouts()
                .control()
                .create(
                        new Plan(
                                ENVIRONMENT,
                                new ModelId(CityPlan.MODEL),
                                "",
                                release,
                                previous.orElse(null),
                                false,
                                null,
                                List.of(all)),
                        "test",
                        TESTER);
    }

    @Test
    void enrolsByTokenReportsRenewsAndUpdatesAndComesBackFromABadUpdate() throws Exception {
        CityPlan.Meter meter = CITY.meters().getFirst();
        DeviceRef ref = register(meter);
        Agent agent = agent(meter, token(ref));

        MeterFleet.await(
                "in service with its firmware",
                notes,
                () -> device(ref).state() == Lifecycle.ACTIVE && runs(ref, CityPlan.FACTORY_VERSION));
        MeterFleet.await("measured", notes, () -> {
            server.telemetry().flush();
            return server.telemetry().latest(ref).containsKey("voltage");
        });

        DeviceIdentity first = agent.identity().get().orElseThrow();
        Duration life = Duration.between(
                first.certificate().getNotBefore().toInstant(),
                first.certificate().getNotAfter().toInstant());
        ahead.set(life.multipliedBy(84).dividedBy(100));
        MeterFleet.await("renewed with a new key", notes, () -> {
            DeviceIdentity now = agent.identity().join().orElseThrow();
            return !now.certificate().equals(first.certificate())
                    && !now.certificate()
                            .getPublicKey()
                            .equals(first.certificate().getPublicKey());
        });
        ahead.set(Duration.ZERO);
        MeterFleet.await(
                "connected again", notes, () -> !server.sessions().of(ref).isEmpty());

        long good = release(new FirmwareImage("1.1.0", 0, 7));
        RolloutView update = rollout(good, Optional.empty());
        MeterFleet.await("updated", notes, () -> runs(ref, "1.1.0"));
        MeterFleet.await(
                "rollout over: " + server.rollouts().get(update.id()),
                notes,
                () -> !server.rollouts()
                        .get(update.id())
                        .orElseThrow()
                        .state()
                        .name()
                        .equals("RUNNING"));

        long bad = release(new FirmwareImage("1.2.0", 1, 7));
        RolloutView broken = rollout(bad, Optional.of(good));
        MeterFleet.await(
                "the gate has stopped it",
                notes,
                () -> server.rollouts().get(broken.id()).orElseThrow().stop().isPresent());
        MeterFleet.await(
                "reverted by itself", notes, () -> notes.stream().anyMatch(n -> n.contains("feedback: failure")));
        assertThat(runs(ref, "1.1.0")).isTrue();
        assertThat(notes).anyMatch(n -> n.contains("crash: 1.2.0"));
    }

    @Test
    void enrolsByTheCertificateItsMakerGaveIt() throws Exception {
        CityPlan.Meter meter = CITY.meters().get(1);
        DeviceRef ref = register(meter);
        X509Certificate anchor = DeviceIdentity.certificatesFromPem(
                        FACTORY.anchorPem().getBytes(StandardCharsets.US_ASCII))
                .getFirst();
        server.identity().manufacturers().registerAnchor(ENVIRONMENT, "maker", anchor, TESTER);
        server.identity()
                .manufacturers()
                .registerSerial(Certificates.fingerprint(anchor), meter.serialNumber(), ref, TESTER);
        var _ = agent(meter, new AgentSettings.Credential.Manufacturer(FACTORY.make(meter.serialNumber())));
        MeterFleet.await("in service", notes, () -> device(ref).state() == Lifecycle.ACTIVE);
    }

    @Test
    void comesBackAfterAPowerCutWithoutEnrollingAgain() throws Exception {
        CityPlan.Meter meter = CITY.meters().get(2);
        DeviceRef ref = register(meter);
        Agent agent = agent(meter, token(ref));
        MeterFleet.await("in service", notes, () -> device(ref).state() == Lifecycle.ACTIVE);
        X509Certificate before = agent.identity().get().orElseThrow().certificate();
        agent.cutPower().get();
        MeterFleet.await("gone", notes, () -> server.sessions().of(ref).isEmpty());
        agent.start();
        MeterFleet.await("back", notes, () -> !server.sessions().of(ref).isEmpty());
        assertThat(agent.identity().get().orElseThrow().certificate()).isEqualTo(before);
    }
}
