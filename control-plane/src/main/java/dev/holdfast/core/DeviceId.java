package dev.holdfast.core;

import java.util.Optional;

/// The name of a device, unique within its environment; also the CN of its certificate.
///
/// ASCII letters, digits, `.`, `_` and `-`, at most 64 characters, so that it can stand in a topic, a path, a
/// certificate and a log line without escaping.
public record DeviceId(String value) implements Comparable<DeviceId> {
    private static final int LONGEST = 64;

    public DeviceId {
        if (!Spelling.isName(value, LONGEST)) {
            throw new IllegalArgumentException(
                    "not a device id: letters, digits, '.', '_', '-', at most 64 characters");
        }
    }

    /// The id, or empty when the text is not of the form.
    public static Optional<DeviceId> parse(String text) {
        return Spelling.isName(text, LONGEST) ? Optional.of(new DeviceId(text)) : Optional.empty();
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
