package dev.holdfast.rollout;

import dev.holdfast.core.DeviceId;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.FirmwareVersion;
import dev.holdfast.core.Labels;
import dev.holdfast.database.Database;
import dev.holdfast.firmware.Firmware;
import dev.holdfast.firmware.Release;
import dev.holdfast.firmware.SigningKey;
import dev.holdfast.firmware.Stored;
import dev.holdfast.inventory.Inventory;
import dev.holdfast.inventory.Lifecycle;
import dev.holdfast.inventory.Model;
import dev.holdfast.journal.Freeze;
import dev.holdfast.journal.Journal;
import dev.holdfast.protocol.manifest.Manifest;
import dev.holdfast.protocol.manifest.SignedManifest;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.KeyPair;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;

/// The server's rooms and some devices in one process, to be killed by [CrashTest].
final class CrashChild {
    private static final InstantSource CLOCK = InstantSource.system();

    private static final int RELEASES = 30;

    private CrashChild() {}

    private record Rooms(Journal journal, Inventory inventory, Firmware firmware, Rollouts rollouts) {
        static Rooms open(Database database, Path artifacts, String node) {
            Journal journal = Journal.open(database, CLOCK);
            Inventory inventory = new Inventory(database, journal);
            Firmware firmware = new Firmware(database, journal, inventory, artifacts, 1 << 20);
            Rollouts rollouts = new Rollouts(
                    database,
                    journal,
                    inventory,
                    firmware,
                    (_, _) -> HealthSource.Health.UNKNOWN,
                    Freeze.open(database, journal),
                    node,
                    CLOCK,
                    System::nanoTime,
                    true);
            return new Rooms(journal, inventory, firmware, rollouts);
        }
    }

    /// A model, devices, and as many releases as rollouts may need.
    static void prepare(Database.Address address, Path artifacts, int devices) {
        try (Database database = Database.open(address, 4)) {
            Rooms rooms = Rooms.open(database, artifacts, "prepare");
            rooms.inventory()
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
            for (int i = 0; i < devices; i++) {
                DeviceRef device = Fleet.ref(i);
                rooms.inventory()
                        .register(
                                new Inventory.Registration(
                                        device, Fleet.MODEL, Labels.NONE, Optional.empty(), Lifecycle.ACTIVE),
                                Fleet.OPERATOR);
            }
            KeyPair key = Fleet.keyPair();
            rooms.firmware()
                    .registerKey(Fleet.ENVIRONMENT, SigningKey.Kind.MANIFEST, "test", Fleet.pem(key), Fleet.OPERATOR);
            for (int i = 0; i < RELEASES; i++) {
                byte[] image = ("image " + i).getBytes(StandardCharsets.UTF_8);
                Stored stored = rooms.firmware()
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
                rooms.firmware()
                        .registerManifest(
                                new Firmware.Declaration(Fleet.ENVIRONMENT, false),
                                SignedManifest.sign(manifest, key.getPrivate(), key.getPublic()),
                                Fleet.OPERATOR);
            }
            rooms.journal().close();
        }
    }

    public static void main(String[] arguments) {
        Database database = Database.open(new Database.Address(arguments[0], arguments[1], arguments[2]), 6);
        Rooms rooms = Rooms.open(database, Path.of(arguments[3]), "child-" + arguments[4]);
        rooms.journal().startTail();
        rooms.inventory().load();
        rooms.rollouts().start();
        Thread.ofPlatform().daemon().start(CrashChild::endWithParent);
        for (int thread = 0; thread < 4; thread++) {
            Random random = new Random(Long.parseLong(arguments[4]) + thread);
            boolean begins = thread == 0;
            Thread.ofPlatform().start(() -> {
                while (true) {
                    try {
                        if (begins) {
                            begin(rooms, random);
                        }
                        act(rooms, random);
                    } catch (RuntimeException away) {
                        // The database was killed, or another thread was first: go on.
                    }
                }
            });
        }
    }

    /// A test that is killed itself leaves nothing behind.
    private static void endWithParent() {
        try {
            while (System.in.read() >= 0) {
                // nothing is sent
            }
        } catch (java.io.IOException gone) {
            // as the end of the stream
        }
        Runtime.getRuntime().halt(1);
    }

    /// Some release, when no rollout is active; the bad ones are halted one after the other.
    private static void begin(Rooms rooms, Random random) {
        if (rooms.rollouts().list(Fleet.ENVIRONMENT, Long.MAX_VALUE, 5).stream()
                .anyMatch(r -> !r.state().over())) {
            return;
        }
        List<Release> releases = rooms.firmware().releases(Fleet.ENVIRONMENT, Long.MAX_VALUE, 400).stream()
                .filter(r -> r.state() == Release.State.REGISTERED)
                .sorted(Comparator.comparingLong(Release::id))
                .toList();
        long last = rooms.rollouts().list(Fleet.ENVIRONMENT, Long.MAX_VALUE, 1).stream()
                .map(r -> r.plan().release())
                .findFirst()
                .orElse(0L);
        List<Release> others = releases.stream().filter(r -> r.id() != last).toList();
        Release next = others.get(random.nextInt(others.size()));
        Release previous =
                others.stream().filter(r -> r.id() != next.id()).findFirst().orElseThrow();
        rooms.rollouts()
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
    private static void act(Rooms rooms, Random random) {
        DeviceRef device = new DeviceRef(Fleet.ENVIRONMENT, new DeviceId("m-" + random.nextInt(40)));
        switch (rooms.rollouts().offer(device, CLOCK.instant())) {
            case Offer.Nothing _ -> java.util.concurrent.locks.LockSupport.parkNanos(1_000_000);
            case Offer.Watched watched -> report(rooms, device, watched.rollout());
            case Offer.Cancel cancel -> say(rooms, device, cancel.action(), Feedback.Phase.CANCELLED);
            case Offer.Update update -> update(rooms, device, update, random);
        }
    }

    private static void update(Rooms rooms, DeviceRef device, Offer.Update update, Random random) {
        Optional<Offer.Work> work = rooms.rollouts().work(device, update.action());
        if (work.isEmpty()) {
            return;
        }
        try (ByteLeases.Transfer _ = rooms.rollouts().download(device, work.get(), () -> {})) {
            if (!rooms.rollouts().expose(device, work.get())) {
                return;
            }
        }
        Release release = work.get().release();
        if (release.id() % 2 == 0 && random.nextBoolean()) {
            say(rooms, device, update.action(), Feedback.Phase.FAILED);
            return;
        }
        say(rooms, device, update.action(), Feedback.Phase.SUCCEEDED);
        FirmwareVersion version = release.version();
        rooms.journal().run(tx -> rooms.inventory().reportFirmware(tx, device, version));
    }

    /// What a device does after a reboot, also when the server was killed before it heard of it.
    private static void report(Rooms rooms, DeviceRef device, long rollout) {
        Release release = rooms.rollouts()
                .get(rollout)
                .flatMap(r -> rooms.firmware().release(r.plan().release()))
                .orElseThrow();
        rooms.journal().run(tx -> rooms.inventory().reportFirmware(tx, device, release.version()));
    }

    private static void say(Rooms rooms, DeviceRef device, long action, Feedback.Phase phase) {
        if (rooms.rollouts().feedback(device, action, new Feedback(phase, "closed", "none", "said"))) {
            System.out.println("ack " + action);
            System.out.flush();
        }
    }
}
