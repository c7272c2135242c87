package dev.holdfast.core;

import java.util.regex.Pattern;

/// A separate population with its own issuing CA, devices, rollouts and roles: `development`, `production`, ...
public record Environment(String value) {
    private static final Pattern FORM = Pattern.compile("[a-z][a-z0-9-]{0,31}");

    public Environment {
        if (!FORM.matcher(value).matches()) {
            throw new IllegalArgumentException("not an environment: lower-case letters, digits, '-', at most 32");
        }
    }

    @Override
    public String toString() {
        return value;
    }
}
