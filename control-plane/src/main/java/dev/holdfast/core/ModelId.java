package dev.holdfast.core;

/// The name of a device model, unique within its environment.
public record ModelId(String value) {
    public ModelId {
        if (!Spelling.isName(value, 64)) {
            throw new IllegalArgumentException("not a model id: letters, digits, '.', '_', '-', at most 64 characters");
        }
    }

    @Override
    public String toString() {
        return value;
    }
}
