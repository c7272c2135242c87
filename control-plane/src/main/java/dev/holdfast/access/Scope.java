package dev.holdfast.access;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/// What a caller may do. Written `devices:write` in the API.
public enum Scope {
    READ,
    DEVICES_WRITE,
    IDENTITY_WRITE,
    FIRMWARE_WRITE,
    ROLLOUTS_WRITE,
    INCIDENTS_WRITE,
    IMPORTS_WRITE,
    SETTINGS_WRITE,
    ACCESS_WRITE;

    public String text() {
        return name().toLowerCase(Locale.ROOT).replace('_', ':');
    }

    public static Optional<Scope> parse(String text) {
        return Arrays.stream(values()).filter(s -> s.text().equals(text)).findFirst();
    }
}
