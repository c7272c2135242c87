package dev.holdfast.api;

import dev.holdfast.access.Scope;
import dev.holdfast.core.Environment;
import dev.holdfast.core.FirmwareVersion;
import dev.holdfast.core.Selector;
import dev.holdfast.inventory.Lifecycle;
import dev.holdfast.response.Action;
import dev.holdfast.response.Response;
import dev.holdfast.web.Call;
import dev.holdfast.web.Fields;
import dev.holdfast.web.Handlers;
import dev.holdfast.web.Reply;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The whole at a glance: the overview and the map.
final class FleetEndpoint {
    private static final int MOST_ON_MAP = 20_000;

    private final Rooms rooms;
    private final FleetView fleet;

    FleetEndpoint(Rooms rooms, FleetView fleet) {
        this.rooms = rooms;
        this.fleet = fleet;
    }

    void register(Handlers handlers) {
        handlers.on("getFleetOverview", Scope.READ, this::overview);
        handlers.on("getFleetMap", Scope.READ, this::map);
    }

    private Reply overview(Call call) {
        Environment environment = call.environment();
        FleetView.Snapshot snapshot = fleet.snapshot(environment);
        return Reply.ok(Fields.of("at", snapshot.at())
                .with("journal", snapshot.journal())
                .with("environment", environment.value())
                .with("answer", answer(snapshot))
                .with("counters", counters(rooms, environment, snapshot))
                .with(
                        "districts",
                        snapshot.districts().entrySet().stream()
                                .map(d -> Fields.of("name", d.getKey())
                                        .with(
                                                "devices",
                                                d.getValue().values().stream()
                                                        .mapToInt(n -> n)
                                                        .sum())
                                        .with("health", health(d.getValue())))
                                .toList())
                .with("incidents", worst(environment))
                .with(
                        "rollouts",
                        RolloutsEndpoint.active(rooms, environment).stream()
                                .map(r -> RolloutsEndpoint.summary(rooms, r))
                                .toList())
                .with("switches", switches(rooms))
                .with("development", !rooms.developmentBecause().isEmpty()));
    }

    private Fields answer(FleetView.Snapshot snapshot) {
        int devices = snapshot.marks().size();
        int bad = snapshot.health().getOrDefault(Health.Level.BAD, 0);
        int watch = snapshot.health().getOrDefault(Health.Level.WATCH, 0);
        int unknown = snapshot.health().getOrDefault(Health.Level.UNKNOWN, 0);
        if (devices == 0) {
            return sentence(Health.Level.UNKNOWN, "There are no devices yet.");
        }
        if (bad > 0) {
            return sentence(
                    Health.Level.BAD,
                    "No: " + count(bad, "device needs", "devices need") + " attention" + also(watch) + ".");
        }
        if (watch > 0) {
            return sentence(
                    Health.Level.WATCH, "Mostly: " + count(watch, "device is", "devices are") + " worth watching.");
        }
        if (unknown == devices) {
            return sentence(Health.Level.UNKNOWN, "Not known yet: no device has been heard.");
        }
        return sentence(
                Health.Level.GOOD,
                "Yes: " + count(devices - unknown, "device does", "devices do") + " as expected"
                        + (unknown > 0 ? ", " + unknown + " not heard yet" : "") + ".");
    }

    private List<Fields> worst(Environment environment) {
        return rooms.response().incidents(environment, true, Optional.empty(), Long.MAX_VALUE, 500).stream()
                .sorted(Comparator.comparing((Response.Case c) -> c.incident().severity())
                        .thenComparing(c -> c.incident().updatedAt())
                        .reversed())
                .limit(20)
                .map(IncidentShapes::summary)
                .toList();
    }

    private static String also(int watch) {
        return watch == 0 ? "" : ", and " + count(watch, "is", "are") + " worth watching";
    }

    private static String count(int number, String one, String many) {
        return "%,d %s".formatted(number, number == 1 ? one : many);
    }

    private static Fields sentence(Health.Level health, String sentence) {
        return Fields.of("health", health.text()).with("sentence", sentence);
    }

    static Fields counters(Rooms rooms, Environment environment, FleetView.Snapshot snapshot) {
        Fields states = new Fields();
        for (Lifecycle state : Lifecycle.values()) {
            states.with(state.text(), snapshot.states().getOrDefault(state, 0));
        }
        return Fields.of("at", snapshot.at())
                .with("devices", snapshot.marks().size())
                .with("states", states)
                .with("health", health(snapshot.health()))
                .with(
                        "connected",
                        snapshot.marks().stream()
                                .filter(FleetView.Mark::connected)
                                .count())
                .with("sessions", rooms.sessions().count())
                .with("messagesPerSecond", rooms.messageRate().perSecond())
                .with("openIncidents", rooms.response().countOpen(environment))
                .with(
                        "awaitingApproval",
                        rooms.response().actions(environment, true, Optional.empty(), Long.MAX_VALUE, 500).stream()
                                .filter(a -> a.status() == Action.Status.AWAITING_APPROVAL)
                                .count())
                .with(
                        "activeRollouts",
                        RolloutsEndpoint.active(rooms, environment).size());
    }

    static Fields health(Map<Health.Level, Integer> counts) {
        Fields health = new Fields();
        for (Health.Level level : Health.Level.values()) {
            health.with(level.text(), counts.getOrDefault(level, 0));
        }
        return health;
    }

    static Fields switches(Rooms rooms) {
        return Fields.of("stopAll", RolloutsEndpoint.stopSwitch(rooms))
                .with("rolloutGate", rooms.configuration().switches().rolloutGate())
                .with("automaticIsolation", rooms.configuration().switches().automaticIsolation())
                .with("frozen", rooms.freeze().state().map(s -> s.reason()));
    }

    private Reply map(Call call) {
        Selector selector = call.selector();
        FleetView.Snapshot snapshot = selector.requirements().isEmpty()
                ? fleet.snapshot(call.environment())
                : fleet.take(call.environment(), selector, rooms.clock().instant());
        List<FleetView.Mark> marks = snapshot.marks()
                .subList(0, Math.min(MOST_ON_MAP, snapshot.marks().size()));
        Map<String, Integer> districts = new HashMap<>();
        Map<String, Integer> firmwares = new HashMap<>();
        List<String> districtNames = new ArrayList<>();
        List<String> firmwareNames = new ArrayList<>();
        List<Integer> district = new ArrayList<>(marks.size());
        List<Integer> firmware = new ArrayList<>(marks.size());
        StringBuilder health = new StringBuilder(marks.size());
        StringBuilder state = new StringBuilder(marks.size());
        StringBuilder connected = new StringBuilder(marks.size());
        for (FleetView.Mark mark : marks) {
            district.add(index(districts, districtNames, mark.district()));
            firmware.add(mark.firmware()
                    .map(FirmwareVersion::value)
                    .map(version -> index(firmwares, firmwareNames, version))
                    .orElse(-1));
            health.append(mark.health().letter());
            state.append(mark.state().text().charAt(0));
            connected.append(mark.connected() ? '1' : '0');
        }
        return Reply.ok(Fields.of("at", snapshot.at())
                .with("journal", snapshot.journal())
                .with("total", snapshot.marks().size())
                .with("districts", districtNames)
                .with("firmwares", firmwareNames)
                .with("ids", marks.stream().map(m -> m.id().value()).toList())
                .with("district", district)
                .with("health", health.toString())
                .with("state", state.toString())
                .with("connected", connected.toString())
                .with("firmware", firmware));
    }

    private static int index(Map<String, Integer> known, List<String> names, String name) {
        return known.computeIfAbsent(name, n -> {
            names.add(n);
            return names.size() - 1;
        });
    }
}
