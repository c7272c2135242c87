package dev.holdfast.core;

import java.util.Optional;
import java.util.regex.Pattern;

/// The name of a device, unique within its environment; also the CN of its certificate.
///
/// ASCII letters, digits, `.`, `_` and `-`, at most 64 characters, so that it can stand in a topic, a path, a
/// certificate and a log line without escaping.
public record DeviceId(String value) implements Comparable<DeviceId> {
    private static final Pattern FORM = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,63}");

    public DeviceId {
        if (!FORM.matcher(value).matches()) {
            throw new IllegalArgumentException(
                    "not a device id: letters, digits, '.', '_', '-', at most 64 characters");
        }
    }

    /// The id, or empty when the text is not of the form.
    public static Optional<DeviceId> parse(String text) {
        return FORM.matcher(text).matches() ? Optional.of(new DeviceId(text)) : Optional.empty();
    }

    @Override
    public int compareTo(DeviceId other) {
        return value.compareTo(other.value);
    }

    @Override
    public String toString() {
        return value;
    }
}
