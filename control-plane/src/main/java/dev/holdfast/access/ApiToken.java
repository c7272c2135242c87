package dev.holdfast.access;

import java.time.Instant;
import java.util.Optional;
import java.util.Set;

/// A token of a script, without its secret.
///
/// @param account whose token it is; empty for the first one, which the server made when it was asked to
public record ApiToken(
        String id,
        String name,
        Set<Scope> scopes,
        Optional<String> account,
        Instant createdAt,
        Instant expiresAt,
        Optional<Instant> lastUsedAt) {
    public ApiToken {
        scopes = Set.copyOf(scopes);
    }
}
