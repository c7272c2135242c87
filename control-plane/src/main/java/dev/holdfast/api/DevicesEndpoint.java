package dev.holdfast.api;

import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.access.Scope;
import dev.holdfast.core.DeviceId;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.FirmwareVersion;
import dev.holdfast.core.Labels;
import dev.holdfast.core.ModelId;
import dev.holdfast.core.Selector;
import dev.holdfast.inventory.Device;
import dev.holdfast.inventory.DeviceOrder;
import dev.holdfast.inventory.Inventory;
import dev.holdfast.inventory.Lifecycle;
import dev.holdfast.inventory.Transition;
import dev.holdfast.web.Call;
import dev.holdfast.web.Fields;
import dev.holdfast.web.Handlers;
import dev.holdfast.web.Problem;
import dev.holdfast.web.Reply;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// The inventory: listed, registered, labelled, moved from state to state.
final class DevicesEndpoint {
    private static final int MOST_LOOKED_AT = 20_000;

    private final Rooms rooms;
    private final FleetView fleet;

    DevicesEndpoint(Rooms rooms, FleetView fleet) {
        this.rooms = rooms;
        this.fleet = fleet;
    }

    void register(Handlers handlers) {
        handlers.on("listDevices", Scope.READ, this::list);
        handlers.on("registerDevice", Scope.DEVICES_WRITE, this::add);
        handlers.on("getDevice", Scope.READ, call -> {
            Device device = find(call);
            return Reply.ok(one(device)).etag(etag(device));
        });
        handlers.on("changeDevice", Scope.DEVICES_WRITE, this::change);
        handlers.on(
                "suspendDevice",
                Scope.DEVICES_WRITE,
                call -> moved(
                        call, rooms.identity().suspend(call.device(), call.reason(), Optional.empty(), call.actor())));
        handlers.on(
                "retireDevice",
                Scope.DEVICES_WRITE,
                call -> moved(call, rooms.identity().retire(call.device(), call.reason(), call.actor())));
        handlers.on(
                "reinstateDevice",
                Scope.DEVICES_WRITE,
                call -> moved(call, rooms.identity().reinstate(call.device(), call.reason(), call.actor())));
    }

    // ------------------------------------------------------------------ lists

    private Reply list(Call call) {
        String sort = call.text("sort").orElse("id");
        DeviceOrder order = order(sort);
        Selector selector = call.selector();
        String search = call.text("search").orElse("");
        Optional<Health.Level> health =
                call.text("health").map(text -> Health.Level.valueOf(text.toUpperCase(Locale.ROOT)));
        Optional<DeviceOrder.Position> after = call.cursor().map(cursor -> position(cursor, sort));
        List<Device> found = new ArrayList<>();
        int looked = 0;
        boolean more = true;
        while (more && found.size() <= call.limit() && looked < MOST_LOOKED_AT) {
            int page = health.isPresent() ? 500 : call.limit() + 1;
            List<Device> next = rooms.inventory().list(call.environment(), selector, search, order, after, page);
            looked += next.size();
            more = next.size() == page;
            next.stream()
                    .filter(d -> health.isEmpty() || fleet.health(d).level() == health.get())
                    .forEach(found::add);
            after = next.isEmpty() ? after : Optional.of(order.positionOf(next.getLast()));
        }
        boolean cut = found.size() > call.limit();
        List<Device> page = cut ? found.subList(0, call.limit()) : found;
        Fields reply = Fields.of("devices", page.stream().map(this::fields).toList())
                .with("total", total(call, selector, search, health));
        if (cut) {
            DeviceOrder.Position last = order.positionOf(page.getLast());
            reply.with("next", call.nextCursor(sort + "\n" + last.value() + "\n" + last.id()));
        } else if (more && after.isPresent()) {
            reply.with(
                    "next",
                    call.nextCursor(sort + "\n" + after.get().value() + "\n"
                            + after.get().id()));
        }
        return Reply.ok(reply);
    }

    private long total(Call call, Selector selector, String search, Optional<Health.Level> health) {
        if (health.isEmpty()) {
            return rooms.inventory().count(call.environment(), selector, search);
        }
        return fleet.take(call.environment(), selector, rooms.clock().instant()).marks().stream()
                .filter(m -> m.health() == health.get())
                .filter(m -> m.id().value().toLowerCase(Locale.ROOT).contains(search.toLowerCase(Locale.ROOT)))
                .count();
    }

    private static DeviceOrder order(String sort) {
        boolean descending = sort.startsWith("-");
        DeviceOrder.By by = switch (descending ? sort.substring(1) : sort) {
            case "lastContact" -> DeviceOrder.By.LAST_CONTACT;
            case "stateSince" -> DeviceOrder.By.STATE_SINCE;
            case "risk" -> DeviceOrder.By.RISK;
            default -> DeviceOrder.By.ID;
        };
        return new DeviceOrder(by, descending);
    }

    private static DeviceOrder.Position position(String cursor, String sort) {
        String[] parts = cursor.split("\n", -1);
        if (parts.length != 3 || !parts[0].equals(sort)) {
            throw Problem.malformed("?cursor", "belongs to a list in another order; begin again without it");
        }
        return new DeviceOrder.Position(parts[1], parts[2]);
    }

    // ------------------------------------------------------------------ changes

    private Reply add(Call call) {
        DeviceRef ref = new DeviceRef(call.environment(), new DeviceId(call.required("id")));
        Inventory.Registration wish = new Inventory.Registration(
                ref,
                new ModelId(call.required("model")),
                labels(call.body().path("labels")),
                call.optional("reachesVia").map(DeviceId::new),
                Lifecycle.REGISTERED);
        return switch (rooms.inventory().register(wish, call.actor())) {
            case Inventory.Registered.Created created ->
                Reply.created(fields(created.device())).etag(etag(created.device()));
            case Inventory.Registered.Exists _ ->
                throw Problem.conflict("device " + ref.id() + " is registered already");
            case Inventory.Registered.UnknownModel unknown ->
                throw Problem.conflict("there is no model " + unknown.model() + "; define it first (holdfast model set "
                        + unknown.model() + " --file FILE)");
        };
    }

    static Labels labels(JsonNode node) {
        Map<String, String> values = new HashMap<>();
        node.properties()
                .forEach(label -> values.put(label.getKey(), label.getValue().asText()));
        try {
            return new Labels(values);
        } catch (IllegalArgumentException e) {
            throw Problem.malformed("/labels", String.valueOf(e.getMessage()));
        }
    }

    private Reply change(Call call) {
        Device before = find(call);
        call.checkIfMatch(etag(before));
        Map<String, String> values = new TreeMap<>(before.labels().values());
        call.body().path("labels").properties().forEach(label -> {
            if (label.getValue().isNull()) {
                values.remove(label.getKey());
            } else {
                values.put(label.getKey(), label.getValue().asText());
            }
        });
        Labels after;
        try {
            after = new Labels(values);
        } catch (IllegalArgumentException e) {
            throw Problem.malformed("/labels", String.valueOf(e.getMessage()));
        }
        if (!after.equals(before.labels())) {
            rooms.inventory().setLabels(before.ref(), after, call.actor());
        }
        Device now = find(call);
        return Reply.ok(fields(now)).etag(etag(now));
    }

    private Reply moved(Call call, Transition transition) {
        return switch (transition) {
            case Transition.Changed changed -> Reply.ok(one(changed.device()));
            case Transition.Already already -> Reply.ok(one(already.device()));
            case Transition.NotAllowed no ->
                throw Problem.conflict(
                        "device " + call.id() + " is " + no.from().text() + ", from which it can't become "
                                + no.to().text());
            case Transition.UnknownDevice _ -> throw Problem.notFound("device " + call.id());
        };
    }

    // ------------------------------------------------------------------ shapes

    private Device find(Call call) {
        return rooms.inventory().find(call.device()).orElseThrow(() -> Problem.notFound("device " + call.id()));
    }

    static String etag(Device device) {
        return Call.etag(
                device.labels().values(),
                device.state().text(),
                device.stateSince().toString());
    }

    private Fields one(Device device) {
        boolean isolated = device.state() == Lifecycle.QUARANTINED || device.state() == Lifecycle.SUSPENDED;
        return fields(device)
                .with("legs", isolated ? IncidentsEndpoint.legs(rooms, device.ref()) : null)
                .with(
                        "openIncidents",
                        rooms.response()
                                .incidents(
                                        device.ref().environment(),
                                        true,
                                        Optional.of(device.ref()),
                                        Long.MAX_VALUE,
                                        100)
                                .size())
                .with(
                        "sessions",
                        rooms.sessions().of(device.ref()).stream()
                                .map(s -> Fields.of("protocol", s.protocol())
                                        .with("remoteAddress", s.remoteAddress())
                                        .with("since", s.since())
                                        .with("certificate", s.certificate().hex()))
                                .toList());
    }

    private Fields fields(Device device) {
        Health health = fleet.health(device);
        return Fields.of("id", device.ref().id().value())
                .with("environment", device.ref().environment().value())
                .with("model", device.model().value())
                .with("labels", device.labels().values())
                .with("state", device.state().text())
                .with("stateSince", device.stateSince())
                .with("stateReason", device.stateReason())
                .with("stateUntil", device.stateUntil())
                .with("reachesVia", device.reachesVia().map(DeviceId::value))
                .with("registeredAt", device.registeredAt())
                .with("firmware", device.firmware().map(FirmwareVersion::value))
                .with("firmwareAt", device.firmwareAt())
                .with(
                        "risk",
                        Fields.of("level", device.risk().level().name().toLowerCase(Locale.ROOT))
                                .with("reasons", device.risk().reasons()))
                .with("lastContact", device.lastContact())
                .with("health", health.level().text())
                .with("healthReason", health.reason())
                .with("connected", fleet.connected(device.ref()))
                .with("etag", etag(device));
    }
}
