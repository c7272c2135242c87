package dev.holdfast.response;

import dev.holdfast.core.Actor;
import dev.holdfast.core.DeviceId;
import dev.holdfast.detection.Finding;
import dev.holdfast.inventory.Device;
import dev.holdfast.inventory.Inventory;
import dev.holdfast.journal.Journal;
import dev.holdfast.journal.Transaction;
import dev.holdfast.response.Action.Status;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Isolation that a person orders, after a preview that says what it would do.
final class IsolationByHand {
    private static final int MOST_BY_HAND = 1_000;

    private final Journal journal;
    private final Inventory inventory;
    private final Responder responder;

    IsolationByHand(Journal journal, Inventory inventory, Responder responder) {
        this.journal = journal;
        this.inventory = inventory;
        this.responder = responder;
    }

    /// What [#isolate] would do: how many, which, until when, and how to undo it.
    IsolationPreview preview(IsolationWish wish) {
        return journal.commit(tx -> preview(tx, wish, chosen(wish)));
    }

    private IsolationPreview preview(Transaction tx, IsolationWish wish, List<Device> chosen) {
        PolicyStore.Policy policy = PolicyStore.read(tx.sql(), wish.environment());
        List<Device> movable =
                chosen.stream().filter(d -> movable(d, wish.kind())).toList();
        List<IsolationPreview.Exempt> exempt = new ArrayList<>();
        List<DeviceId> children = new ArrayList<>();
        for (Device device : movable) {
            inventory
                    .behind(tx, device.ref())
                    .forEach(child -> children.add(child.ref().id()));
            policy.neverIsolate()
                    .match(device.attributes())
                    .ifPresent(rule ->
                            exempt.add(new IsolationPreview.Exempt(device.ref().id(), rule.text())));
        }
        Instant since = tx.now().minus(policy.limits().window());
        int used = ActionStore.automaticWeight(tx.sql(), wish.environment(), Optional.empty(), since);
        int limit = policy.limits().allowance(inventory.count(tx, wish.environment(), dev.holdfast.core.Selector.ALL));
        return new IsolationPreview(
                movable.size(),
                movable.stream().limit(100).map(d -> d.ref().id()).toList(),
                children.size(),
                children.stream().limit(100).toList(),
                exempt,
                chosen.size() - movable.size(),
                tx.now().plus(wish.limit()),
                "undo the incident, or wait until then: each device returns to the state it is in now",
                movable.stream().map(d -> Legs.intended(d, tx.now())).findFirst(),
                used,
                limit);
    }

    private static boolean movable(Device device, Action.Kind kind) {
        return device.state() != kind.state() && device.state().mayBecome(kind.state());
    }

    private List<Device> chosen(IsolationWish wish) {
        List<Device> chosen = inventory.list(wish.environment(), wish.which(), "", "", MOST_BY_HAND + 1);
        if (chosen.size() > MOST_BY_HAND) {
            throw new IllegalArgumentException(
                    "more than " + MOST_BY_HAND + " devices at once; name fewer, or retire or suspend by model");
        }
        return chosen;
    }

    /// @param expected the count that the preview showed
    Outcome<Outcome.Isolated> isolate(IsolationWish wish, int expected, Actor actor) {
        List<Device> chosen = chosen(wish);
        return journal.commit(tx -> {
            List<Device> movable =
                    chosen.stream().filter(d -> movable(d, wish.kind())).toList();
            if (movable.isEmpty()) {
                return chosen.isEmpty()
                        ? new Outcome.NotFound<>("a device that " + wish.environment() + " names so")
                        : new Outcome.Conflict<>(
                                "it is " + chosen.getFirst().state().text() + " already");
            }
            if (movable.size() != expected) {
                return new Outcome.Conflict<>("it would be " + movable.size() + " devices by now, not " + expected
                        + ": look at the preview again");
            }
            List<Action> done = new ArrayList<>();
            for (Device device : movable) {
                byHand(tx, wish, device, actor).ifPresent(done::add);
            }
            return new Outcome.Done<>(new Outcome.Isolated(done));
        });
    }

    private Optional<Action> byHand(Transaction tx, IsolationWish wish, Device device, Actor actor) {
        Incident.Evidence evidence = new Incident.Evidence(
                "ISOLATED_BY_HAND",
                Finding.Severity.HIGH,
                dev.holdfast.telemetry.Provenance.CLAIMED,
                tx.now(),
                tx.now(),
                "in service",
                wish.reason());
        Incident.Subject subject = new Incident.Subject.OfDevice(device.ref());
        Incident incident = responder.save(
                tx,
                Correlation.apply(IncidentStore.lockOpen(tx.sql(), subject), subject, Incident.Family.MANUAL, evidence),
                actor);
        ActionStore.lockLive(tx.sql(), device.ref()).stream()
                .filter(a -> a.kind() == wish.kind() && a.status() == Status.AWAITING_APPROVAL)
                .forEach(a -> Responder.refuse(tx, a, "isolated by hand", actor));
        return responder.enforce(
                tx, responder.byHand(tx, incident, device, wish, actor), device, Optional.empty(), actor);
    }
}
