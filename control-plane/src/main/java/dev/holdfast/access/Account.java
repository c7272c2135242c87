package dev.holdfast.access;

import java.time.Instant;
import java.util.Optional;

/// A person who operates Holdfast.
public record Account(
        String id,
        String name,
        Role role,
        boolean locked,
        Instant createdAt,
        Optional<Instant> lastSignInAt,
        int passkeys) {}
