package dev.holdfast.rollout;

import dev.holdfast.core.Actor;
import dev.holdfast.core.DeviceId;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Environment;
import dev.holdfast.core.FirmwareVersion;
import dev.holdfast.core.Labels;
import dev.holdfast.core.ModelId;
import dev.holdfast.database.Database;
import dev.holdfast.database.TestDatabase;
import dev.holdfast.firmware.Firmware;
import dev.holdfast.firmware.Registered;
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
import dev.holdfast.testkit.FakeClock;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.spec.ECGenParameterSpec;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/// A model, its devices and its releases over a real database, with a clock that the test moves.
public final class Fleet implements AutoCloseable {
    public static final Environment ENVIRONMENT = new Environment("development");
    public static final ModelId MODEL = new ModelId("meter");
    public static final Actor OPERATOR = new Actor.Operator("test");

    public final FakeClock clock = FakeClock.atStart();
    public final Database database;
    public final Journal journal;
    public final Freeze freeze;
    public final Inventory inventory;
    public final Firmware firmware;
    public final Rollouts rollouts;
    public final KeyPair key = keyPair();
    public final Map<DeviceRef, HealthSource.Health> health = new ConcurrentHashMap<>();

    public Fleet(boolean gateEnabled) {
        database = TestDatabase.fresh();
        journal = Journal.open(database, clock);
        freeze = Freeze.open(database, journal);
        inventory = new Inventory(database, journal);
        firmware = new Firmware(database, journal, inventory, folder(), 1 << 20);
        rollouts = new Rollouts(
                database,
                journal,
                inventory,
                firmware,
                (device, _) -> health.getOrDefault(device, HealthSource.Health.UNKNOWN),
                freeze,
                "node",
                clock,
                System::nanoTime,
                gateEnabled);
        journal.startTail();
        inventory.putModel(
                new Model(ENVIRONMENT, MODEL, "Acme", "rev-a", Duration.ofMinutes(1), Map.of(), List.of(), Map.of()),
                OPERATOR);
        firmware.registerKey(ENVIRONMENT, SigningKey.Kind.MANIFEST, "test", pem(key), OPERATOR);
    }

    private static Path folder() {
        try {
            Path folder = Files.createTempDirectory("holdfast-artifacts");
            folder.toFile().deleteOnExit();
            return folder;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public static KeyPair keyPair() {
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
            generator.initialize(new ECGenParameterSpec("secp256r1"));
            return generator.generateKeyPair();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    public static String pem(KeyPair key) {
        return "-----BEGIN PUBLIC KEY-----\n"
                + Base64.getMimeEncoder().encodeToString(key.getPublic().getEncoded())
                + "\n-----END PUBLIC KEY-----\n";
    }

    public static DeviceRef ref(int n) {
        return new DeviceRef(ENVIRONMENT, new DeviceId("m-" + n));
    }

    /// Devices `m-0` and on, in service, on version 1.0.
    public List<DeviceRef> devices(int count) {
        return devices(count, Map.of());
    }

    public List<DeviceRef> devices(int count, Map<String, String> labels) {
        List<DeviceRef> all = new ArrayList<>();
        int first = (int) inventory.count(ENVIRONMENT, dev.holdfast.core.Selector.ALL);
        journal.run(tx -> {
            for (int i = first; i < first + count; i++) {
                inventory.register(
                        tx,
                        new Inventory.Registration(
                                ref(i), MODEL, new Labels(labels), Optional.empty(), Lifecycle.ACTIVE),
                        OPERATOR);
                inventory.reportFirmware(tx, ref(i), new FirmwareVersion("1.0"));
            }
        });
        for (int i = first; i < first + count; i++) {
            all.add(ref(i));
        }
        settle();
        return all;
    }

    public Release release(String version, long counter, boolean irreversible) {
        byte[] image = ("image of " + version).repeat(50).getBytes(StandardCharsets.UTF_8);
        Stored stored = firmware.upload(
                ENVIRONMENT, version + ".img", new ByteArrayInputStream(image), Optional.empty(), OPERATOR);
        String digest = ((Stored.Done) stored).artifact().sha256().hex();
        Manifest manifest = new Manifest(
                MODEL.value(),
                List.of("rev-a"),
                version,
                counter,
                new Manifest.Image(version + ".img", image.length, digest));
        Registered registered = firmware.registerManifest(
                new Firmware.Declaration(ENVIRONMENT, irreversible),
                SignedManifest.sign(manifest, key.getPrivate(), key.getPublic()),
                OPERATOR);
        if (registered instanceof Registered.Accepted accepted) {
            return accepted.release();
        }
        throw new IllegalStateException(registered.toString());
    }

    public static Plan.Batch batch(String name, String size, int cap) {
        return new Plan.Batch(
                name, "", size, cap, Duration.ofMinutes(5), Duration.ofMinutes(10), 0.1, Duration.ofHours(1));
    }

    public static Plan plan(Release release, Optional<Release> previous, Plan.Batch... batches) {
        return new Plan(
                ENVIRONMENT,
                MODEL,
                "",
                release.id(),
                previous.map(Release::id).orElse(null),
                false,
                null,
                List.of(batches));
    }

    /// Waits until this node's memory has seen every committed entry.
    public void settle() {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
        while (journal.delivered() < journal.head().number()) {
            if (System.nanoTime() > deadline) {
                throw new IllegalStateException("the journal's tail does not come");
            }
            try {
                TimeUnit.MILLISECONDS.sleep(2);
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }
    }

    /// What the device is told now.
    public Offer poll(DeviceRef device) {
        settle();
        return rollouts.offer(device, clock.instant());
    }

    /// The device downloads the whole image.
    ///
    /// @return whether it got it
    public boolean download(DeviceRef device, Offer.Update update) {
        Optional<Offer.Work> work = rollouts.work(device, update.action());
        if (work.isEmpty()) {
            return false;
        }
        try (ByteLeases.Transfer transfer = rollouts.download(device, work.get(), () -> {})) {
            transfer.served(100);
            return rollouts.expose(device, work.get());
        }
    }

    public boolean say(DeviceRef device, long action, Feedback.Phase phase) {
        return rollouts.feedback(device, action, new Feedback(phase, "closed", "none", "said by the test"));
    }

    public void runs(DeviceRef device, String version) {
        journal.run(tx -> inventory.reportFirmware(tx, device, new FirmwareVersion(version)));
    }

    /// Polls, downloads, installs and reports the version; where the device is offered something.
    public boolean update(DeviceRef device, String version) {
        if (!(poll(device) instanceof Offer.Update update) || !download(device, update)) {
            return false;
        }
        say(device, update.action(), Feedback.Phase.SUCCEEDED);
        clock.advance(Duration.ofSeconds(1));
        runs(device, version);
        return true;
    }

    public void tick() {
        rollouts.tick(clock.instant());
        settle();
    }

    public RolloutView view(long id) {
        return rollouts.get(id).orElseThrow();
    }

    @Override
    public void close() {
        journal.close();
        database.close();
    }
}
