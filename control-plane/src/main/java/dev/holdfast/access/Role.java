package dev.holdfast.access;

import java.util.EnumSet;
import java.util.Locale;
import java.util.Set;

/// What a person is trusted with; each role includes the one before it.
public enum Role {
    /// Sees everything, changes nothing.
    VIEWER,
    /// Runs the fleet: devices, certificates, releases, rollouts, incidents, imports.
    OPERATOR,
    /// Also decides who is an operator, whose signature makes a release, and who is told.
    ADMIN;

    public Set<Scope> scopes() {
        return switch (this) {
            case VIEWER -> EnumSet.of(Scope.READ);
            case OPERATOR -> EnumSet.complementOf(EnumSet.of(Scope.SETTINGS_WRITE, Scope.ACCESS_WRITE));
            case ADMIN -> EnumSet.allOf(Scope.class);
        };
    }

    public String text() {
        return name().toLowerCase(Locale.ROOT);
    }

    /// @throws IllegalArgumentException when there is no such role
    public static Role of(String text) {
        return valueOf(text.toUpperCase(Locale.ROOT));
    }
}
