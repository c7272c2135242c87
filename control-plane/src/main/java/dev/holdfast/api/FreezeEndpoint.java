package dev.holdfast.api;

import dev.holdfast.access.Account;
import dev.holdfast.access.Scope;
import dev.holdfast.core.Actor;
import dev.holdfast.journal.Freeze;
import dev.holdfast.web.Call;
import dev.holdfast.web.Fields;
import dev.holdfast.web.Handlers;
import dev.holdfast.web.Problem;
import dev.holdfast.web.ProblemType;
import dev.holdfast.web.Reply;
import java.time.Duration;
import java.util.Optional;

/// The freeze after a restore, and how two people lift it by accepting, in writing, what is lost.
///
/// It must be two people, each at their passkey just now: a token alone, or a session left open, accepts nothing.
final class FreezeEndpoint {
    private static final Duration RECENT = Duration.ofMinutes(15);
    private static final String OPERATOR = "operator:";

    private final Rooms rooms;

    FreezeEndpoint(Rooms rooms) {
        this.rooms = rooms;
    }

    void register(Handlers handlers) {
        handlers.on("getFreeze", Scope.READ, _ -> Reply.ok(fields()));
        handlers.on("acceptLoss", Scope.IDENTITY_WRITE, this::acceptLoss);
    }

    private Reply acceptLoss(Call call) {
        Account person = recentlySignedIn(call);
        return switch (rooms.freeze().acceptLoss(new Actor.Operator(person.id()), call.reason())) {
            case Freeze.Acceptance.Noted _, Freeze.Acceptance.Lifted _ -> Reply.ok(fields());
            case Freeze.Acceptance.SamePersonTwice _ ->
                throw Problem.conflict("you have accepted the loss already; a second, different person must too");
            case Freeze.Acceptance.StatementTooShort _ ->
                throw Problem.malformed(
                        "/reason", "says too little: write what may be lost and why that is accepted (20 characters)");
            case Freeze.Acceptance.NotFrozen _ -> throw Problem.conflict("this installation is not frozen");
        };
    }

    private Account recentlySignedIn(Call call) {
        String person = rooms.access().personBehind(call.caller());
        Optional<Account> account = person.startsWith(OPERATOR)
                ? rooms.access().account(person.substring(OPERATOR.length()))
                : Optional.empty();
        if (account.isEmpty()) {
            throw new Problem(
                    ProblemType.NOT_ALLOWED, "no person stands behind this token; sign in, or use a token of your own");
        }
        boolean recent = account.get()
                .lastSignInAt()
                .filter(at -> at.isAfter(rooms.clock().instant().minus(RECENT)))
                .isPresent();
        if (!recent) {
            throw new Problem(
                    ProblemType.NOT_ALLOWED,
                    "your last sign-in with a passkey is more than " + RECENT.toMinutes()
                            + " minutes ago; sign in to the console again, then repeat this");
        }
        return account.get();
    }

    private Fields fields() {
        Optional<Freeze.State> state = rooms.freeze().state();
        return Fields.of("frozen", state.isPresent())
                .with("since", state.map(Freeze.State::since))
                .with("reason", state.map(Freeze.State::reason))
                .with("backupNumber", state.map(Freeze.State::backupNumber))
                .with("mergeReady", state.map(Freeze.State::mergeReady))
                .with(
                        "acceptedBy",
                        rooms.freeze().acceptances().stream()
                                .map(one -> Fields.of("operator", one.account())
                                        .with("name", rooms.access().nameOf(OPERATOR + one.account()))
                                        .with("statement", one.statement())
                                        .with("at", one.at()))
                                .toList())
                .with("needed", state.isPresent() ? 2 : 0);
    }
}
