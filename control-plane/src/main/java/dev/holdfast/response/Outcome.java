package dev.holdfast.response;

import java.util.List;

/// What became of a person's order.
public sealed interface Outcome<T> {
    record Done<T>(T now) implements Outcome<T> {}

    record NotFound<T>(String what) implements Outcome<T> {}

    /// It does not fit the present state.
    record Conflict<T>(String why) implements Outcome<T> {}

    /// What an isolation by hand did.
    record Isolated(List<Action> actions) {}
}
