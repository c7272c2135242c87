package dev.holdfast.access;

import dev.holdfast.core.Actor;
import dev.holdfast.journal.Transaction;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Tokens: how scripts come in. Each is made by a person, expires, and has no more scopes than its maker has.
public final class Tokens {
    private static final Duration LONGEST = Duration.ofDays(366);

    private final Access access;
    private final SecureRandom random;

    Tokens(Access access, SecureRandom random) {
        this.access = access;
        this.random = random;
    }

    /// Whom a token proves. A token never has more scopes than its maker has now.
    public Optional<Principal> prove(String text) {
        Instant now = access.now();
        return access.database().read(sql -> {
            Optional<ApiToken> found = AccessStore.token(sql, Secret.of(text).hash(), now);
            if (found.isEmpty()) {
                return Optional.empty();
            }
            ApiToken token = found.get();
            Set<Scope> scopes = EnumSet.noneOf(Scope.class);
            scopes.addAll(token.scopes());
            if (token.account().isPresent()) {
                Optional<Account> owner =
                        AccessStore.account(sql, token.account().get());
                if (owner.isEmpty() || owner.get().locked()) {
                    return Optional.empty();
                }
                scopes.retainAll(owner.get().role().scopes());
            }
            AccessStore.usedToken(sql, token.id(), now);
            return Optional.of(new Principal(
                    new Actor.Token(token.id()),
                    token.id(),
                    token.name(),
                    Optional.empty(),
                    scopes,
                    token.expiresAt(),
                    Optional.empty()));
        });
    }

    /// A token made, with its secret, which is not kept.
    public record Fresh(ApiToken token, String secret) {}

    /// @throws AccessRefused SCOPE_NOT_ONES_OWN, EXPIRY_TOO_LONG
    public Fresh create(String name, Set<Scope> scopes, Duration lifetime, Principal maker) throws AccessRefused {
        for (Scope scope : scopes) {
            if (!maker.may(scope)) {
                throw new AccessRefused(
                        AccessRefused.Reason.SCOPE_NOT_ONES_OWN, "you don't have scope " + scope.text() + " yourself");
            }
        }
        if (lifetime.isNegative() || lifetime.isZero() || lifetime.compareTo(LONGEST) > 0) {
            throw new AccessRefused(AccessRefused.Reason.EXPIRY_TOO_LONG, "between a moment and P366D");
        }
        Optional<String> account = maker.isPerson() ? Optional.of(maker.id()) : accountOf(maker.id());
        Instant latest = maker.isPerson() ? Instant.MAX : maker.expiresAt();
        Secret secret = Secret.fresh(random, "hf_");
        return access.journal().commit(tx -> {
            Instant expiresAt = tx.now().plus(lifetime);
            return make(
                    tx,
                    secret,
                    name,
                    scopes,
                    account,
                    expiresAt.isAfter(latest) ? latest : expiresAt,
                    maker.actor(),
                    "token made");
        });
    }

    /// The first token of an installation, for scripts that set it up. Whoever reads the server's own files has it.
    public Fresh createFirst(Duration lifetime) {
        Secret secret = Secret.fresh(random, "hf_");
        return access.journal()
                .commit(tx -> make(
                        tx,
                        secret,
                        "first token",
                        EnumSet.allOf(Scope.class),
                        Optional.empty(),
                        tx.now().plus(lifetime),
                        new Actor.Holdfast("access"),
                        "asked for by the server's configuration"));
    }

    public List<ApiToken> list() {
        return access.database().read(sql -> AccessStore.tokens(sql, access.now()));
    }

    /// @throws AccessRefused NOT_FOUND
    public void revoke(String id, Actor actor) throws AccessRefused {
        Access.refusing(() -> access.journal().commit(tx -> {
            if (!AccessStore.revokeToken(tx.sql(), id, tx.now())) {
                throw Access.carrying(AccessRefused.Reason.NOT_FOUND, "no token " + id);
            }
            access.record(tx, "access.token-revoked", "token:" + id, actor, "revoked", Map.of());
            return true;
        }));
    }

    Optional<ApiToken> find(String id) {
        return list().stream().filter(t -> t.id().equals(id)).findFirst();
    }

    Optional<String> accountOf(String id) {
        return find(id).flatMap(ApiToken::account);
    }

    private Fresh make(
            Transaction tx,
            Secret secret,
            String name,
            Set<Scope> scopes,
            Optional<String> account,
            Instant expiresAt,
            Actor actor,
            String reason) {
        ApiToken token = new ApiToken(Secret.id(random), name, scopes, account, tx.now(), expiresAt, Optional.empty());
        AccessStore.insertToken(tx.sql(), token, secret.hash());
        access.record(
                tx,
                "access.token-made",
                "token:" + token.id(),
                actor,
                reason,
                Map.of(
                        "scopes",
                        scopes.stream().map(Scope::text).sorted().toList(),
                        "expiresAt",
                        expiresAt.toString()));
        return new Fresh(token, secret.text());
    }
}
