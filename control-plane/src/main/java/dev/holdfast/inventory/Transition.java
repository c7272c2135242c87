package dev.holdfast.inventory;

/// What became of a wish to move a device to another state.
public sealed interface Transition {
    record Changed(Device device, Lifecycle from) implements Transition {}

    /// It was there already: nothing was changed and nothing journalled.
    record Already(Device device) implements Transition {}

    record NotAllowed(Lifecycle from, Lifecycle to) implements Transition {}

    record UnknownDevice() implements Transition {}
}
