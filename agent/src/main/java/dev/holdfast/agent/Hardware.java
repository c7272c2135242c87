package dev.holdfast.agent;

import dev.holdfast.protocol.manifest.Manifest;
import java.util.Optional;

/// What a device is, as burnt in when it was made.
public record Hardware(String model, String revision) {

    /// Why firmware of this manifest must not run here; empty when it may.
    Optional<String> misfit(Manifest manifest, long counterFloor) {
        if (!manifest.model().equals(model)) {
            return Optional.of("made for model " + manifest.model() + ", this is " + model);
        }
        if (!manifest.hardware().contains(revision)) {
            return Optional.of("made for hardware " + manifest.hardware() + ", this is " + revision);
        }
        if (manifest.securityCounter() < counterFloor) {
            return Optional.of("security counter " + manifest.securityCounter() + " is below " + counterFloor);
        }
        return Optional.empty();
    }
}
