package dev.holdfast.response;

/// The number of an action that a response took, or wants to take.
public record ActionId(long value) {
    @Override
    public String toString() {
        return Long.toString(value);
    }
}
