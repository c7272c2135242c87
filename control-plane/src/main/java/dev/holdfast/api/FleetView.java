package dev.holdfast.api;

import dev.holdfast.core.DeviceId;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Environment;
import dev.holdfast.core.FirmwareVersion;
import dev.holdfast.core.Selector;
import dev.holdfast.detection.Finding;
import dev.holdfast.inventory.Device;
import dev.holdfast.inventory.Lifecycle;
import dev.holdfast.inventory.Model;
import dev.holdfast.response.Response;
import dev.holdfast.web.Fields;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;

/// The whole fleet at a moment: what the overview, the map and the stream are made of.
///
/// One snapshot serves everybody who asks within its life. A snapshot lives longer the more it cost, so that looking
/// at a large fleet never takes more than a small share of a core.
public final class FleetView {
    private static final int PAGE = 10_000;
    private static final int MOST = 1_000_000;
    private static final int INCIDENTS = 500;
    private static final int MOST_INCIDENTS = 20_000;
    private static final Duration SHORTEST_LIFE = Duration.ofMillis(900);
    private static final int LIFE_PER_COST = 10;
    private static final Duration USUAL_INTERVAL = Duration.ofMinutes(15);

    private final Rooms rooms;
    private final Map<Environment, Slot> slots = new ConcurrentHashMap<>();

    public FleetView(Rooms rooms) {
        this.rooms = rooms;
    }

    /// @param district the label `district`, empty where there is none
    public record Mark(
            DeviceId id,
            Lifecycle state,
            Health.Level health,
            boolean connected,
            String district,
            Optional<FirmwareVersion> firmware) {
        Fields fields() {
            return Fields.of("id", id.value())
                    .with("state", state.text())
                    .with("health", health.text())
                    .with("connected", connected)
                    .with("district", district.isEmpty() ? null : district)
                    .with("firmware", firmware.map(FirmwareVersion::value));
        }
    }

    /// @param marks ordered by district and id; without retired devices
    public record Snapshot(
            Instant at,
            long journal,
            List<Mark> marks,
            Map<Lifecycle, Integer> states,
            Map<Health.Level, Integer> health,
            Map<String, Map<Health.Level, Integer>> districts) {}

    private static final class Slot {
        private volatile Snapshot snapshot = new Snapshot(Instant.EPOCH, 0, List.of(), Map.of(), Map.of(), Map.of());
        private Instant goodUntil = Instant.EPOCH;
    }

    public Snapshot snapshot(Environment environment) {
        if (slots.size() > 100) {
            slots.clear(); // somebody makes names up
        }
        Slot slot = slots.computeIfAbsent(environment, _ -> new Slot());
        synchronized (slot) {
            Instant now = rooms.clock().instant();
            if (now.isBefore(slot.goodUntil) && now.plus(Duration.ofMinutes(1)).isAfter(slot.goodUntil)) {
                return slot.snapshot;
            }
            long begun = System.nanoTime();
            Snapshot fresh = take(environment, Selector.ALL, now);
            Duration life = Duration.ofNanos((System.nanoTime() - begun) * LIFE_PER_COST);
            slot.snapshot = fresh;
            slot.goodUntil = now.plus(life.compareTo(SHORTEST_LIFE) > 0 ? life : SHORTEST_LIFE);
            return fresh;
        }
    }

    /// A snapshot of the devices a selector means.
    Snapshot take(Environment environment, Selector selector, Instant now) {
        long journal = rooms.journal().delivered();
        Map<DeviceRef, Finding.Severity> incidents = gravestOpenIncidents(environment);
        List<Mark> marks = new ArrayList<>();
        Map<Lifecycle, Integer> states = new EnumMap<>(Lifecycle.class);
        Map<Health.Level, Integer> health = new EnumMap<>(Health.Level.class);
        Map<String, Map<Health.Level, Integer>> districts = new TreeMap<>();
        String after = "";
        List<Device> page;
        do {
            page = rooms.inventory().list(environment, selector, "", after, PAGE);
            for (Device device : page) {
                states.merge(device.state(), 1, Integer::sum);
                if (device.state() != Lifecycle.RETIRED) {
                    Mark mark = mark(device, Optional.ofNullable(incidents.get(device.ref())), now);
                    marks.add(mark);
                    health.merge(mark.health(), 1, Integer::sum);
                    districts
                            .computeIfAbsent(mark.district(), _ -> new EnumMap<>(Health.Level.class))
                            .merge(mark.health(), 1, Integer::sum);
                }
            }
            after = page.isEmpty() ? after : page.getLast().ref().id().value();
        } while (page.size() == PAGE && marks.size() < MOST);
        marks.sort(Comparator.comparing(Mark::district).thenComparing(Mark::id));
        return new Snapshot(now, journal, marks, states, health, districts);
    }

    private Mark mark(Device device, Optional<Finding.Severity> incident, Instant now) {
        boolean connected = connected(device.ref());
        return new Mark(
                device.ref().id(),
                device.state(),
                Health.of(device, incident, interval(device), connected, now).level(),
                connected,
                device.labels().get("district").orElse(""),
                device.firmware());
    }

    /// The present mark of one device.
    public Optional<Mark> mark(DeviceRef ref) {
        return rooms.inventory()
                .find(ref)
                .map(device -> mark(device, gravest(ref), rooms.clock().instant()));
    }

    Health health(Device device) {
        return Health.of(
                device,
                gravest(device.ref()),
                interval(device),
                connected(device.ref()),
                rooms.clock().instant());
    }

    boolean connected(DeviceRef ref) {
        return !rooms.sessions().of(ref).isEmpty();
    }

    private Duration interval(Device device) {
        return rooms.inventory()
                .model(device.ref().environment(), device.model())
                .map(Model::expectedInterval)
                .orElse(USUAL_INTERVAL);
    }

    private Optional<Finding.Severity> gravest(DeviceRef ref) {
        return rooms.response().incidents(ref.environment(), true, Optional.of(ref), Long.MAX_VALUE, 50).stream()
                .map(c -> c.incident().severity())
                .max(Comparator.naturalOrder());
    }

    private Map<DeviceRef, Finding.Severity> gravestOpenIncidents(Environment environment) {
        Map<DeviceRef, Finding.Severity> gravest = new HashMap<>();
        long before = Long.MAX_VALUE;
        List<Response.Case> page;
        do {
            page = rooms.response().incidents(environment, true, Optional.empty(), before, INCIDENTS);
            for (Response.Case open : page) {
                IncidentsEndpoint.device(open.incident())
                        .ifPresent(device -> gravest.merge(
                                device, open.incident().severity(), (a, b) -> a.compareTo(b) >= 0 ? a : b));
            }
            before = page.isEmpty() ? before : page.getLast().incident().id().value();
        } while (page.size() == INCIDENTS && gravest.size() < MOST_INCIDENTS);
        return gravest;
    }
}
