package dev.holdfast.response;

import dev.holdfast.core.Actor;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Environment;
import dev.holdfast.core.Selector;
import dev.holdfast.detection.Detection;
import dev.holdfast.detection.Finding;
import dev.holdfast.identity.Identity;
import dev.holdfast.inventory.Device;
import dev.holdfast.inventory.Inventory;
import dev.holdfast.inventory.Lifecycle;
import dev.holdfast.inventory.Transition;
import dev.holdfast.journal.Entry;
import dev.holdfast.journal.Transaction;
import dev.holdfast.response.Action.Status;
import dev.holdfast.response.Incident.Handling;
import dev.holdfast.response.Incident.Subject;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/// Turns findings and orders into stored intents: everything here happens inside one change, together with its
/// journal
/// entries. What must happen outside (sessions cut, gateways told, people notified) follows from what is
/// stored, in
/// [Enforcement], in `segmentation` and in `notify`.
final class Responder {
    static final Actor.Holdfast ACTOR = new Actor.Holdfast("response");
    private static final String SITE = "site";

    private final Inventory inventory;
    private final Identity identity;
    private final Detection detection;
    private final boolean automatic;

    Responder(Inventory inventory, Identity identity, Detection detection, boolean automatic) {
        this.inventory = inventory;
        this.identity = identity;
        this.detection = detection;
        this.automatic = automatic;
    }

    /// Takes a finding up; nothing happens when another has.
    void handle(Transaction tx, long findingId) {
        Optional<Finding> claimed = detection.claim(tx, findingId);
        if (claimed.isEmpty()) {
            return;
        }
        Finding finding = claimed.get();
        // One at a time in an environment: the limits are counted under this lock.
        PolicyStore.Policy policy = PolicyStore.lock(tx.sql(), finding.device().environment());
        List<Incident> open = IncidentStore.lockOpen(tx.sql(), new Subject.OfDevice(finding.device()));
        Incident incident = save(tx, Correlation.apply(open, finding), ACTOR);
        detection.belongs(tx, findingId, incident.id().value());
        inventory
                .lock(tx, finding.device())
                .ifPresent(device -> Playbook.plan(incident, device, blastRadius(tx, policy, device), tx.now())
                        .forEach(step -> execute(tx, step, incident, finding, device)));
    }

    /// Stores the incident, and says so where people should hear of it.
    Incident save(Transaction tx, Correlation.Correlated correlated, Actor actor) {
        Incident incident = IncidentStore.save(tx.sql(), correlated.incident());
        switch (correlated.kind()) {
            case OPENED -> record(tx, "incident.opened", incident, actor, incident.summary());
            case ESCALATED -> record(tx, "incident.escalated", incident, actor, incident.summary());
            case MORE_EVIDENCE -> {}
        }
        return incident;
    }

    private void execute(Transaction tx, Step step, Incident incident, Finding finding, Device device) {
        Optional<Action> live = ActionStore.lockLive(tx.sql(), device.ref()).stream()
                .filter(action -> action.kind() == kind(step))
                .findFirst();
        if (live.isPresent()) {
            return; // it is waiting for a person already
        }
        switch (step) {
            case Step.Quarantine q ->
                enforce(
                        tx,
                        draft(tx, incident, finding, device, Action.Kind.QUARANTINE, q.limit(), q.reason(), ""),
                        device,
                        Optional.empty(),
                        ACTOR);
            case Step.Suspend s ->
                enforce(
                        tx,
                        draft(tx, incident, finding, device, Action.Kind.SUSPEND, s.limit(), s.reason(), ""),
                        device,
                        Optional.empty(),
                        ACTOR);
            case Step.AwaitApproval w -> {
                Action waiting = ActionStore.insert(
                        tx.sql(),
                        draft(tx, incident, finding, device, w.kind(), w.limit(), w.reason(), w.waitsBecause()),
                        device.labels().get(SITE));
                record(tx, "isolation.awaiting-approval", waiting, ACTOR, w.waitsBecause());
            }
        }
    }

    private static Action.Kind kind(Step step) {
        return switch (step) {
            case Step.Quarantine _ -> Action.Kind.QUARANTINE;
            case Step.Suspend _ -> Action.Kind.SUSPEND;
            case Step.AwaitApproval w -> w.kind();
        };
    }

    private Action draft(
            Transaction tx,
            Incident incident,
            Finding finding,
            Device device,
            Action.Kind kind,
            Duration limit,
            String reason,
            String waitsBecause) {
        return new Action(
                new ActionId(0),
                Optional.of(incident.id()),
                device.ref(),
                kind,
                Status.AWAITING_APPROVAL,
                reason,
                waitsBecause,
                ACTOR.text(),
                true,
                limit,
                Optional.empty(),
                Optional.empty(),
                weight(tx, device),
                new Action.Times(
                        Optional.of(incident.firstObservedAt()),
                        Optional.of(finding.at()),
                        tx.now(),
                        Optional.empty(),
                        Optional.empty()),
                Legs.waiting(tx.now()),
                Optional.empty(),
                Optional.empty());
    }

    /// An isolation that a person ordered.
    Action byHand(Transaction tx, Incident incident, Device device, IsolationWish wish, Actor actor) {
        return new Action(
                new ActionId(0),
                Optional.of(incident.id()),
                device.ref(),
                wish.kind(),
                Status.AWAITING_APPROVAL,
                wish.reason(),
                "",
                actor.text(),
                false,
                wish.limit(),
                Optional.empty(),
                Optional.empty(),
                weight(tx, device),
                new Action.Times(Optional.empty(), Optional.empty(), tx.now(), Optional.empty(), Optional.empty()),
                Legs.waiting(tx.now()),
                Optional.empty(),
                Optional.empty());
    }

    int weight(Transaction tx, Device device) {
        return 1 + inventory.behind(tx, device.ref()).size();
    }

    /// Ends an action whose device was moved on by somebody else; does nothing while it still holds.
    void overtake(Transaction tx, Action action, String reason, String by) {
        Optional<Device> device = inventory.lock(tx, action.device());
        boolean holds = device.isPresent()
                && (action.isInForce()
                        ? device.get().state() == action.kind().state()
                                || device.get().state() == Lifecycle.SUSPENDED
                        : device.get().state() != Lifecycle.RETIRED);
        if (holds) {
            return;
        }
        Action over = action.over(
                Status.OVERTAKEN, Legs.lifting(action.legs(), tx.now()), new Handling(tx.now(), by, reason));
        ActionStore.update(tx.sql(), over);
        record(tx, "isolation.overtaken", over, ACTOR, "somebody else moved the device on: " + reason);
    }

    /// Puts an action in force: the device's state and the intent in one change.
    ///
    /// @return empty when the device's state does not allow it
    Optional<Action> enforce(Transaction tx, Action action, Device device, Optional<Handling> approval, Actor actor) {
        Instant until = tx.now().plus(action.limit());
        Transition transition = switch (action.kind()) {
            case QUARANTINE -> identity.quarantine(tx, device.ref(), action.reason(), Optional.of(until), actor);
            case SUSPEND -> identity.suspend(tx, device.ref(), action.reason(), Optional.of(until), actor);
        };
        return switch (transition) {
            case Transition.Changed changed -> {
                Action inForce =
                        action.inForce(changed.from(), tx.now(), Legs.intended(changed.device(), tx.now()), approval);
                if (action.id().value() == 0) {
                    inForce = ActionStore.insert(
                            tx.sql(), inForce, device.labels().get(SITE));
                } else {
                    ActionStore.update(tx.sql(), inForce);
                }
                record(tx, "isolation.intended", inForce, actor, action.reason());
                yield Optional.of(inForce);
            }
            case Transition.Already _, Transition.NotAllowed _, Transition.UnknownDevice _ -> Optional.empty();
        };
    }

    /// Ends an action that is in force, and returns the device to where it came from.
    ///
    /// Where a second isolation lies over this one, that one stays and returns the device further back
    /// when it ends.
    ///
    /// @return the action, over now
    Action end(Transaction tx, Action action, Status how, String reason, Actor actor) {
        Lifecycle before = action.stateBefore().orElseThrow();
        Handling by = new Handling(tx.now(), actor.text(), reason);
        Optional<Action> above = ActionStore.lockLive(tx.sql(), action.device()).stream()
                .filter(other -> other.isInForce()
                        && !other.id().equals(action.id())
                        && other.stateBefore().equals(Optional.of(action.kind().state())))
                .findFirst();
        Optional<Device> device = inventory.lock(tx, action.device());
        Action over;
        if (above.isPresent()) {
            ActionStore.update(tx.sql(), above.get().returningTo(action.stateBefore()));
            over = action.over(
                    how,
                    Legs.lifted(action.legs(), "held by action " + above.get().id(), tx.now()),
                    by);
        } else if (device.isPresent() && device.get().state() == action.kind().state()) {
            identity.reinstate(tx, action.device(), before, reason, untilOf(tx, action, before), actor);
            over = action.over(how, Legs.lifting(action.legs(), tx.now()), by);
        } else {
            over = action.over(Status.OVERTAKEN, Legs.lifted(action.legs(), "the device has moved on", tx.now()), by);
        }
        ActionStore.update(tx.sql(), over);
        record(tx, "isolation." + word(over.status()), over, actor, reason);
        return over;
    }

    /// A person says no to what waits.
    static void refuse(Transaction tx, Action action, String reason, Actor actor) {
        Action refused = action.over(
                Status.REFUSED,
                Legs.lifted(action.legs(), "it was refused", tx.now()),
                new Handling(tx.now(), actor.text(), reason));
        ActionStore.update(tx.sql(), refused);
        record(tx, "isolation.refused", refused, actor, reason);
    }

    /// Closes the incident whose isolation a person has taken back, and those that the same isolation answered:
    /// about what the device itself did, with nothing of their own in force or waiting.
    void settle(Transaction tx, DeviceRef device, Optional<IncidentId> undone, String reason, Actor actor) {
        for (Incident open : IncidentStore.lockOpen(tx.sql(), new Subject.OfDevice(device))) {
            boolean live = ActionStore.ofIncident(tx.sql(), open.id()).stream()
                    .anyMatch(action -> action.isInForce() || action.status() == Status.AWAITING_APPROVAL);
            if (!live && (undone.equals(Optional.of(open.id())) || Playbook.isolates(open.family()))) {
                String because = "undone: " + reason;
                Incident closed = open.closed(new Handling(tx.now(), actor.text(), because));
                IncidentStore.save(tx.sql(), closed);
                record(tx, "incident.closed", closed, actor, because);
            }
        }
    }

    /// A good attestation has followed: what was done because of bad or missing ones ends, and so do their
    /// incidents. What else holds the device goes on holding it.
    void heal(Transaction tx, DeviceRef device, String reason) {
        for (Incident open : IncidentStore.lockOpen(tx.sql(), new Subject.OfDevice(device))) {
            if (open.family() != Incident.Family.INTEGRITY) {
                continue;
            }
            for (Action action : ActionStore.ofIncident(tx.sql(), open.id())) {
                if (action.isInForce()) {
                    end(tx, action, Status.HEALED, reason, ACTOR);
                } else if (action.status() == Status.AWAITING_APPROVAL) {
                    withdraw(tx, action, reason);
                }
            }
            Incident closed = open.closed(new Handling(tx.now(), ACTOR.text(), reason));
            IncidentStore.save(tx.sql(), closed);
            record(tx, "incident.closed", closed, ACTOR, reason);
        }
    }

    private static void withdraw(Transaction tx, Action action, String reason) {
        Action over = action.over(
                Status.HEALED,
                Legs.lifted(action.legs(), "it is not needed any more", tx.now()),
                new Handling(tx.now(), ACTOR.text(), reason));
        ActionStore.update(tx.sql(), over);
        record(tx, "isolation.healed", over, ACTOR, reason);
    }

    /// A device that returns to quarantine keeps the time limit of that.
    private Optional<Instant> untilOf(Transaction tx, Action ending, Lifecycle before) {
        return ActionStore.lockLive(tx.sql(), ending.device()).stream()
                .filter(other -> other.isInForce() && other.kind().state() == before)
                .findFirst()
                .flatMap(Action::until);
    }

    private static String word(Status status) {
        return switch (status) {
            case UNDONE -> "undone";
            case EXPIRED -> "expired";
            case HEALED -> "healed";
            case REFUSED -> "refused";
            case OVERTAKEN -> "overtaken";
            case AWAITING_APPROVAL, IN_FORCE -> throw new IllegalArgumentException("not over: " + status);
        };
    }

    BlastRadius blastRadius(Transaction tx, PolicyStore.Policy policy, Device device) {
        Environment environment = device.ref().environment();
        Instant since = tx.now().minus(policy.limits().window());
        List<Device> children = inventory.behind(tx, device.ref());
        Optional<BlastRadius.Site> site = device.labels()
                .get(SITE)
                .map(name -> new BlastRadius.Site(
                        name,
                        inventory.count(
                                tx,
                                environment,
                                new Selector(List.of(new Selector.Requirement.In(SITE, Set.of(name))))),
                        ActionStore.automaticWeight(tx.sql(), environment, Optional.of(name), since)));
        return new BlastRadius(
                policy.limits(),
                1 + children.size(),
                inventory.count(tx, environment, Selector.ALL),
                ActionStore.automaticWeight(tx.sql(), environment, Optional.empty(), since),
                site,
                exempt(policy.neverIsolate(), device, children),
                !automatic,
                ActionStore.lastUndone(tx.sql(), device.ref()));
    }

    private static Optional<String> exempt(NeverIsolate never, Device device, List<Device> children) {
        Optional<String> itself =
                never.match(device.attributes()).map(rule -> "the never-isolate list names it: " + rule.text());
        return itself.or(() -> children.stream()
                .flatMap(child -> never
                        .match(child.attributes())
                        .map(rule -> "it would cut off " + child.ref().id() + ", which the never-isolate list names: "
                                + rule.text())
                        .stream())
                .findFirst());
    }

    static void record(Transaction tx, String kind, Incident incident, Actor actor, String reason) {
        Map<String, Object> body = new TreeMap<>();
        body.put("incident", incident.id().value());
        body.put("family", incident.family().name());
        body.put("severity", incident.severity().name());
        body.put("provenance", incident.provenance().name());
        body.put("causes", incident.causes().stream().sorted().toList());
        body.put("findings", incident.findings());
        tx.record(new Entry(
                kind, incident.subject().environment(), incident.subject().text(), actor, reason, body));
    }

    static void record(Transaction tx, String kind, Action action, Actor actor, String reason) {
        DeviceRef device = action.device();
        Map<String, Object> body = new TreeMap<>();
        body.put("action", action.id().value());
        action.incident().ifPresent(incident -> body.put("incident", incident.value()));
        body.put("isolation", action.kind().name());
        body.put("automatic", action.automatic());
        body.put("severity", "HIGH");
        body.put("weight", action.weight());
        action.until().ifPresent(until -> body.put("until", until.toString()));
        action.stateBefore().ifPresent(state -> body.put("stateBefore", state.text()));
        if (!action.waitsBecause().isEmpty()) {
            body.put("waitsBecause", action.waitsBecause());
        }
        tx.record(new Entry(kind, device.environment(), Inventory.subject(device), actor, reason, body));
    }
}
