package dev.holdfast.core;

import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Pattern;

/// A device's labels: what operators call it. Only operators set them, so selectors that guard safety may rely
/// on
/// them.
public record Labels(Map<String, String> values) {
    private static final Pattern KEY = Pattern.compile("[a-z][a-z0-9._-]{0,62}");
    private static final Pattern VALUE = Pattern.compile("[A-Za-z0-9._ -]{0,63}");
    private static final int MOST = 64;
    public static final Labels NONE = new Labels(Map.of());

    public Labels {
        if (values.size() > MOST) {
            throw new IllegalArgumentException("more than " + MOST + " labels");
        }
        values.forEach((key, value) -> {
            if (!KEY.matcher(key).matches()) {
                throw new IllegalArgumentException("not a label key: [a-z][a-z0-9._-]*, at most 63 characters");
            }
            if (!VALUE.matcher(value).matches()) {
                throw new IllegalArgumentException(
                        "not a value of label " + key + ": letters, digits, ' ._-', at most 63");
            }
        });
        values = Map.copyOf(values);
    }

    public Optional<String> get(String key) {
        return Optional.ofNullable(values.get(key));
    }

    /// These labels with the others laid over them.
    public Labels with(Map<String, String> others) {
        Map<String, String> merged = new TreeMap<>(values);
        merged.putAll(others);
        return new Labels(merged);
    }
}
