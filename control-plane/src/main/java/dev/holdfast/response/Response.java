package dev.holdfast.response;

import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.core.Actor;
import dev.holdfast.core.DeviceId;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Environment;
import dev.holdfast.database.Database;
import dev.holdfast.detection.Detection;
import dev.holdfast.identity.Identity;
import dev.holdfast.inventory.Device;
import dev.holdfast.inventory.Inventory;
import dev.holdfast.journal.Entry;
import dev.holdfast.journal.Journal;
import dev.holdfast.journal.Transaction;
import dev.holdfast.response.Action.Status;
import dev.holdfast.response.Incident.Handling;
import dev.holdfast.segmentation.Segmentation;
import dev.holdfast.sessions.Sessions;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiFunction;

/// The room's door: incidents, and what is done about them by us and by people.
public final class Response implements AutoCloseable {
    private final Database database;
    private final Journal journal;
    private final Inventory inventory;
    private final Responder responder;
    private final IsolationByHand byHand;
    private final ResponseFollower follower;

    /// An incident with everything done about it, newest action first.
    public record Case(Incident incident, List<Action> actions) {
        public Case {
            actions = List.copyOf(actions);
        }

        /// Whether an action waits for a person.
        public boolean awaitsApproval() {
            return actions.stream().anyMatch(a -> a.status() == Status.AWAITING_APPROVAL);
        }
    }

    /// @param automatic whether isolation may happen without a person at all
    public Response(
            Database database,
            Journal journal,
            Inventory inventory,
            Sessions sessions,
            Identity identity,
            Detection detection,
            Segmentation segmentation,
            boolean automatic,
            InstantSource clock) {
        this.database = database;
        this.journal = journal;
        this.inventory = inventory;
        responder = new Responder(inventory, identity, detection, automatic);
        byHand = new IsolationByHand(journal, inventory, responder);
        Enforcement enforcement = new Enforcement(database, journal, inventory, sessions, segmentation, clock);
        follower = new ResponseFollower(
                database, journal, detection, responder, enforcement, new RiskAssessor(inventory), clock);
        journal.subscribe(follower::news);
        segmentation.onConfirmed(_ -> follower.wake());
    }

    /// Takes up what was found while nobody looked, and follows the journal from there; called once.
    public void start() {
        follower.start();
    }

    /// Incidents, newest first.
    ///
    /// @param before the number before which to begin; [Long#MAX_VALUE] for the first page
    public List<Case> incidents(
            Environment environment, boolean onlyOpen, Optional<DeviceRef> device, long before, int limit) {
        return database.read(sql -> {
            List<Incident> page = IncidentStore.list(sql, environment, onlyOpen, device, before, limit);
            Map<IncidentId, List<Action>> actions =
                    ActionStore.ofIncidents(sql, page.stream().map(Incident::id).toList());
            return page.stream()
                    .map(incident -> new Case(incident, actions.getOrDefault(incident.id(), List.of())))
                    .toList();
        });
    }

    public long countOpen(Environment environment) {
        return database.read(sql -> IncidentStore.countOpen(sql, environment));
    }

    public Optional<Case> find(Environment environment, IncidentId id) {
        return database.read(sql -> IncidentStore.find(sql, environment, id)
                .map(incident -> new Case(incident, ActionStore.ofIncident(sql, id))));
    }

    /// Actions, newest first.
    ///
    /// @param onlyLive those in force or awaiting approval
    public List<Action> actions(
            Environment environment, boolean onlyLive, Optional<DeviceRef> device, long before, int limit) {
        return database.read(sql -> ActionStore.list(sql, environment, onlyLive, device, before, limit));
    }

    public Outcome<Case> acknowledge(Environment environment, IncidentId id, String reason, Actor actor) {
        return change(environment, id, (tx, incident) -> {
            if (incident.status() != Incident.Status.OPEN) {
                return new Outcome.Conflict<>(
                        "it is " + incident.status().name().toLowerCase(java.util.Locale.ROOT));
            }
            Incident next = incident.acknowledged(new Handling(tx.now(), actor.text(), reason));
            IncidentStore.save(tx.sql(), next);
            Responder.record(tx, "incident.acknowledged", next, actor, reason);
            return done(tx, next);
        });
    }

    /// Closes the incident. Isolations that it led to stay in force; undo them first, where they should not.
    /// What still
    /// waits for approval is refused with it.
    public Outcome<Case> close(Environment environment, IncidentId id, String reason, Actor actor) {
        return change(environment, id, (tx, incident) -> {
            if (!incident.isOpen()) {
                return new Outcome.Conflict<>("it is closed");
            }
            ActionStore.ofIncident(tx.sql(), id).stream()
                    .filter(action -> action.status() == Status.AWAITING_APPROVAL)
                    .forEach(action -> Responder.refuse(tx, action, reason, actor));
            Incident next = incident.closed(new Handling(tx.now(), actor.text(), reason));
            IncidentStore.save(tx.sql(), next);
            Responder.record(tx, "incident.closed", next, actor, reason);
            return done(tx, next);
        });
    }

    /// Lets everything happen that waits for a person in this incident.
    public Outcome<Case> approve(Environment environment, IncidentId id, String reason, Actor actor) {
        return change(environment, id, (tx, incident) -> {
            List<Action> waiting = ActionStore.ofIncident(tx.sql(), id).stream()
                    .filter(action -> action.status() == Status.AWAITING_APPROVAL)
                    .toList();
            if (waiting.isEmpty()) {
                return new Outcome.Conflict<>("nothing waits for approval");
            }
            for (Action action : waiting) {
                Optional<Device> device = inventory.lock(tx, action.device());
                Optional<Handling> approval = Optional.of(new Handling(tx.now(), actor.text(), reason));
                if (device.isEmpty()
                        || responder
                                .enforce(tx, action, device.get(), approval, actor)
                                .isEmpty()) {
                    return new Outcome.Conflict<>("the device is "
                            + device.map(d -> d.state().text()).orElse("gone")
                            + ", from which it can't be isolated");
                }
            }
            return done(tx, incident);
        });
    }

    /// Says no to what waits for a person in this incident.
    public Outcome<Case> refuse(Environment environment, IncidentId id, String reason, Actor actor) {
        return change(environment, id, (tx, incident) -> {
            List<Action> waiting = ActionStore.ofIncident(tx.sql(), id).stream()
                    .filter(action -> action.status() == Status.AWAITING_APPROVAL)
                    .toList();
            waiting.forEach(action -> Responder.refuse(tx, action, reason, actor));
            return waiting.isEmpty() ? new Outcome.Conflict<>("nothing waits for approval") : done(tx, incident);
        });
    }

    /// Returns the device to the state before this incident's isolations, on all three legs, and closes the
    /// incident as undone, with the reason: whoever takes it back has judged it. A person's undo holds: for a
    /// day, the next automatic isolation of that device is theirs to approve. What the device does from then on
    /// is a new incident.
    public Outcome<Case> undo(Environment environment, IncidentId id, String reason, Actor actor) {
        return change(environment, id, (tx, incident) -> {
            List<Action> inForce = ActionStore.ofIncident(tx.sql(), id).stream()
                    .filter(Action::isInForce)
                    .toList();
            if (inForce.isEmpty()) {
                return new Outcome.Conflict<>(nothingToUndo(tx, incident));
            }
            inForce.forEach(action -> responder.end(tx, action, Status.UNDONE, reason, actor));
            inForce.stream()
                    .map(Action::device)
                    .distinct()
                    .forEach(device -> responder.settle(tx, device, Optional.of(id), reason, actor));
            return done(tx, IncidentStore.find(tx.sql(), environment, id).orElse(incident));
        });
    }

    /// An operator who meets the wrong one of two incidents is told which holds the device.
    private static String nothingToUndo(Transaction tx, Incident incident) {
        if (!(incident.subject() instanceof Incident.Subject.OfDevice of)) {
            return "nothing is in force that could be undone";
        }
        return ActionStore.lockLive(tx.sql(), of.device()).stream()
                .filter(Action::isInForce)
                .flatMap(action -> action.incident().stream())
                .findFirst()
                .map(holder -> "nothing of this incident is in force; incident " + holder + " holds the device")
                .orElse("nothing is in force that could be undone");
    }

    /// Undoes one action, such as an isolation by hand.
    public Outcome<Action> undo(Environment environment, ActionId id, String reason, Actor actor) {
        return journal.commit(tx -> {
            Optional<Action> action = ActionStore.lock(tx.sql(), environment, id);
            if (action.isEmpty()) {
                return new Outcome.NotFound<>("action " + id);
            }
            if (!action.get().isInForce()) {
                return new Outcome.Conflict<>("it is not in force");
            }
            Action over = responder.end(tx, action.get(), Status.UNDONE, reason, actor);
            responder.settle(tx, over.device(), over.incident(), reason, actor);
            return new Outcome.Done<>(over);
        });
    }

    private Outcome<Case> change(
            Environment environment, IncidentId id, BiFunction<Transaction, Incident, Outcome<Case>> change) {
        return journal.commit(tx -> IncidentStore.lock(tx.sql(), environment, id)
                .map(incident -> change.apply(tx, incident))
                .orElseGet(() -> new Outcome.NotFound<>("incident " + id)));
    }

    private static Outcome<Case> done(Transaction tx, Incident incident) {
        return new Outcome.Done<>(new Case(incident, ActionStore.ofIncident(tx.sql(), incident.id())));
    }

    /// What [#isolate] would do: how many, which, until when, and how to undo it.
    public IsolationPreview preview(IsolationWish wish) {
        return byHand.preview(wish);
    }

    /// Isolates by hand: opens an incident for each device (or joins the one it has), under which it can be
    /// undone. The never-isolate list binds only automatic isolation; the preview has shown who is on it.
    ///
    /// @param expected the count that the preview showed; a conflict when it is another by now
    public Outcome<Outcome.Isolated> isolate(IsolationWish wish, int expected, Actor actor) {
        return byHand.isolate(wish, expected, actor);
    }

    /// The never-isolate list.
    public NeverIsolate neverIsolate(Environment environment) {
        return database.read(sql -> PolicyStore.read(sql, environment)).neverIsolate();
    }

    /// Replaces the never-isolate list.
    ///
    /// @param selectors as an operator writes them
    /// @param expectedRevision of the list that was read before
    /// @throws IllegalArgumentException naming the selector that can't be read
    public Outcome<NeverIsolate> setNeverIsolate(
            Environment environment, List<String> selectors, long expectedRevision, String reason, Actor actor) {
        if (selectors.size() > 100) {
            throw new IllegalArgumentException("at most 100 selectors");
        }
        selectors.forEach(dev.holdfast.core.Selector::parse);
        return journal.commit(tx -> {
            PolicyStore.Policy before = PolicyStore.lock(tx.sql(), environment);
            if (before.neverIsolate().revision() != expectedRevision) {
                return new Outcome.Conflict<>("the list was changed in the meantime");
            }
            PolicyStore.write(tx.sql(), environment, before.limits(), selectors);
            tx.record(new Entry(
                    "response.never-isolate-set",
                    environment,
                    "environment:" + environment,
                    actor,
                    reason,
                    Map.of("selectors", selectors)));
            return new Outcome.Done<>(PolicyStore.read(tx.sql(), environment).neverIsolate());
        });
    }

    public Limits limits(Environment environment) {
        return database.read(sql -> PolicyStore.read(sql, environment)).limits();
    }

    public void setLimits(Environment environment, Limits limits, String reason, Actor actor) {
        journal.run(tx -> {
            PolicyStore.Policy before = PolicyStore.lock(tx.sql(), environment);
            List<String> selectors = before.neverIsolate().rules().stream()
                    .map(NeverIsolate.Rule::text)
                    .toList();
            PolicyStore.write(tx.sql(), environment, limits, selectors);
            tx.record(new Entry(
                    "response.limits-set",
                    environment,
                    "environment:" + environment,
                    actor,
                    reason,
                    Map.of(
                            "share", limits.share(),
                            "most", limits.most(),
                            "window", limits.window().toString())));
        });
    }

    /// For tests: takes up everything that waits, now.
    void catchUp() {
        follower.catchUp();
    }

    static DeviceRef device(JsonNode json) {
        return new DeviceRef(
                new Environment(json.path("environment").asText()),
                new DeviceId(json.path("subject").asText().substring("device:".length())));
    }

    @Override
    public void close() {
        follower.close();
    }
}
