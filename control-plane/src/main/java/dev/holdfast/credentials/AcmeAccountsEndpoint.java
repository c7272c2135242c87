package dev.holdfast.credentials;

import dev.holdfast.access.Scope;
import dev.holdfast.acme.Accounts;
import dev.holdfast.api.Rooms;
import dev.holdfast.web.Call;
import dev.holdfast.web.Fields;
import dev.holdfast.web.Handlers;
import dev.holdfast.web.Problem;
import dev.holdfast.web.Reply;
import java.util.List;

/// ACME accounts: keys that speak for a device under a profile, and what they have ordered.
final class AcmeAccountsEndpoint {
    private final Rooms rooms;

    AcmeAccountsEndpoint(Rooms rooms) {
        this.rooms = rooms;
    }

    void register(Handlers handlers) {
        handlers.on("listAcmeAccounts", Scope.READ, this::list);
        handlers.on("deactivateAcmeAccount", Scope.IDENTITY_WRITE, this::deactivate);
    }

    private Reply list(Call call) {
        List<Accounts.Listed> page = rooms.accounts()
                .list(call.environment(), call.deviceParameter(), call.cursor().orElse(""), call.limit());
        Fields reply = Fields.of(
                "accounts", page.stream().map(AcmeAccountsEndpoint::fields).toList());
        return Reply.ok(
                page.size() == call.limit()
                        ? reply.with("next", call.nextCursor(page.getLast().id()))
                        : reply);
    }

    private Reply deactivate(Call call) {
        return switch (rooms.accounts().deactivate(call.environment(), call.id(), call.reason(), call.actor())) {
            case DEACTIVATED ->
                Reply.ok(rooms.accounts()
                        .find(call.environment(), call.id())
                        .map(AcmeAccountsEndpoint::fields)
                        .orElseThrow(() -> unknown(call)));
            case ALREADY -> throw Problem.conflict("the account was deactivated before");
            case UNKNOWN -> throw unknown(call);
        };
    }

    private static Problem unknown(Call call) {
        return Problem.notFound("ACME account " + call.id());
    }

    private static Fields fields(Accounts.Listed account) {
        return Fields.of("id", account.id())
                .with("device", account.device().id().value())
                .with("profile", account.profile())
                .with("thumbprint", account.thumbprint())
                .with("secret", account.secret())
                .with("status", account.active() ? "valid" : "deactivated")
                .with("createdAt", account.createdAt())
                .with("deactivatedAt", account.deactivatedAt())
                .with("orders", account.orders())
                .with("issued", account.issued())
                .with("lastOrderAt", account.lastOrderAt());
    }
}
