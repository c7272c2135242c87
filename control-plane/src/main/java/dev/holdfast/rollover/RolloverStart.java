package dev.holdfast.rollover;

import dev.holdfast.ca.Authority;
import dev.holdfast.ca.Ca;
import dev.holdfast.ca.OwnRoot;
import dev.holdfast.core.Actor;
import dev.holdfast.core.Environment;
import dev.holdfast.journal.Transaction;
import dev.holdfast.rotation.Renewals;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The first step of each kind of rollover: the next authority is made, inside the caller's transaction.
final class RolloverStart {
    private final Ca ca;
    private final Renewals renewals;
    private final SecureRandom random;

    RolloverStart(Ca ca, Renewals renewals, SecureRandom random) {
        this.ca = ca;
        this.renewals = renewals;
        this.random = random;
    }

    /// Makes the next issuer of this environment's devices ready. Where the root's key is not here, the issuer
    /// that was installed last is taken as the new one, and the one before as the old.
    Step issuer(Transaction tx, Environment environment, int perHour, String reason, Actor actor) {
        Optional<Authority> current = ca.authorities().devices(environment);
        if (current.isEmpty()) {
            return new Step.NotReplaceable("there is no issuer of " + environment);
        }
        Optional<Authority> root = rootOf(current.get());
        if (root.isEmpty()) {
            return installed(tx, current.get(), perHour, reason, actor);
        }
        if (RolloverStore.open(tx.sql(), current.get().id())) {
            return new Step.NotReplaceable(current.get().id() + " is being replaced already");
        }
        return ca.succession()
                .nextDevices(tx, environment, root.get(), Authority.Standing.READY, reason, actor)
                .<Step>map(next -> begun(
                        tx,
                        rollover(
                                tx,
                                Optional.of(environment),
                                Rollover.Kind.ISSUER,
                                current.get(),
                                next,
                                Rollover.Phase.READY,
                                perHour,
                                Optional.empty(),
                                reason,
                                actor)))
                .orElseGet(() -> new Step.NeedsCeremony(current.get().id()));
    }

    /// After a ceremony: the newest issuer is the operator's, and issues already.
    private Step installed(Transaction tx, Authority newest, int perHour, String reason, Actor actor) {
        Optional<Authority> before = before(newest);
        if (before.isEmpty()) {
            return new Step.NeedsCeremony(newest.id());
        }
        if (RolloverStore.open(tx.sql(), before.get().id())) {
            return new Step.NotReplaceable(before.get().id() + " is being replaced already");
        }
        Rollover rollover = rollover(
                tx,
                newest.environment(),
                Rollover.Kind.ISSUER,
                before.get(),
                newest,
                Rollover.Phase.MOVING,
                perHour,
                Optional.empty(),
                reason,
                actor);
        RolloverSteps.tell(tx, renewals, rollover, List.of(before.get()), actor);
        return begun(tx, rollover);
    }

    /// The one that issued before this one was installed, and still counts.
    private Optional<Authority> before(Authority newest) {
        return ca.authorities().all().stream()
                .filter(a -> a.purpose() == newest.purpose()
                        && a.environment().equals(newest.environment())
                        && a.standing() == Authority.Standing.ACTIVE
                        && a.generation() < newest.generation())
                .max(Comparator.comparingInt(Authority::generation));
    }

    /// Makes the next root ready, with the certificates of old and new for each other.
    Step root(Transaction tx, int perHour, String reason, Actor actor) {
        Authority current = ca.authorities().root();
        if (!ca.authorities().server().anchor().equals(current.certificate())) {
            return new Step.NotReplaceable("the root in use is your own: make the next one at a ceremony and bring it,"
                    + " with what both have signed for each other");
        }
        if (RolloverStore.open(tx.sql(), current.id())) {
            return new Step.NotReplaceable(current.id() + " is being replaced already");
        }
        return ca.succession()
                .nextRoot(tx, current, reason, actor)
                .<Step>map(next -> begun(
                        tx,
                        rollover(
                                tx,
                                Optional.empty(),
                                Rollover.Kind.ROOT,
                                current,
                                next,
                                Rollover.Phase.READY,
                                perHour,
                                Optional.empty(),
                                reason,
                                actor)))
                .orElseGet(() -> new Step.NeedsCeremony(current.id()));
    }

    /// Makes the operator's next root ready, as a ceremony has handed it in.
    ///
    /// @param crosses NewWithOld and OldWithNew, in any order
    Step ownRoot(
            Transaction tx,
            X509Certificate root,
            List<X509Certificate> crosses,
            int perHour,
            String reason,
            Actor actor) {
        return switch (ca.ownRoot().introduce(tx, root, crosses, reason, actor)) {
            case OwnRoot.Introduction.Refused refused -> new Step.RootRefused(refused.why());
            case OwnRoot.Introduction.NoRootOfYours _ ->
                new Step.NotReplaceable("no root of yours is in use yet: install its issuers, without a rollover");
            case OwnRoot.Introduction.BeingReplaced being ->
                new Step.NotReplaceable(
                        being.old().id() + " is being replaced, or is replacing another: finish that rollover first");
            case OwnRoot.Introduction.Introduced introduced ->
                begun(
                        tx,
                        rollover(
                                tx,
                                Optional.empty(),
                                Rollover.Kind.ROOT,
                                introduced.old(),
                                introduced.next(),
                                Rollover.Phase.READY,
                                perHour,
                                Optional.empty(),
                                reason,
                                actor));
        };
    }

    /// After the theft of an issuer's key: a new issuer at once, every device of the old one told to renew, and
    /// the old one distrusted when all have moved, at the latest after the grace. Under the operator's own root
    /// the new one must have been installed; the one before it is taken for the stolen one.
    ///
    /// @param atOnce whether certificates of the old issuer are good from now on for renewal alone, and only
    ///     those that we know to have issued ourselves
    /// @param grace at most 90 days
    Step emergency(
            Transaction tx,
            Environment environment,
            boolean atOnce,
            Duration grace,
            int perHour,
            String reason,
            Actor actor) {
        Optional<Authority> current = ca.authorities().devices(environment);
        if (current.isEmpty()) {
            return new Step.NotReplaceable("there is no issuer of " + environment);
        }
        Optional<Authority> root = rootOf(current.get());
        // Under the operator's own root the replacement was installed before this, and issues already.
        Authority stolen = root.isEmpty() ? before(current.get()).orElse(current.get()) : current.get();
        if (RolloverStore.open(tx.sql(), stolen.id())) {
            return new Step.NotReplaceable(
                    stolen.id() + " is being replaced already: finish or abandon that rollover first");
        }
        Optional<Authority> next = root.isEmpty()
                ? current.filter(newest -> !newest.equals(stolen))
                : ca.succession().nextDevices(tx, environment, root.get(), Authority.Standing.ACTIVE, reason, actor);
        if (next.isEmpty()) {
            return new Step.NeedsCeremony(stolen.id());
        }
        if (atOnce && !ca.succession().move(tx, stolen, Authority.Standing.RENEW_ONLY, reason, actor)) {
            return new Step.NotReplaceable(stolen.id() + " has changed meanwhile");
        }
        Rollover rollover = rollover(
                tx,
                Optional.of(environment),
                Rollover.Kind.EMERGENCY,
                stolen,
                next.get(),
                Rollover.Phase.MOVING,
                perHour,
                Optional.of(tx.now().plus(grace)),
                reason,
                actor);
        RolloverSteps.tell(tx, renewals, rollover, List.of(stolen), actor);
        return begun(tx, rollover);
    }

    private Rollover rollover(
            Transaction tx,
            Optional<Environment> environment,
            Rollover.Kind kind,
            Authority old,
            Authority next,
            Rollover.Phase phase,
            int perHour,
            Optional<Instant> distrustAt,
            String reason,
            Actor actor) {
        byte[] id = new byte[6];
        random.nextBytes(id);
        Rollover rollover = new Rollover(
                HexFormat.of().formatHex(id),
                environment,
                kind,
                old.id(),
                next.id(),
                phase,
                reason,
                actor.toString(),
                tx.now(),
                phase == Rollover.Phase.MOVING ? Optional.of(tx.now()) : Optional.empty(),
                Optional.empty(),
                perHour,
                distrustAt);
        RolloverStore.insert(tx.sql(), rollover);
        RolloverSteps.record(tx, "rollover.started", rollover, reason, actor, Map.of("phase", phase.text()));
        return rollover;
    }

    private static Step begun(Transaction tx, Rollover rollover) {
        return new Step.Done(RolloverStore.find(tx.sql(), rollover.id(), false).orElseThrow());
    }

    /// The root of ours above an issuer; empty where the operator's own is above it.
    private Optional<Authority> rootOf(Authority issuer) {
        return ca.authorities().all().stream()
                .filter(a -> a.purpose() == Authority.Purpose.ROOT && !a.isOperatorsRoot())
                .filter(a -> issuer.above().contains(a.certificate()))
                .findFirst();
    }
}
