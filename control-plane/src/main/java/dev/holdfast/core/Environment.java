package dev.holdfast.core;

/// A separate population with its own issuing CA, devices, rollouts and roles: `development`, `production`, ...
public record Environment(String value) {
    public Environment {
        if (!Spelling.isLowerCaseName(value, 32)) {
            throw new IllegalArgumentException("not an environment: lower-case letters, digits, '-', at most 32");
        }
    }

    @Override
    public String toString() {
        return value;
    }
}
