package dev.holdfast.segmentation;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.holdfast.core.DeviceId;
import dev.holdfast.core.Json;
import dev.holdfast.inventory.Device;
import dev.holdfast.inventory.Lifecycle;
import dev.holdfast.inventory.Network;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// What a gateway must hold: who is behind it, and whom it must isolate. Pure.
///
/// A quarantined device reaches only what heals it; one whose identity is in doubt reaches nothing.
record Duty(List<Member> members, List<Isolated> isolated) {
    /// The label with the address under which the gateway sees the device; only operators set labels.
    static final String ADDRESS = "address";

    Duty {
        members = List.copyOf(members);
        isolated = List.copyOf(isolated);
    }

    record Member(DeviceId device, String address) {}

    /// @param allow `ip:port` of what it may still reach
    record Isolated(DeviceId device, String address, List<String> allow) {
        Isolated {
            allow = List.copyOf(allow);
        }
    }

    static Duty of(List<Device> behind, List<String> healing) {
        List<Member> members = new ArrayList<>();
        List<Isolated> isolated = new ArrayList<>();
        for (Device device : behind) {
            Optional<String> address = address(device);
            if (address.isEmpty() || device.state() == Lifecycle.RETIRED) {
                continue;
            }
            members.add(new Member(device.ref().id(), address.get()));
            switch (device.state()) {
                case QUARANTINED -> isolated.add(new Isolated(device.ref().id(), address.get(), healing));
                case SUSPENDED -> isolated.add(new Isolated(device.ref().id(), address.get(), List.of()));
                case REGISTERED, ENROLLED, ACTIVE, RETIRED -> {}
            }
        }
        return new Duty(members, isolated);
    }

    static Optional<String> address(Device device) {
        return device.labels()
                .get(ADDRESS)
                .filter(address -> Network.literal(address).isPresent());
    }

    boolean isolates(DeviceId device) {
        return isolated.stream().anyMatch(i -> i.device().equals(device));
    }

    /// Lays this duty over the gateway's desired state; keys of others stay.
    ObjectNode over(ObjectNode desired) {
        ArrayNode memberNodes = Json.mapper().createArrayNode();
        for (Member m : members) {
            memberNodes.addObject().put("device", m.device().value()).put("address", m.address());
        }
        ArrayNode isolatedNodes = Json.mapper().createArrayNode();
        for (Isolated i : isolated) {
            ObjectNode node =
                    isolatedNodes.addObject().put("device", i.device().value()).put("address", i.address());
            ArrayNode allow = node.putArray("allow");
            i.allow().forEach(allow::add);
        }
        desired.set("members", memberNodes);
        desired.set("isolated", isolatedNodes);
        return desired;
    }
}
