package dev.holdfast.access;

import dev.holdfast.core.Actor;
import java.time.Instant;
import java.util.Optional;
import java.util.Set;

/// Who is asking, once proven.
///
/// @param name for people; never for the journal
/// @param role of the account; a token has none
/// @param csrf what a page must send along with each write; empty for a token, which no browser sends by itself
public record Principal(
        Actor actor,
        String id,
        String name,
        Optional<Role> role,
        Set<Scope> scopes,
        Instant expiresAt,
        Optional<String> csrf) {
    public Principal {
        scopes = Set.copyOf(scopes);
    }

    public boolean may(Scope scope) {
        return scopes.contains(scope);
    }

    public boolean isPerson() {
        return actor instanceof Actor.Operator;
    }
}
