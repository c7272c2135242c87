package dev.holdfast.response;

import dev.holdfast.inventory.Device;
import dev.holdfast.response.Action.Leg;
import dev.holdfast.response.Action.Leg.State;
import java.time.Instant;

/// The three legs of an isolation in the moments of its life. Pure.
final class Legs {
    private Legs() {}

    /// Nothing is done before a person says yes.
    static Action.Legs waiting(Instant now) {
        Leg leg = new Leg(State.PENDING, "a person must approve", now);
        return new Action.Legs(leg, leg, leg);
    }

    /// The decision has just been committed: the identity leg holds by that alone.
    static Action.Legs intended(Device device, Instant now) {
        return new Action.Legs(
                new Leg(State.PENDING, "its sessions are being cut", now),
                new Leg(
                        State.ENFORCED,
                        "its record says " + device.state().text() + ", which is asked at every connection and message",
                        now),
                device.reachesVia().isEmpty()
                        ? new Leg(State.UNAVAILABLE, "no gateway is known through which it is reached", now)
                        : new Leg(
                                State.PENDING, "gateway " + device.reachesVia().get() + " is being told", now));
    }

    /// Over: session and identity let go at once, the network when its gateway has confirmed that.
    static Action.Legs lifting(Action.Legs legs, Instant now) {
        return new Action.Legs(
                new Leg(State.LIFTED, "it may connect again", now),
                new Leg(State.LIFTED, "its record is as before", now),
                legs.network().state() == State.UNAVAILABLE
                        ? legs.network()
                        : new Leg(State.PENDING, "its gateway is being told to let go", now));
    }

    static Action.Legs lifted(Action.Legs legs, String why, Instant now) {
        return new Action.Legs(
                new Leg(State.LIFTED, why, now),
                new Leg(State.LIFTED, why, now),
                legs.network().state() == State.UNAVAILABLE ? legs.network() : new Leg(State.LIFTED, why, now));
    }
}
