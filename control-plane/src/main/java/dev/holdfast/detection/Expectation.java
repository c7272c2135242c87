package dev.holdfast.detection;

import dev.holdfast.inventory.Model;
import dev.holdfast.inventory.Network;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// What is expected of a device, compiled from its model for the hot path; one for all devices of a model.
final class Expectation {
    final Duration interval;
    final Map<String, Model.Band> bands;
    final Map<String, String> configuration;
    private final List<Destination> destinations;

    private record Destination(Network network, String protocol, int port) {}

    private Expectation(
            Duration interval,
            Map<String, Model.Band> bands,
            Map<String, String> configuration,
            List<Destination> destinations) {
        this.interval = interval;
        this.bands = bands;
        this.configuration = configuration;
        this.destinations = destinations;
    }

    static Expectation of(Model model) {
        return new Expectation(
                model.expectedInterval(),
                model.bands(),
                model.desiredConfiguration(),
                model.allowedFlows().stream()
                        .map(flow -> new Destination(Network.parse(flow.network()), flow.protocol(), flow.port()))
                        .toList());
    }

    boolean statesDestinations() {
        return !destinations.isEmpty();
    }

    /// Whether the model allows this destination; an address that can't be read is not allowed.
    boolean allows(String address, String protocol, int port) {
        Optional<byte[]> octets = Network.literal(address);
        if (octets.isEmpty()) {
            return false;
        }
        for (Destination d : destinations) {
            if ((d.port() == 0 || d.port() == port)
                    && d.protocol().equals(protocol)
                    && d.network().contains(octets.get())) {
                return true;
            }
        }
        return false;
    }
}
