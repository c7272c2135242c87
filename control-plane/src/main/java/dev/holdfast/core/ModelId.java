package dev.holdfast.core;

import java.util.regex.Pattern;

/// The name of a device model, unique within its environment.
public record ModelId(String value) {
    private static final Pattern FORM = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,63}");

    public ModelId {
        if (!FORM.matcher(value).matches()) {
            throw new IllegalArgumentException("not a model id: letters, digits, '.', '_', '-', at most 64 characters");
        }
    }

    @Override
    public String toString() {
        return value;
    }
}
