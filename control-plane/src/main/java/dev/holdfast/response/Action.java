package dev.holdfast.response;

import dev.holdfast.core.DeviceRef;
import dev.holdfast.inventory.Lifecycle;
import java.time.Instant;
import java.util.Optional;

/// An isolation: intended, in force, or over.
///
/// The four times from the first bad observation to the cut session are what "time to isolate" is computed from.
///
/// @param actor who decided it: `system:response` or an operator
/// @param until when it ends by itself
/// @param stateBefore where undo returns the device to; absent until it is in force
/// @param firstObservedAt when the first bad observation was received; absent for an isolation by hand
/// @param findingAt when the finding that led to it was made; absent for an isolation by hand
/// @param intentAt when the decision was committed
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
        String actor,
        Optional<Instant> until,
        Optional<Lifecycle> stateBefore,
        Optional<Instant> firstObservedAt,
        Optional<Instant> findingAt,
        Instant intentAt,
        int weight,
        Leg session,
        Leg identity,
        Leg network,
        Optional<Incident.Handling> approved,
        Optional<Incident.Handling> ended) {

    public enum Kind {
        /// Misbehaves: may connect, reaches only what heals it.
        QUARANTINE,
        /// Its identity is in doubt: refused everywhere.
        SUSPEND
    }

    public enum Status {
        AWAITING_APPROVAL,
        IN_FORCE,
        UNDONE,
        /// The time limit was reached.
        EXPIRED,
        /// A person said no.
        REFUSED,
        /// Something else moved the device on, such as its retirement.
        OVERTAKEN
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
            RELEASED
        }
    }

    /// Whether it holds the device now.
    public boolean isInForce() {
        return status == Status.IN_FORCE;
    }
}
