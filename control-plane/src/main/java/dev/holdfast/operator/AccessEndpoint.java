package dev.holdfast.operator;

import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.access.Access;
import dev.holdfast.access.AccessRefused;
import dev.holdfast.access.Account;
import dev.holdfast.access.ApiToken;
import dev.holdfast.access.OneTimeLink;
import dev.holdfast.access.Role;
import dev.holdfast.access.Scope;
import dev.holdfast.access.Tokens;
import dev.holdfast.api.Rooms;
import dev.holdfast.web.Call;
import dev.holdfast.web.Fields;
import dev.holdfast.web.Handlers;
import dev.holdfast.web.Links;
import dev.holdfast.web.Problem;
import dev.holdfast.web.ProblemType;
import dev.holdfast.web.Reply;
import java.time.Duration;
import java.util.EnumSet;
import java.util.Set;

/// Operators, invitations and tokens.
final class AccessEndpoint {
    private final Access access;
    private final Links links;

    AccessEndpoint(Rooms rooms, Links links) {
        this.access = rooms.access();
        this.links = links;
    }

    void register(Handlers handlers) {
        handlers.on(
                "listAccounts",
                Scope.READ,
                _ -> Reply.ok(Fields.of(
                        "accounts",
                        access.accounts().stream().map(AccessEndpoint::account).toList())));
        handlers.on("changeAccount", Scope.ACCESS_WRITE, this::changeAccount);
        handlers.on(
                "listInvitations",
                Scope.ACCESS_WRITE,
                _ -> Reply.ok(Fields.of(
                        "invitations",
                        access.invitations().stream().map(this::invitation).toList())));
        handlers.on("invite", Scope.ACCESS_WRITE, this::invite);
        handlers.on("withdrawInvitation", Scope.ACCESS_WRITE, call -> {
            refusing(() -> access.withdrawInvitation(call.id(), call.actor()));
            return Reply.nothing(204);
        });
        handlers.on(
                "listTokens",
                Scope.READ,
                _ -> Reply.ok(Fields.of(
                        "tokens",
                        access.tokens().list().stream().map(this::token).toList())));
        handlers.on("createToken", Scope.READ, this::createToken);
        handlers.on("revokeToken", Scope.READ, this::revokeToken);
    }

    private Reply changeAccount(Call call) {
        Role role = call.optional("role").map(Role::of).orElse(null);
        JsonNode locked = call.body().get("locked");
        return Reply.ok(account(refusing(() -> access.change(
                call.id(), role, locked == null ? null : locked.asBoolean(), call.reason(), call.actor()))));
    }

    private Reply invite(Call call) {
        OneTimeLink.Fresh fresh =
                access.invite(call.required("name").strip(), Role.of(call.required("role")), call.actor());
        return Reply.created(invitation(fresh.link()).with("link", links.url(fresh.secret())));
    }

    private Reply createToken(Call call) {
        Set<Scope> scopes = EnumSet.noneOf(Scope.class);
        call.body().path("scopes").forEach(s -> Scope.parse(s.asText()).ifPresent(scopes::add));
        Duration lifetime = call.duration("expiresIn", Duration.ofDays(366)).orElseThrow();
        Tokens.Fresh fresh =
                refusing(() -> access.tokens().create(call.required("name").strip(), scopes, lifetime, call.caller()));
        return Reply.created(token(fresh.token()).with("secret", fresh.secret()));
    }

    /// One's own token, or anybody's for an admin.
    private Reply revokeToken(Call call) {
        boolean own = call.caller().id().equals(call.id())
                || access.tokens().list().stream()
                        .anyMatch(t -> t.id().equals(call.id())
                                && t.account()
                                        .filter(call.caller().id()::equals)
                                        .isPresent());
        if (!own && !call.caller().may(Scope.ACCESS_WRITE)) {
            throw new Problem(ProblemType.NOT_ALLOWED, "another operator's token takes scope access:write");
        }
        refusing(() -> access.tokens().revoke(call.id(), call.actor()));
        return Reply.nothing(204);
    }

    private static Fields account(Account account) {
        return Fields.of("id", account.id())
                .with("name", account.name())
                .with("role", account.role().text())
                .with("locked", account.locked())
                .with("createdAt", account.createdAt())
                .with("lastSignInAt", account.lastSignInAt())
                .with("passkeys", account.passkeys());
    }

    private Fields invitation(OneTimeLink link) {
        return Fields.of("id", link.id())
                .with("name", link.name().orElse(""))
                .with("role", link.role().text())
                .with("createdBy", access.nameOf(link.createdBy()).orElse(link.createdBy()))
                .with("expiresAt", link.expiresAt());
    }

    private Fields token(ApiToken token) {
        return Fields.of("id", token.id())
                .with("name", token.name())
                .with(
                        "scopes",
                        token.scopes().stream().map(Scope::text).sorted().toList())
                .with(
                        "createdBy",
                        token.account()
                                .flatMap(id -> access.nameOf("operator:" + id))
                                .orElse("the server"))
                .with("createdAt", token.createdAt())
                .with("expiresAt", token.expiresAt())
                .with("lastUsedAt", token.lastUsedAt());
    }

    private interface Refusable<T> {
        T run() throws AccessRefused;
    }

    private interface RefusableWork {
        void run() throws AccessRefused;
    }

    private static <T> T refusing(Refusable<T> work) {
        try {
            return work.run();
        } catch (AccessRefused refused) {
            throw SessionEndpoint.problem(refused);
        }
    }

    private static void refusing(RefusableWork work) {
        try {
            work.run();
        } catch (AccessRefused refused) {
            throw SessionEndpoint.problem(refused);
        }
    }
}
