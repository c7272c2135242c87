package dev.holdfast.operator;

import dev.holdfast.access.AccessRefused;
import dev.holdfast.access.Ceremony;
import dev.holdfast.access.OneTimeLink;
import dev.holdfast.access.Passkey;
import dev.holdfast.access.Passkeys;
import dev.holdfast.access.Principal;
import dev.holdfast.access.RelyingParty;
import dev.holdfast.access.Role;
import dev.holdfast.access.Scope;
import dev.holdfast.access.SignedIn;
import dev.holdfast.api.Rooms;
import dev.holdfast.core.Json;
import dev.holdfast.web.Call;
import dev.holdfast.web.Doorkeeper;
import dev.holdfast.web.Fields;
import dev.holdfast.web.Handlers;
import dev.holdfast.web.Identities;
import dev.holdfast.web.Problem;
import dev.holdfast.web.ProblemType;
import dev.holdfast.web.Reply;
import java.util.Optional;

/// Signing in and out, and one's own passkeys.
final class SessionEndpoint {
    private final Rooms rooms;
    private final Passkeys passkeys;
    private final Doorkeeper doorkeeper;
    private final boolean tls;

    SessionEndpoint(Rooms rooms, Identities identities, Doorkeeper doorkeeper, boolean tls) {
        this.rooms = rooms;
        this.passkeys = rooms.access().passkeys(new RelyingParty(identities.hostName(), identities.origin()));
        this.doorkeeper = doorkeeper;
        this.tls = tls;
    }

    void register(Handlers handlers) {
        handlers.on("getMe", Scope.READ, call -> Reply.ok(me(call.principal())));
        handlers.on("beginSignIn", Scope.READ, call -> {
            doorkeeper.holdUp(address(call));
            return Reply.ok(ceremony(passkeys.beginSignIn()));
        });
        handlers.on(
                "finishSignIn",
                Scope.READ,
                call -> signedIn(call, () -> passkeys.finishSignIn(call.required("ceremony"), credential(call))));
        handlers.on("signOut", Scope.READ, this::signOut);
        handlers.on(
                "describeLink",
                Scope.READ,
                call -> guarded(
                        call,
                        () -> Reply.ok(link(
                                passkeys.describe(call.required("link")).orElseThrow(SessionEndpoint::linkIsNoGood)))));
        handlers.on(
                "beginRegistration",
                Scope.READ,
                call -> guarded(
                        call, () -> Reply.ok(ceremony(passkeys.beginRegistration(call.required("link"), name(call))))));
        handlers.on(
                "finishRegistration",
                Scope.READ,
                call -> signedIn(
                        call,
                        () -> passkeys.finishRegistration(
                                call.required("link"), name(call), call.required("ceremony"), credential(call))));
        handlers.on(
                "listPasskeys",
                Scope.READ,
                call -> Reply.ok(Fields.of(
                        "passkeys",
                        passkeys.list(call.caller().id()).stream()
                                .map(SessionEndpoint::passkey)
                                .toList())));
        handlers.on("beginAddPasskey", Scope.READ, call -> Reply.ok(ceremony(passkeys.beginAdding(person(call)))));
        handlers.on(
                "addPasskey",
                Scope.READ,
                call -> guarded(
                        call,
                        () -> Reply.created(passkey(passkeys.finishAdding(
                                person(call),
                                call.optional("name").orElse("another passkey"),
                                call.required("ceremony"),
                                credential(call))))));
        handlers.on(
                "deletePasskey",
                Scope.READ,
                call -> guarded(call, () -> {
                    passkeys.remove(person(call), call.id());
                    return Reply.nothing(204);
                }));
    }

    private interface SigningIn {
        SignedIn run() throws AccessRefused;
    }

    private interface Guarded {
        Reply run() throws AccessRefused;
    }

    private Reply signedIn(Call call, SigningIn ceremony) {
        return guarded(call, () -> {
            SignedIn signedIn = ceremony.run();
            return Reply.ok(me(Optional.of(signedIn.principal())))
                    .header("set-cookie", cookie(signedIn.cookie(), "Max-Age=43200"));
        });
    }

    /// Failures of anybody's count against their address.
    private Reply guarded(Call call, Guarded work) {
        doorkeeper.holdUp(address(call));
        try {
            return work.run();
        } catch (AccessRefused refused) {
            Problem problem = problem(refused);
            if (problem.type() == ProblemType.NOT_VERIFIED || problem.type() == ProblemType.NOT_FOUND) {
                doorkeeper.failed(address(call));
            }
            throw problem;
        }
    }

    private Reply signOut(Call call) {
        call.cookie().ifPresent(rooms.access()::signOut);
        return Reply.nothing(204).header("set-cookie", cookie("", "Max-Age=0"));
    }

    private String cookie(String value, String age) {
        return Doorkeeper.COOKIE + "=" + value + "; Path=/; HttpOnly; SameSite=Strict; " + age
                + (tls ? "; Secure" : "");
    }

    private Fields me(Optional<Principal> principal) {
        Fields me = Fields.of("signedIn", principal.isPresent());
        principal.ifPresent(p -> me.with("id", p.id())
                .with("name", p.name())
                .with("via", p.isPerson() ? "passkey" : "token")
                .with("role", p.role().map(Role::text))
                .with("scopes", p.scopes().stream().map(Scope::text).sorted().toList())
                .with("csrf", p.csrf())
                .with("expiresAt", p.expiresAt()));
        return me.with(
                "server",
                Fields.of("version", Rooms.version())
                        .with("environment", rooms.configuration().environment())
                        .with("development", !rooms.developmentBecause().isEmpty())
                        .with("firstOperatorMissing", rooms.access().firstOperatorMissing()));
    }

    private static Principal person(Call call) {
        if (!call.caller().isPerson()) {
            throw new Problem(ProblemType.NOT_ALLOWED, "a token has no passkeys; sign in to the console");
        }
        return call.caller();
    }

    private static String name(Call call) {
        String name = call.required("name").strip();
        if (name.isEmpty()
                || name.codePoints()
                        .anyMatch(c -> Character.isISOControl(c) || Character.getType(c) == Character.FORMAT)) {
            throw Problem.malformed("/name", "should be a name, without control or direction characters");
        }
        return name;
    }

    private static String credential(Call call) {
        return Json.text(call.body().get("credential"));
    }

    private static Fields ceremony(Ceremony ceremony) {
        return Fields.of("ceremony", ceremony.id()).with("publicKey", ceremony.publicKey());
    }

    private static Fields link(OneTimeLink link) {
        return Fields.of("purpose", link.purpose().text())
                .with("name", link.name())
                .with("role", link.role().text())
                .with("expiresAt", link.expiresAt());
    }

    private static Fields passkey(Passkey passkey) {
        return Fields.of("id", passkey.id())
                .with("name", passkey.name())
                .with("createdAt", passkey.createdAt())
                .with("lastUsedAt", passkey.lastUsedAt());
    }

    private static Problem linkIsNoGood() {
        return Problem.notFound("such link any more: it was used, has expired, or never was");
    }

    static Problem problem(AccessRefused refused) {
        ProblemType type = switch (refused.reason()) {
            case LINK_UNKNOWN_USED_OR_EXPIRED, NOT_FOUND -> ProblemType.NOT_FOUND;
            case CEREMONY_UNKNOWN_OR_EXPIRED, CEREMONY_ALREADY_USED, PASSKEY_UNKNOWN, PASSKEY_NOT_VERIFIED ->
                ProblemType.NOT_VERIFIED;
            case ACCOUNT_LOCKED, SCOPE_NOT_ONES_OWN -> ProblemType.NOT_ALLOWED;
            case PASSKEY_ALREADY_REGISTERED, LAST_PASSKEY, LAST_ADMIN -> ProblemType.CONFLICT;
            case EXPIRY_TOO_LONG -> ProblemType.MALFORMED_REQUEST;
        };
        return new Problem(type, String.valueOf(refused.getMessage()));
    }

    private static String address(Call call) {
        return call.headers().getOrDefault("remote-address", "unknown");
    }
}
