package dev.holdfast.response;

import dev.holdfast.core.DeviceRef;
import dev.holdfast.inventory.Lifecycle;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/// An isolation: intended, in force, or over.
///
/// @param waitsBecause why a person must approve, or had to; empty where it happened at once
/// @param actor who decided it: `system:response` or an operator, as in the journal
/// @param limit for how long it holds, from when it came into force
/// @param until when it ends by itself; absent until it is in force
/// @param stateBefore where undo returns the device to; absent until it is in force
/// @param weight how many devices it takes from the network: the device and what is reached through it
/// @param approved by whom, where it had to wait for that
/// @param ended who undid or refused it; `system:response` when the time limit did
public record Action(
        ActionId id,
        Optional<IncidentId> incident,
        DeviceRef device,
        Kind kind,
        Status status,
        String reason,
        String waitsBecause,
        String actor,
        boolean automatic,
        Duration limit,
        Optional<Instant> until,
        Optional<Lifecycle> stateBefore,
        int weight,
        Times times,
        Legs legs,
        Optional<Incident.Handling> approved,
        Optional<Incident.Handling> ended) {

    public enum Kind {
        /// Misbehaves: may connect, reaches only what heals it.
        QUARANTINE(Lifecycle.QUARANTINED),
        /// Its identity is in doubt: refused everywhere.
        SUSPEND(Lifecycle.SUSPENDED);

        private final Lifecycle state;

        Kind(Lifecycle state) {
            this.state = state;
        }

        /// The state that it puts the device in.
        Lifecycle state() {
            return state;
        }
    }

    public enum Status {
        AWAITING_APPROVAL,
        IN_FORCE,
        UNDONE,
        /// The time limit was reached.
        EXPIRED,
        /// The device has shown since that it is well.
        HEALED,
        /// A person said no.
        REFUSED,
        /// Something else moved the device on, such as its retirement.
        OVERTAKEN
    }

    /// From the first hostile act to the last leg.
    ///
    /// @param firstObservedAt when the first bad observation was received; absent for an isolation by hand
    /// @param findingAt when the finding that led to it was made; absent for an isolation by hand
    /// @param intentAt when the decision was committed
    /// @param sessionCutAt when no session from before was left on the node that had it
    /// @param networkEnforcedAt when the gateway had confirmed it
    public record Times(
            Optional<Instant> firstObservedAt,
            Optional<Instant> findingAt,
            Instant intentAt,
            Optional<Instant> sessionCutAt,
            Optional<Instant> networkEnforcedAt) {

        /// From the first bad observation received to the cut of the session; empty until both are known.
        public Optional<Duration> toCut() {
            return firstObservedAt.flatMap(from -> sessionCutAt.map(to -> Duration.between(from, to)));
        }
    }

    /// How far it reaches.
    public record Legs(Leg session, Leg identity, Leg network) {
        boolean settled() {
            return session.state() != Leg.State.PENDING
                    && identity.state() != Leg.State.PENDING
                    && network.state() != Leg.State.PENDING;
        }
    }

    /// One of the three ways in which an isolation holds.
    ///
    /// @param at since when
    public record Leg(State state, String detail, Instant at) {
        public enum State {
            PENDING,
            ENFORCED,
            /// There is no such leg for this device, and the detail says why.
            UNAVAILABLE,
            /// The isolation is over and this leg has let go.
            LIFTED
        }
    }

    /// Whether it holds the device now.
    public boolean isInForce() {
        return status == Status.IN_FORCE;
    }

    Action numbered(ActionId number) {
        return copy(number, status, until, stateBefore, times, legs, approved, ended);
    }

    Action inForce(Lifecycle before, Instant now, Legs nextLegs, Optional<Incident.Handling> approval) {
        Times decided = new Times(times.firstObservedAt(), times.findingAt(), now, Optional.empty(), Optional.empty());
        return copy(
                id,
                Status.IN_FORCE,
                Optional.of(now.plus(limit)),
                Optional.of(before),
                decided,
                nextLegs,
                approval,
                ended);
    }

    Action over(Status how, Legs nextLegs, Incident.Handling by) {
        return copy(id, how, until, stateBefore, times, nextLegs, approved, Optional.of(by));
    }

    Action reaching(Legs nextLegs, Times nextTimes) {
        return copy(id, status, until, stateBefore, nextTimes, nextLegs, approved, ended);
    }

    Action returningTo(Optional<Lifecycle> before) {
        return copy(id, status, until, before, times, legs, approved, ended);
    }

    private Action copy(
            ActionId nextId,
            Status nextStatus,
            Optional<Instant> nextUntil,
            Optional<Lifecycle> nextStateBefore,
            Times nextTimes,
            Legs nextLegs,
            Optional<Incident.Handling> nextApproved,
            Optional<Incident.Handling> nextEnded) {
        return new Action(
                nextId,
                incident,
                device,
                kind,
                nextStatus,
                reason,
                waitsBecause,
                actor,
                automatic,
                limit,
                nextUntil,
                nextStateBefore,
                weight,
                nextTimes,
                nextLegs,
                nextApproved,
                nextEnded);
    }
}
