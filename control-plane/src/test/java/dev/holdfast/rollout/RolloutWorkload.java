package dev.holdfast.rollout;

import dev.holdfast.Server;
import dev.holdfast.core.DeviceId;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.FirmwareVersion;
import dev.holdfast.core.Labels;
import dev.holdfast.firmware.Firmware;
import dev.holdfast.firmware.Release;
import dev.holdfast.firmware.SigningKey;
import dev.holdfast.firmware.Stored;
import dev.holdfast.inventory.Inventory;
import dev.holdfast.inventory.Lifecycle;
import dev.holdfast.inventory.Model;
import dev.holdfast.protocol.manifest.Manifest;
import dev.holdfast.protocol.manifest.SignedManifest;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.security.KeyPair;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;

/// Rollouts and the devices in them, inside a server that is going to be killed: rollouts begin, are offered, are
/// downloaded, fail and roll back as fast as the server lets them. Says `ack N` for each feedback of action N that the
/// server has acknowledged.
public final class RolloutWorkload {
    private static final InstantSource CLOCK = InstantSource.system();
    private static final int DEVICES = 40;
    private static final int RELEASES = 30;
    private final Server server;

    public RolloutWorkload(Server server) {
        this.server = server;
    }

    /// A model, devices, and as many releases as rollouts may need.
    public void prepare() {
        server.inventory()
                .putModel(
                        new Model(
                                Fleet.ENVIRONMENT,
                                Fleet.MODEL,
                                "Acme",
                                "rev-a",
                                Duration.ofMinutes(1),
                                Map.of(),
                                List.of(),
                                Map.of()),
                        Fleet.OPERATOR);
        for (int i = 0; i < DEVICES; i++) {
            DeviceRef device = Fleet.ref(i);
            server.inventory()
                    .register(
                            new Inventory.Registration(
                                    device, Fleet.MODEL, Labels.NONE, Optional.empty(), Lifecycle.ACTIVE),
                            Fleet.OPERATOR);
        }
        KeyPair key = Fleet.keyPair();
        server.firmware()
                .registerKey(Fleet.ENVIRONMENT, SigningKey.Kind.MANIFEST, "test", Fleet.pem(key), Fleet.OPERATOR);
        for (int i = 0; i < RELEASES; i++) {
            byte[] image = ("image " + i).getBytes(StandardCharsets.UTF_8);
            Stored stored = server.firmware()
                    .upload(
                            Fleet.ENVIRONMENT,
                            "i.img",
                            new ByteArrayInputStream(image),
                            Optional.empty(),
                            Fleet.OPERATOR);
            Manifest manifest = new Manifest(
                    Fleet.MODEL.value(),
                    List.of("rev-a"),
                    "1." + i,
                    1,
                    new Manifest.Image(
                            "i.img",
                            image.length,
                            ((Stored.Done) stored).artifact().sha256().hex()));
            server.firmware()
                    .registerManifest(
                            new Firmware.Declaration(Fleet.ENVIRONMENT, false),
                            SignedManifest.sign(manifest, key.getPrivate(), key.getPublic()),
                            Fleet.OPERATOR);
        }
    }

    /// Works until the process ends.
    public void start(long seed) {
        for (int thread = 0; thread < 4; thread++) {
            Random random = new Random(seed + thread);
            boolean begins = thread == 0;
            Thread.ofPlatform().daemon().start(() -> {
                while (true) {
                    try {
                        if (begins) {
                            begin(random);
                        }
                        act(random);
                    } catch (RuntimeException away) {
                        // The database was killed, or another thread was first: go on.
                    }
                }
            });
        }
    }

    /// Some release, when no rollout is active; the bad ones are halted one after the other.
    private void begin(Random random) {
        if (server.rollouts().list(Fleet.ENVIRONMENT, Long.MAX_VALUE, 5).stream()
                .anyMatch(r -> !r.state().over())) {
            return;
        }
        List<Release> releases = server.firmware().releases(Fleet.ENVIRONMENT, Long.MAX_VALUE, 400).stream()
                .filter(r -> r.state() == Release.State.REGISTERED)
                .sorted(Comparator.comparingLong(Release::id))
                .toList();
        long last = server.rollouts().list(Fleet.ENVIRONMENT, Long.MAX_VALUE, 1).stream()
                .map(r -> r.plan().release())
                .findFirst()
                .orElse(0L);
        List<Release> others = releases.stream().filter(r -> r.id() != last).toList();
        Release next = others.get(random.nextInt(others.size()));
        Release previous =
                others.stream().filter(r -> r.id() != next.id()).findFirst().orElseThrow();
        server.rollouts()
                .control()
                .create(
                        new Plan(
                                Fleet.ENVIRONMENT,
                                Fleet.MODEL,
                                "",
                                next.id(),
                                previous.id(),
                                false,
                                null,
                                List.of(batch("canary", "5", 5), batch("half", "50%", 8), batch("all", "100%", 12))),
                        "test",
                        Fleet.OPERATOR);
    }

    private static Plan.Batch batch(String name, String size, int cap) {
        return new Plan.Batch(name, "", size, cap, Duration.ZERO, Duration.ZERO, 0.3, Duration.ofHours(1));
    }

    /// One device asks, and does what it is told; every second release fails on half of them.
    private void act(Random random) {
        DeviceRef device = new DeviceRef(Fleet.ENVIRONMENT, new DeviceId("m-" + random.nextInt(DEVICES)));
        switch (server.rollouts().offer(device, CLOCK.instant())) {
            case Offer.Nothing _ -> java.util.concurrent.locks.LockSupport.parkNanos(1_000_000);
            case Offer.Watched watched -> report(device, watched.rollout());
            case Offer.Cancel cancel -> say(device, cancel.action(), Feedback.Phase.CANCELLED);
            case Offer.Update update -> update(device, update, random);
        }
    }

    private void update(DeviceRef device, Offer.Update update, Random random) {
        Optional<Offer.Work> work = server.rollouts().work(device, update.action());
        if (work.isEmpty()) {
            return;
        }
        try (ByteLeases.Transfer _ = server.rollouts().download(device, work.get(), () -> {})) {
            if (!server.rollouts().expose(device, work.get())) {
                return;
            }
        }
        Release release = work.get().release();
        if (release.id() % 2 == 0 && random.nextBoolean()) {
            say(device, update.action(), Feedback.Phase.FAILED);
            return;
        }
        say(device, update.action(), Feedback.Phase.SUCCEEDED);
        FirmwareVersion version = release.version();
        server.journal().run(tx -> server.inventory().reportFirmware(tx, device, version));
    }

    /// What a device does after a reboot, also when the server was killed before it heard of it.
    private void report(DeviceRef device, long rollout) {
        Release release = server.rollouts()
                .get(rollout)
                .flatMap(r -> server.firmware().release(r.plan().release()))
                .orElseThrow();
        server.journal().run(tx -> server.inventory().reportFirmware(tx, device, release.version()));
    }

    private void say(DeviceRef device, long action, Feedback.Phase phase) {
        if (server.rollouts().feedback(device, action, new Feedback(phase, "closed", "none", "said"))) {
            System.out.println("ack " + action);
            System.out.flush();
        }
    }
}
