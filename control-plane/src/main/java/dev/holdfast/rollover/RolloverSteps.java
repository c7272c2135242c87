package dev.holdfast.rollover;

import dev.holdfast.ca.Authority;
import dev.holdfast.ca.Ca;
import dev.holdfast.core.Actor;
import dev.holdfast.core.Environment;
import dev.holdfast.journal.Entry;
import dev.holdfast.journal.Transaction;
import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.rollover.RolloverPolicy.Decision;
import dev.holdfast.rollover.RolloverPolicy.Despite;
import dev.holdfast.rollover.RolloverPolicy.Facts;
import dev.holdfast.rotation.Chosen;
import dev.holdfast.rotation.Renewals;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// The second and the last step of a rollover, inside the caller's transaction: gather the facts, ask
/// [RolloverPolicy], do as it says.
final class RolloverSteps {
    static final int SOME = 20;

    private final Ca ca;
    private final Renewals renewals;

    RolloverSteps(Ca ca, Renewals renewals) {
        this.ca = ca;
        this.renewals = renewals;
    }

    /// @param rollover locked
    Step move(Transaction tx, Rollover rollover, boolean despite, String reason, Actor actor) {
        boolean root = rollover.kind() == Rollover.Kind.ROOT;
        Facts facts =
                root ? RolloverStore.notTrusting(tx.sql(), newRoot(rollover), tx.now(), SOME) : Facts.NOBODY_MISSING;
        return switch (RolloverPolicy.move(rollover, facts, despite ? Despite.ONE_PERSON : Despite.NOBODY)) {
            case Decision.Refuse refuse -> refuse.step();
            case Decision.AskAnother _ -> throw new IllegalStateException("one person may move a rollover");
            case Decision.Go go ->
                root ? moveRoot(tx, rollover, go.leftBehind(), reason, actor) : moveIssuer(tx, rollover, reason, actor);
        };
    }

    private Step moveIssuer(Transaction tx, Rollover rollover, String reason, Actor actor) {
        if (!ca.succession().move(tx, authority(rollover.newAuthority()), Authority.Standing.ACTIVE, reason, actor)) {
            return new Step.NotNow(rollover.phase());
        }
        tell(tx, renewals, rollover, List.of(authority(rollover.oldAuthority())), actor);
        return moved(tx, rollover, reason, 0, actor);
    }

    /// The root, then our listeners' issuer and every environment's, all in one change: nobody sees a half of
    /// it.
    private Step moveRoot(Transaction tx, Rollover rollover, long withoutTrust, String reason, Actor actor) {
        Authority next = authority(rollover.newAuthority());
        if (next.isOperatorsRoot()) {
            return moveOwnRoot(tx, rollover, next, withoutTrust, reason, actor);
        }
        if (!ca.authorities().canSign(next)) {
            return new Step.NeedsCeremony(next.id());
        }
        if (!ca.succession().move(tx, next, Authority.Standing.ACTIVE, reason, actor)) {
            return new Step.NotNow(rollover.phase());
        }
        List<Authority> below = ca.succession().below(authority(rollover.oldAuthority()));
        Set<Environment> environments = new LinkedHashSet<>();
        below.forEach(a -> a.environment().ifPresent(environments::add));
        ca.succession().nextServers(tx, next, reason, actor);
        for (Environment environment : environments) {
            ca.succession().nextDevices(tx, environment, next, Authority.Standing.ACTIVE, reason, actor);
        }
        tell(tx, renewals, rollover, below, actor);
        return moved(tx, rollover, reason, withoutTrust, actor);
    }

    /// The issuers below it were made and certified before; there is one for each that will go.
    private Step moveOwnRoot(
            Transaction tx, Rollover rollover, Authority next, long withoutTrust, String reason, Actor actor) {
        List<Authority> ready = ca.ownRoot().below(tx, next);
        List<Authority> below = ca.ownRoot().below(tx, authority(rollover.oldAuthority()));
        for (Authority old : below) {
            if (ready.stream()
                    .noneMatch(one ->
                            one.purpose() == old.purpose() && one.environment().equals(old.environment()))) {
                return new Step.NeedsCeremony(old.id());
            }
        }
        if (!ca.succession().move(tx, next, Authority.Standing.ACTIVE, reason, actor)) {
            return new Step.NotNow(rollover.phase());
        }
        for (Authority issuer : ready) {
            ca.succession().move(tx, issuer, Authority.Standing.ACTIVE, reason, actor);
        }
        tell(tx, renewals, rollover, below, actor);
        return moved(tx, rollover, reason, withoutTrust, actor);
    }

    private static Step moved(Transaction tx, Rollover rollover, String reason, long withoutTrust, Actor actor) {
        RolloverStore.moved(tx.sql(), rollover.id(), tx.now());
        record(tx, "rollover.moved", rollover, reason, actor, Map.of("devicesThatHaveNotSaidTheyTrust", withoutTrust));
        return again(tx, rollover);
    }

    /// @param rollover locked
    /// @param person who answers for it where devices are left behind; empty where nobody does
    Step finish(Transaction tx, Rollover rollover, Optional<String> person, String reason, Actor actor) {
        Facts facts = facts(tx, rollover);
        Despite despite = person.isEmpty()
                ? Despite.NOBODY
                : agreed(tx, rollover, person.get(), facts) ? Despite.TWO_PEOPLE : Despite.ONE_PERSON;
        return switch (RolloverPolicy.finish(rollover, facts, despite)) {
            case Decision.Refuse refuse -> refuse.step();
            case Decision.AskAnother ask ->
                waive(tx, rollover, new Waiver(person.orElseThrow(), reason, ask.leftBehind(), tx.now()), actor);
            case Decision.Go go -> end(tx, rollover, go.leftBehind(), person, reason, actor);
        };
    }

    private Facts facts(Transaction tx, Rollover rollover) {
        List<String> ids = going(ca, authority(rollover.oldAuthority())).stream()
                .map(Authority::id)
                .toList();
        return rollover.kind() == Rollover.Kind.ROOT
                ? RolloverStore.dependingOrNotTrusting(tx.sql(), ids, newRoot(rollover), tx.now(), SOME)
                : RolloverStore.someDepending(tx.sql(), ids, tx.now(), SOME);
    }

    /// Whether somebody else has agreed to leave at least so many behind.
    private static boolean agreed(Transaction tx, Rollover rollover, String person, Facts facts) {
        return RolloverStore.waivers(tx.sql(), rollover.id()).stream()
                .anyMatch(w -> !w.person().equals(person) && w.devices() >= facts.missing());
    }

    private static Step waive(Transaction tx, Rollover rollover, Waiver waiver, Actor actor) {
        RolloverStore.waive(tx.sql(), rollover.id(), waiver);
        record(
                tx,
                "rollover.waived",
                rollover,
                waiver.reason(),
                actor,
                Map.of("person", waiver.person(), "wouldBeLeftBehind", waiver.devices()));
        return new Step.NeedsAnother(rollover, waiver.devices());
    }

    private Step end(
            Transaction tx, Rollover rollover, long leftBehind, Optional<String> person, String reason, Actor actor) {
        Authority.Standing to =
                rollover.kind() == Rollover.Kind.EMERGENCY ? Authority.Standing.DISTRUSTED : Authority.Standing.RETIRED;
        going(ca, authority(rollover.oldAuthority()))
                .forEach(authority -> ca.succession().move(tx, authority, to, reason, actor));
        RolloverStore.ended(tx.sql(), rollover.id(), Rollover.Phase.ENDED, tx.now());
        Map<String, Object> more = new LinkedHashMap<>();
        more.put("leftBehind", leftBehind);
        if (leftBehind > 0 && rollover.kind() == Rollover.Kind.ROOT) {
            Set<String> people = new LinkedHashSet<>();
            RolloverStore.waivers(tx.sql(), rollover.id()).forEach(w -> people.add(w.person()));
            person.ifPresent(people::add);
            more.put("agreed", List.copyOf(people));
        }
        record(tx, "rollover.ended", rollover, reason, actor, more);
        return again(tx, rollover);
    }

    /// Before step 2: the new authority is withdrawn, and nobody has used it.
    Step abandon(Transaction tx, Rollover rollover, String reason, Actor actor) {
        if (rollover.phase() != Rollover.Phase.READY) {
            return new Step.NotNow(rollover.phase());
        }
        Authority next = authority(rollover.newAuthority());
        ca.succession().move(tx, next, Authority.Standing.RETIRED, reason, actor);
        if (next.isOperatorsRoot()) {
            ca.ownRoot()
                    .below(tx, next)
                    .forEach(issuer -> ca.succession().move(tx, issuer, Authority.Standing.RETIRED, reason, actor));
        }
        RolloverStore.ended(tx.sql(), rollover.id(), Rollover.Phase.ABANDONED, tx.now());
        record(tx, "rollover.abandoned", rollover, reason, actor, Map.of());
        return again(tx, rollover);
    }

    /// Devices of these issuers are told to renew, at the rollover's rate.
    static void tell(Transaction tx, Renewals renewals, Rollover rollover, List<Authority> issuers, Actor actor) {
        for (Authority issuer : issuers) {
            if (issuer.environment().isPresent()) {
                renewals.start(
                        tx,
                        issuer.environment().get(),
                        new Chosen.OfAuthority(issuer.id()),
                        rollover.perHour(),
                        "rollover " + rollover.id() + ": " + rollover.reason(),
                        actor);
            }
        }
    }

    /// A root goes with all that is below it.
    static List<Authority> going(Ca ca, Authority old) {
        List<Authority> going = new ArrayList<>(List.of(old));
        if (old.purpose() == Authority.Purpose.ROOT) {
            going.addAll(ca.succession().below(old));
        }
        return going;
    }

    static void record(
            Transaction tx, String kind, Rollover rollover, String reason, Actor actor, Map<String, Object> more) {
        Map<String, Object> body = new LinkedHashMap<>(more);
        body.put("kind", rollover.kind().text());
        body.put("old", rollover.oldAuthority());
        body.put("new", rollover.newAuthority());
        tx.record(new Entry(
                kind,
                rollover.environment().orElse(new Environment("all")),
                "rollover:" + rollover.id(),
                actor,
                reason,
                body));
    }

    private static Step again(Transaction tx, Rollover rollover) {
        return new Step.Done(RolloverStore.find(tx.sql(), rollover.id(), false).orElseThrow());
    }

    private String newRoot(Rollover rollover) {
        return Certificates.fingerprint(authority(rollover.newAuthority()).certificate());
    }

    private Authority authority(String id) {
        return ca.authorities().find(id).orElseThrow();
    }
}
