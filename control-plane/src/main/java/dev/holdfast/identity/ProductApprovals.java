package dev.holdfast.identity;

import dev.holdfast.core.Actor;
import dev.holdfast.core.DeviceId;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Environment;
import dev.holdfast.core.Labels;
import dev.holdfast.core.ModelId;
import dev.holdfast.inventory.Device;
import dev.holdfast.inventory.Inventory;
import dev.holdfast.journal.Journal;
import dev.holdfast.journal.Transaction;
import java.util.Optional;

/// A manufacturer's product that nobody registered and that knocked all the same: a person says which device
/// it is, and in one transaction the device is registered where it is not yet, the product's serial is that
/// device's, and the request is approved. The device's next try then goes on like that of a product that was
/// registered before.
public final class ProductApprovals {
    private final Journal journal;
    private final Inventory inventory;
    private final Manufacturers manufacturers;
    private final HeldRequests held;

    ProductApprovals(Journal journal, Inventory inventory, Manufacturers manufacturers, HeldRequests held) {
        this.journal = journal;
        this.inventory = inventory;
        this.manufacturers = manufacturers;
        this.held = held;
    }

    /// Which device a product is to be.
    ///
    /// @param device empty for one whose id is the product's serial
    /// @param model of a device that is not registered yet; empty where it is
    public record Naming(Optional<DeviceId> device, Optional<ModelId> model, Labels labels) {}

    public sealed interface Approved {
        record Done(HeldRequests.Held request) implements Approved {}

        record AlreadyDecided(HeldRequests.Held request) implements Approved {}

        record Unknown() implements Approved {}

        /// @param why for people
        record NotPossible(String why) implements Approved {}
    }

    public Approved approve(Environment environment, String id, Naming naming, String reason, Actor actor) {
        return journal.commit(tx -> approve(tx, environment, id, naming, reason, actor));
    }

    private Approved approve(
            Transaction tx, Environment environment, String id, Naming naming, String reason, Actor actor) {
        Optional<HeldRequests.Held> found = held.lock(tx, environment, id);
        if (found.isEmpty()) {
            return new Approved.Unknown();
        }
        if (found.get().state() != HeldRequests.State.WAITING) {
            return new Approved.AlreadyDecided(found.get());
        }
        if (found.get().product().isEmpty()) {
            return new Approved.NotPossible("the request is not of a product that nobody has registered");
        }
        HeldRequests.Product product = found.get().product().get();
        Optional<DeviceId> named = naming.device().or(() -> DeviceId.parse(product.serial()));
        if (named.isEmpty()) {
            return new Approved.NotPossible("the product's serial can't be a device's id: name the device");
        }
        DeviceRef device = new DeviceRef(environment, named.get());
        Optional<String> impossible = fault(tx, product, device, naming);
        if (impossible.isPresent()) {
            return new Approved.NotPossible(impossible.get());
        }
        if (inventory.lock(tx, device).isEmpty()) {
            inventory.register(
                    tx, new Inventory.Registration(device, naming.model().orElseThrow(), naming.labels()), actor);
        }
        switch (manufacturers.registerSerial(tx, product.anchor(), product.serial(), device, actor)) {
            case REGISTERED, ALREADY_REGISTERED -> {}
            case BELONGS_TO_ANOTHER_DEVICE, UNKNOWN_ANCHOR, UNKNOWN_DEVICE ->
                throw new IllegalStateException("product " + product + " changed under its lock");
        }
        held.decide(tx, environment, id, true, reason, actor);
        return new Approved.Done(held.lock(tx, environment, id).orElseThrow());
    }

    /// What stands against it; looked at before anything is written.
    private Optional<String> fault(Transaction tx, HeldRequests.Product product, DeviceRef device, Naming naming) {
        if (EnrolmentStore.anchors(tx.sql()).stream()
                .noneMatch(
                        a -> a.id().equals(product.anchor()) && a.environment().equals(device.environment()))) {
            return Optional.of("the manufacturer's anchor was removed");
        }
        Optional<DeviceRef> owner = manufacturers.deviceOf(tx, product.anchor(), product.serial());
        if (owner.isPresent() && !owner.get().equals(device)) {
            return Optional.of("the product is device " + owner.get().id() + " already");
        }
        Optional<Device> known = inventory.lock(tx, device);
        if (known.isEmpty() && naming.model().isEmpty()) {
            return Optional.of("there is no device " + device.id() + ": name its model");
        }
        if (known.isEmpty()
                && inventory
                        .model(device.environment(), naming.model().orElseThrow())
                        .isEmpty()) {
            return Optional.of("there is no model " + naming.model().orElseThrow());
        }
        return known.filter(d -> naming.model().isPresent()
                        && !d.model().equals(naming.model().get()))
                .map(d -> "device " + device.id() + " is of model " + d.model());
    }
}
