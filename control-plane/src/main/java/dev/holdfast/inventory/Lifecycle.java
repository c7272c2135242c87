package dev.holdfast.inventory;

import java.util.Locale;
import java.util.Map;
import java.util.Set;

/// Where a device stands in its life, and where it may go from there.
public enum Lifecycle {
    /// Known, without an operational certificate yet.
    REGISTERED,
    /// Has a certificate, has not connected with it yet.
    ENROLLED,
    /// In service.
    ACTIVE,
    /// Isolated as misbehaving: may connect, reaches only what heals it (renewal, attestation, healing updates).
    QUARANTINED,
    /// Refused everywhere: its identity is in doubt.
    SUSPENDED,
    /// Out of service for ever.
    RETIRED;

    private static final Map<Lifecycle, Set<Lifecycle>> NEXT = Map.of(
            REGISTERED, Set.of(ENROLLED, SUSPENDED, RETIRED),
            ENROLLED, Set.of(ACTIVE, QUARANTINED, SUSPENDED, RETIRED),
            ACTIVE, Set.of(ENROLLED, QUARANTINED, SUSPENDED, RETIRED),
            QUARANTINED, Set.of(REGISTERED, ENROLLED, ACTIVE, SUSPENDED, RETIRED),
            SUSPENDED, Set.of(REGISTERED, ENROLLED, ACTIVE, QUARANTINED, RETIRED),
            RETIRED, Set.of());

    public boolean mayBecome(Lifecycle next) {
        return NEXT.getOrDefault(this, Set.of()).contains(next);
    }

    /// Whether a device in this state may open a session at all.
    public boolean mayConnect() {
        return this == ENROLLED || this == ACTIVE || this == QUARANTINED;
    }

    /// As stored and as the API says it: lower case.
    public String text() {
        return name().toLowerCase(Locale.ROOT);
    }

    public static Lifecycle of(String text) {
        return valueOf(text.toUpperCase(Locale.ROOT));
    }
}
