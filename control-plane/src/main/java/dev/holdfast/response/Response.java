package dev.holdfast.response;

import dev.holdfast.core.Actor;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Environment;
import dev.holdfast.core.Selector;
import java.util.List;
import java.util.Optional;

/// The room's door: incidents, and what is done about them by us and by people.
@SuppressWarnings("DoNotCallSuggester") // signatures first; the bodies follow
public final class Response implements AutoCloseable {
    /// An incident with everything done about it, newest action first.
    public record Case(Incident incident, List<Action> actions) {}

    /// Incidents, newest first.
    ///
    /// @param before the number before which to begin; [Long#MAX_VALUE] for the first page
    public List<Incident> incidents(
            Environment environment, boolean onlyOpen, Optional<DeviceRef> device, long before, int limit) {
        throw new UnsupportedOperationException();
    }

    public long countOpen(Environment environment) {
        throw new UnsupportedOperationException();
    }

    public Optional<Case> find(Environment environment, IncidentId id) {
        throw new UnsupportedOperationException();
    }

    /// Actions, newest first.
    ///
    /// @param onlyLive those in force or awaiting approval
    public List<Action> actions(
            Environment environment, boolean onlyLive, Optional<DeviceRef> device, long before, int limit) {
        throw new UnsupportedOperationException();
    }

    public Outcome<Case> acknowledge(Environment environment, IncidentId id, Actor actor) {
        throw new UnsupportedOperationException();
    }

    /// Closes the incident. Isolations that it led to stay in force; undo them first, where they should not.
    public Outcome<Case> close(Environment environment, IncidentId id, String reason, Actor actor) {
        throw new UnsupportedOperationException();
    }

    /// Lets an action that awaits approval happen.
    public Outcome<Action> approve(Environment environment, ActionId id, String reason, Actor actor) {
        throw new UnsupportedOperationException();
    }

    /// Says no to an action that awaits approval.
    public Outcome<Action> refuse(Environment environment, ActionId id, String reason, Actor actor) {
        throw new UnsupportedOperationException();
    }

    /// Returns the device to the state before the action, on all three legs.
    public Outcome<Action> undo(Environment environment, ActionId id, String reason, Actor actor) {
        throw new UnsupportedOperationException();
    }

    /// What [#isolate] would do: how many, which, until when, and how to undo it.
    public IsolationPreview preview(IsolationWish wish) {
        throw new UnsupportedOperationException();
    }

    /// Isolates by hand.
    ///
    /// @param expected the count that the preview showed; a conflict when it is another by now
    public Outcome<Outcome.Isolated> isolate(IsolationWish wish, int expected, Actor actor) {
        throw new UnsupportedOperationException();
    }

    /// The never-isolate list.
    public List<Exemption> exemptions(Environment environment) {
        throw new UnsupportedOperationException();
    }

    public Exemption addExemption(Environment environment, Selector which, String why, Actor actor) {
        throw new UnsupportedOperationException();
    }

    public boolean removeExemption(Environment environment, long id, String why, Actor actor) {
        throw new UnsupportedOperationException();
    }

    public Limits limits(Environment environment) {
        throw new UnsupportedOperationException();
    }

    public void setLimits(Environment environment, Limits limits, String why, Actor actor) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void close() {
        throw new UnsupportedOperationException();
    }
}
