package dev.holdfast.response;

import dev.holdfast.core.DeviceRef;
import dev.holdfast.detection.Finding;
import dev.holdfast.inventory.Device;
import dev.holdfast.inventory.Inventory;
import dev.holdfast.inventory.Risk;
import dev.holdfast.inventory.RiskClassifier;
import dev.holdfast.journal.Transaction;
import java.util.List;
import java.util.Optional;

/// Keeps a device's risk class in step with its incidents and its state: classified again whenever one of them
/// changes,
/// written only when the class or its reasons do.
final class RiskAssessor {
    private final Inventory inventory;

    RiskAssessor(Inventory inventory) {
        this.inventory = inventory;
    }

    void assess(Transaction tx, DeviceRef ref) {
        Optional<Device> found = inventory.lock(tx, ref);
        if (found.isEmpty()) {
            return;
        }
        Device device = found.get();
        List<Incident> open = IncidentStore.open(tx.sql(), ref);
        Risk risk = RiskClassifier.classify(
                device,
                inventory.model(ref.environment(), device.model()),
                new RiskClassifier.Facts(
                        inventory.behind(tx, ref).size(),
                        open.size(),
                        open.stream()
                                .map(Incident::severity)
                                .max(Finding.Severity::compareTo)
                                .map(severity -> Risk.Level.valueOf(severity.name()))),
                tx.now());
        if (!risk.equals(device.risk())) {
            inventory.setRisk(tx, ref, risk, Responder.ACTOR);
        }
    }
}
