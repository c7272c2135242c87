package dev.holdfast.response;

import dev.holdfast.core.DeviceRef;
import dev.holdfast.database.Database;
import dev.holdfast.inventory.Device;
import dev.holdfast.inventory.Inventory;
import dev.holdfast.inventory.Lifecycle;
import dev.holdfast.journal.Entry;
import dev.holdfast.journal.Journal;
import dev.holdfast.response.Action.Leg;
import dev.holdfast.response.Action.Leg.State;
import dev.holdfast.segmentation.Segmentation;
import dev.holdfast.sessions.CutReason;
import dev.holdfast.sessions.Sessions;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/// Makes the world follow the stored intents, and stores how far it has come.
///
/// Idempotent: it looks at what is intended and what is, so it may run any number of times, on any node, and
/// after a
/// crash between the intent and its effect.
final class Enforcement {
    private static final int PAGE = 200;
    private static final int MOST_REMEMBERED = 10_000;

    private final Database database;
    private final Journal journal;
    private final Inventory inventory;
    private final Sessions sessions;
    private final Segmentation segmentation;
    private final InstantSource clock;
    private final Map<Long, Instant> cuts = new ConcurrentHashMap<>();

    Enforcement(
            Database database,
            Journal journal,
            Inventory inventory,
            Sessions sessions,
            Segmentation segmentation,
            InstantSource clock) {
        this.database = database;
        this.journal = journal;
        this.inventory = inventory;
        this.sessions = sessions;
        this.segmentation = segmentation;
        this.clock = clock;
    }

    /// Cuts the sessions that the device had before it was isolated, on this node.
    ///
    /// @return how many there were
    int cut(DeviceRef device, Action.Kind kind, Instant intentAt) {
        return switch (kind) {
            case QUARANTINE ->
                sessions.cut(
                        device,
                        CutReason.QUARANTINED,
                        (_, session) -> !session.since().isAfter(intentAt));
            case SUSPEND -> sessions.cut(device, CutReason.SUSPENDED);
        };
    }

    /// As [#cut], on the journal's tail: the moment is remembered for the action's times.
    void cutNow(ActionId action, DeviceRef device, Action.Kind kind, Instant intentAt) {
        cut(device, kind, intentAt);
        if (cuts.size() < MOST_REMEMBERED) {
            cuts.put(action.value(), clock.instant());
        }
    }

    /// Looks at every action of which a leg is pending.
    ///
    /// @return how many are still pending after
    int settle() {
        List<Action> unsettled = database.read(sql -> ActionStore.unsettled(sql, PAGE));
        int left = 0;
        for (Action action : unsettled) {
            Optional<Device> device = inventory.find(action.device());
            if (device.isEmpty()) {
                continue;
            }
            Action.Legs now = new Action.Legs(session(action), action.legs().identity(), network(action, device.get()));
            if (!now.equals(action.legs())) {
                store(action, now);
            }
            left += now.settled() ? 0 : 1;
        }
        return left;
    }

    private Leg session(Action action) {
        Leg leg = action.legs().session();
        if (leg.state() != State.PENDING || !action.isInForce()) {
            return leg;
        }
        cut(action.device(), action.kind(), action.times().intentAt());
        boolean open = sessions.of(action.device()).stream()
                .anyMatch(s -> !s.since().isAfter(action.times().intentAt()));
        return open ? leg : new Leg(State.ENFORCED, "no session from before it is left", cutAt(action));
    }

    /// When the tail cut it on this node, else now.
    private Instant cutAt(Action action) {
        Instant at = cuts.remove(action.id().value());
        return at == null ? clock.instant() : at;
    }

    private Leg network(Action action, Device device) {
        Leg leg = action.legs().network();
        if (leg.state() != State.PENDING) {
            return leg;
        }
        boolean isolated = device.state() == Lifecycle.QUARANTINED || device.state() == Lifecycle.SUSPENDED;
        Instant now = clock.instant();
        return switch (segmentation.leg(device, isolated)) {
            case Segmentation.NetworkLeg.Unavailable u -> new Leg(State.UNAVAILABLE, u.detail(), now);
            case Segmentation.NetworkLeg.Pending p ->
                p.detail().equals(leg.detail()) ? leg : new Leg(State.PENDING, p.detail(), leg.at());
            case Segmentation.NetworkLeg.Confirmed c ->
                new Leg(action.isInForce() ? State.ENFORCED : State.LIFTED, c.detail(), now);
        };
    }

    /// Writes how far an action has come, unless somebody else was first.
    void store(Action seen, Action.Legs legs) {
        journal.run(tx -> {
            Optional<Action> locked = ActionStore.lock(tx.sql(), seen.device().environment(), seen.id());
            if (locked.isEmpty() || !locked.get().legs().equals(seen.legs())) {
                return;
            }
            Action action = locked.get();
            Action.Times times = action.times();
            boolean cut = isNow(legs.session(), action.legs().session(), State.ENFORCED);
            boolean network = isNow(legs.network(), action.legs().network(), State.ENFORCED);
            ActionStore.update(
                    tx.sql(),
                    action.reaching(
                            legs,
                            new Action.Times(
                                    times.firstObservedAt(),
                                    times.findingAt(),
                                    times.intentAt(),
                                    cut ? Optional.of(legs.session().at()) : times.sessionCutAt(),
                                    network ? Optional.of(legs.network().at()) : times.networkEnforcedAt())));
            if (cut) {
                record(tx, "isolation.session-cut", action, legs.session());
            }
            if (network) {
                record(tx, "isolation.network-enforced", action, legs.network());
            }
            if (isNow(legs.network(), action.legs().network(), State.LIFTED)) {
                record(tx, "isolation.network-lifted", action, legs.network());
            }
        });
    }

    private static boolean isNow(Leg next, Leg before, State state) {
        return next.state() == state && before.state() != state;
    }

    private static void record(dev.holdfast.journal.Transaction tx, String kind, Action action, Leg leg) {
        tx.record(new Entry(
                kind,
                action.device().environment(),
                Inventory.subject(action.device()),
                Responder.ACTOR,
                leg.detail(),
                Map.of("action", action.id().value(), "at", leg.at().toString())));
    }
}
