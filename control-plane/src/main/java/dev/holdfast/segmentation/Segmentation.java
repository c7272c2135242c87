package dev.holdfast.segmentation;

import dev.holdfast.commands.Commands;
import dev.holdfast.commands.Desired;
import dev.holdfast.core.Actor;
import dev.holdfast.core.DeviceId;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Environment;
import dev.holdfast.database.Database;
import dev.holdfast.inventory.Device;
import dev.holdfast.inventory.Inventory;
import dev.holdfast.journal.Journal;
import dev.holdfast.journal.Recorded;
import dev.holdfast.journal.Transaction;
import dev.holdfast.telemetry.Observation;
import dev.holdfast.telemetry.ObservationConsumer;
import dev.holdfast.telemetry.Telemetry;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// What each enforcement point must hold, told to it as desired state, and what it confirmed.
///
/// A gateway's duty follows from the inventory alone, so it is computed again whenever a device behind it
/// changes, and
/// once for all when the server starts: a crash between a device's isolation and the gateway's order loses
/// nothing.
public final class Segmentation implements ObservationConsumer, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Segmentation.class);
    private static final Actor.Holdfast ACTOR = new Actor.Holdfast("segmentation");
    private static final long SLOW_MILLIS = 10_000;
    /// Registrations come in crowds; isolations don't wait for them.
    private static final long CROWD_MILLIS = 200;

    private final Database database;
    private final Journal journal;
    private final Inventory inventory;
    private final Commands commands;
    private final Supplier<List<String>> healing;
    private final Set<DeviceRef> stale = ConcurrentHashMap.newKeySet();
    private final Map<DeviceRef, Long> applied = new ConcurrentHashMap<>();
    private final List<Consumer<DeviceRef>> listeners = new CopyOnWriteArrayList<>();
    private final Semaphore wake = new Semaphore(0);
    private volatile boolean urgent;
    private volatile boolean closing;
    private @Nullable Thread worker;

    /// How far the network isolates a device.
    public sealed interface NetworkLeg {
        String detail();

        record Unavailable(String detail) implements NetworkLeg {}

        record Pending(String detail) implements NetworkLeg {}

        record Confirmed(String detail) implements NetworkLeg {}
    }

    /// @param healing `ip:port` of what a quarantined device may still reach
    public Segmentation(
            Database database,
            Journal journal,
            Inventory inventory,
            Commands commands,
            Telemetry telemetry,
            Supplier<List<String>> healing) {
        this.database = database;
        this.journal = journal;
        this.inventory = inventory;
        this.commands = commands;
        this.healing = healing;
        journal.subscribe(this::follow);
        telemetry.subscribe(this);
    }

    /// Computes every gateway's duty again, and from then on those that change; called once, when the inventory
    /// is
    /// loaded.
    public void start() {
        stale.addAll(database.read(SegmentStore::gateways));
        worker = Thread.ofVirtual().name("segmentation").start(this::run);
    }

    /// Called when a gateway confirmed a revision; be quick.
    public void onConfirmed(Consumer<DeviceRef> listener) {
        listeners.add(listener);
    }

    /// Whether the network holds the device isolated (or has let go of it, where that is wanted).
    public NetworkLeg leg(Device device, boolean isolated) {
        if (device.reachesVia().isEmpty()) {
            return new NetworkLeg.Unavailable("no gateway is known through which it is reached");
        }
        DeviceRef gateway =
                new DeviceRef(device.ref().environment(), device.reachesVia().get());
        if (Duty.address(device).isEmpty()) {
            return new NetworkLeg.Unavailable(
                    "its address is not known: label it " + Duty.ADDRESS + "=<ip> for gateway " + gateway.id());
        }
        if (inventory.directory().find(gateway).isEmpty()) {
            return new NetworkLeg.Unavailable("gateway " + gateway.id() + " is not registered");
        }
        Optional<SegmentStore.Member> told = database.read(sql -> SegmentStore.find(sql, gateway, device.ref()));
        if (told.isEmpty() || told.get().isolated() != isolated) {
            return new NetworkLeg.Pending("gateway " + gateway.id() + " is being told");
        }
        long confirmed = Math.max(
                applied.getOrDefault(gateway, 0L),
                commands.desired(gateway).map(Desired::applied).orElse(0L));
        return confirmed >= told.get().revision()
                ? new NetworkLeg.Confirmed("confirmed by gateway " + gateway.id() + " at revision "
                        + told.get().revision())
                : new NetworkLeg.Pending("gateway " + gateway.id() + " has not confirmed revision "
                        + told.get().revision());
    }

    @Override
    public void observed(int shard, Observation observation) {
        if (observation instanceof Observation.ConfigurationReport report) {
            revision(report.settings().get("appliedRevision")).ifPresent(revision -> {
                applied.merge(report.device(), revision, Math::max);
                listeners.forEach(listener -> listener.accept(report.device()));
            });
        }
    }

    private static Optional<Long> revision(@Nullable String text) {
        return text != null && text.matches("[0-9]{1,18}") ? Optional.of(Long.parseLong(text)) : Optional.empty();
    }

    private void follow(Recorded entry) {
        var json = entry.json();
        String kind = json.path("kind").asText();
        if (!kind.startsWith("device.")) {
            return;
        }
        DeviceRef device = new DeviceRef(
                new Environment(json.path("environment").asText()),
                new DeviceId(json.path("subject").asText().substring("device:".length())));
        boolean isUrgent = kind.equals("device.quarantined") || kind.equals("device.suspended");
        switch (kind) {
            case "device.firmware-reported", "device.risk-assessed" -> {}
            default ->
                inventory
                        .directory()
                        .find(device)
                        .ifPresent(standing -> standing.reachesVia().ifPresent(gateway -> {
                            stale.add(new DeviceRef(device.environment(), gateway));
                            urgent = urgent || isUrgent;
                            wake.release();
                        }));
        }
    }

    private void run() {
        while (!closing) {
            try {
                refresh();
                if (wake.tryAcquire(SLOW_MILLIS, TimeUnit.MILLISECONDS)) {
                    long until = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(CROWD_MILLIS);
                    while (!urgent && System.nanoTime() - until < 0) {
                        wake.tryAcquire(until - System.nanoTime(), TimeUnit.NANOSECONDS);
                    }
                    wake.drainPermits();
                    urgent = false;
                }
            } catch (InterruptedException e) {
                return;
            }
        }
    }

    private void refresh() {
        for (DeviceRef gateway : List.copyOf(stale)) {
            stale.remove(gateway);
            try {
                if (inventory.directory().find(gateway).isPresent()) {
                    journal.run(tx -> tell(tx, gateway));
                }
            } catch (RuntimeException e) {
                stale.add(gateway); // tried again at the slow pace
                LOG.warn("gateway {} could not be told its duty: {}", gateway, e.toString());
            }
        }
    }

    private void tell(Transaction tx, DeviceRef gateway) {
        List<Device> behind = inventory.behind(tx, gateway);
        Duty duty = Duty.of(behind, healing.get());
        Desired desired = commands.change(
                tx,
                gateway,
                duty::over,
                duty.members().size() + " devices behind it, " + duty.isolated().size() + " isolated",
                ACTOR);
        Map<String, SegmentStore.Member> before = SegmentStore.all(tx.sql(), gateway);
        for (Duty.Member member : duty.members()) {
            String device = member.device().value();
            boolean isolated = duty.isolates(member.device());
            SegmentStore.Member known = before.remove(device);
            if (known == null || known.isolated() != isolated) {
                SegmentStore.put(tx.sql(), gateway, device, isolated, desired.revision());
            }
        }
        before.keySet().forEach(gone -> SegmentStore.remove(tx.sql(), gateway, gone));
    }

    @Override
    public void close() {
        closing = true;
        wake.release();
        try {
            if (worker != null) {
                worker.join();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
