package dev.holdfast.rollover;

import dev.holdfast.ca.Authority;
import dev.holdfast.ca.Ca;
import dev.holdfast.core.Actor;
import dev.holdfast.core.DeviceId;
import dev.holdfast.core.Environment;
import dev.holdfast.database.Database;
import dev.holdfast.journal.Entry;
import dev.holdfast.journal.Journal;
import dev.holdfast.journal.Transaction;
import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.rotation.Chosen;
import dev.holdfast.rotation.Renewals;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Replacing authorities, without a device left behind that nobody has counted.
///
/// A rollover has three steps, each one transaction with its journal entry, so that a crash leaves it before or
/// after:
/// 1. [#start]: the new authority is made and published, next to the old one. It issues nothing.
/// 2. [#move]: it issues from now on, devices are told to renew ([Renewals], at a rate), both count. For a
///    root: once the devices have said that they trust it; then our listeners change too.
/// 3. [#finish]: the old one counts no more; refused while a device depends on it.
///
/// An emergency takes the first two at once, and the third by itself when its time is over.
public final class Rollovers {
    private static final Logger LOG = LoggerFactory.getLogger(Rollovers.class);
    private static final Actor SELF = new Actor.Holdfast("rollover");
    private static final int SOME = 20;
    private static final Duration LONGEST_GRACE = Duration.ofDays(90);

    private final Database database;
    private final Journal journal;
    private final Ca ca;
    private final Renewals renewals;
    private final InstantSource clock;
    private final SecureRandom random;
    private final List<Runnable> whenMoved = new CopyOnWriteArrayList<>();

    Rollovers(Database database, Journal journal, Ca ca, Renewals renewals, InstantSource clock, SecureRandom random) {
        this.database = database;
        this.journal = journal;
        this.ca = ca;
        this.renewals = renewals;
        this.clock = clock;
        this.random = random;
    }

    /// Called after our listeners' issuer has changed, on this node.
    public void onMoved(Runnable listener) {
        whenMoved.add(listener);
    }

    /// Makes the next issuer of this environment's devices ready. Where the root's key is not here, the issuer
    /// that was
    /// installed last is taken as the new one, and the one before as the old.
    public Step startIssuer(Environment environment, int perHour, String reason, Actor actor) {
        return committed(tx -> {
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
        });
    }

    /// After a ceremony: the newest issuer is the operator's, and issues already.
    private Step installed(Transaction tx, Authority newest, int perHour, String reason, Actor actor) {
        Optional<Authority> before = ca.authorities().all().stream()
                .filter(a -> a.purpose() == newest.purpose()
                        && a.environment().equals(newest.environment())
                        && a.standing() == Authority.Standing.ACTIVE
                        && a.generation() < newest.generation())
                .max(java.util.Comparator.comparingInt(Authority::generation));
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
        tell(tx, rollover, List.of(before.get()), actor);
        return begun(tx, rollover);
    }

    /// Makes the next root ready, with the certificates of old and new for each other.
    public Step startRoot(int perHour, String reason, Actor actor) {
        return committed(tx -> {
            Authority current = ca.authorities().root();
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
        });
    }

    /// After the theft of an issuer's key: a new issuer at once, every device of the old one told to renew, and
    /// the old
    /// one distrusted when all have moved, at the latest after the grace.
    ///
    /// @param atOnce whether certificates of the old issuer are good from now on for renewal alone, and only
    ///     those that
    ///     we know to have issued ourselves
    /// @param grace at most 90 days
    public Step startEmergency(
            Environment environment, boolean atOnce, Duration grace, int perHour, String reason, Actor actor) {
        if (grace.isNegative() || grace.compareTo(LONGEST_GRACE) > 0) {
            throw new IllegalArgumentException("a grace is at most " + LONGEST_GRACE);
        }
        return committed(tx -> {
            Optional<Authority> current = ca.authorities().devices(environment);
            if (current.isEmpty()) {
                return new Step.NotReplaceable("there is no issuer of " + environment);
            }
            Authority stolen = current.get();
            if (RolloverStore.open(tx.sql(), stolen.id())) {
                return new Step.NotReplaceable(
                        stolen.id() + " is being replaced already: finish or abandon that rollover first");
            }
            Optional<Authority> root = rootOf(stolen);
            Optional<Authority> next = root.isEmpty()
                    ? Optional.empty()
                    : ca.succession()
                            .nextDevices(tx, environment, root.get(), Authority.Standing.ACTIVE, reason, actor);
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
            tell(tx, rollover, List.of(stolen), actor);
            return begun(tx, rollover);
        });
    }

    /// Step 2.
    ///
    /// @param despite goes on although devices have not said that they trust the new root; they are counted in
    ///     the journal
    public Step move(String id, boolean despite, String reason, Actor actor) {
        Step step = committed(tx -> {
            Optional<Rollover> found = RolloverStore.find(tx.sql(), id, true);
            if (found.isEmpty()) {
                return new Step.Unknown();
            }
            Rollover rollover = found.get();
            if (rollover.phase() != Rollover.Phase.READY) {
                return new Step.NotNow(rollover.phase());
            }
            return switch (rollover.kind()) {
                case ISSUER -> moveIssuer(tx, rollover, reason, actor);
                case ROOT -> moveRoot(tx, rollover, despite, reason, actor);
                case EMERGENCY -> new Step.NotNow(rollover.phase());
            };
        });
        if (step instanceof Step.Done) {
            whenMoved.forEach(Runnable::run);
        }
        return step;
    }

    private Step moveIssuer(Transaction tx, Rollover rollover, String reason, Actor actor) {
        Authority old = authority(rollover.oldAuthority());
        if (!ca.succession().move(tx, authority(rollover.newAuthority()), Authority.Standing.ACTIVE, reason, actor)) {
            return new Step.NotNow(rollover.phase());
        }
        tell(tx, rollover, List.of(old), actor);
        return moved(tx, rollover, reason, 0, actor);
    }

    /// The root, then our listeners' issuer and every environment's, all in one change: nobody sees a half of
    /// it.
    private Step moveRoot(Transaction tx, Rollover rollover, boolean despite, String reason, Actor actor) {
        Authority next = authority(rollover.newAuthority());
        String fingerprint = Certificates.fingerprint(next.certificate());
        long without =
                RolloverStore.devices(tx.sql(), "", tx.now()) - RolloverStore.trusting(tx.sql(), fingerprint, tx.now());
        if (without > 0 && !despite) {
            return new Step.DevicesDepend(
                    without, RolloverStore.someNotTrusting(tx.sql(), fingerprint, tx.now(), SOME));
        }
        if (!ca.succession().move(tx, next, Authority.Standing.ACTIVE, reason, actor)) {
            return new Step.NotNow(rollover.phase());
        }
        List<Authority> below = ca.succession().below(authority(rollover.oldAuthority()));
        Set<Environment> environments = new LinkedHashSet<>();
        below.forEach(a -> a.environment().ifPresent(environments::add));
        Optional<Authority> servers = ca.succession().nextServers(tx, next, reason, actor);
        for (Environment environment : environments) {
            ca.succession().nextDevices(tx, environment, next, Authority.Standing.ACTIVE, reason, actor);
        }
        if (servers.isEmpty()) {
            return new Step.NeedsCeremony(next.id());
        }
        tell(tx, rollover, below, actor);
        return moved(tx, rollover, reason, without, actor);
    }

    /// Devices of these issuers are told to renew, at the rollover's rate.
    private void tell(Transaction tx, Rollover rollover, List<Authority> issuers, Actor actor) {
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

    /// Step 3: the old authority retires, or after an emergency is distrusted; refused while a device depends
    /// on it.
    ///
    /// @param despite after an emergency only: leaves behind those that have not moved
    public Step finish(String id, boolean despite, String reason, Actor actor) {
        return committed(tx -> {
            Optional<Rollover> found = RolloverStore.find(tx.sql(), id, true);
            if (found.isEmpty()) {
                return new Step.Unknown();
            }
            Rollover rollover = found.get();
            if (rollover.phase() != Rollover.Phase.MOVING) {
                return new Step.NotNow(rollover.phase());
            }
            boolean emergency = rollover.kind() == Rollover.Kind.EMERGENCY;
            Authority old = authority(rollover.oldAuthority());
            List<Authority> going = going(old);
            List<String> ids = going.stream().map(Authority::id).toList();
            long depending = RolloverStore.depending(tx.sql(), ids, tx.now());
            if (depending > 0 && !(despite && emergency)) {
                return new Step.DevicesDepend(depending, RolloverStore.someDepending(tx.sql(), ids, tx.now(), SOME));
            }
            if (rollover.kind() == Rollover.Kind.ROOT) {
                Optional<Step> trust = stillTrusted(tx, rollover);
                if (trust.isPresent()) {
                    return trust.get();
                }
            }
            Authority.Standing to = emergency ? Authority.Standing.DISTRUSTED : Authority.Standing.RETIRED;
            going.forEach(authority -> ca.succession().move(tx, authority, to, reason, actor));
            RolloverStore.ended(tx.sql(), id, Rollover.Phase.ENDED, tx.now());
            record(tx, "rollover.ended", rollover, reason, actor, Map.of("leftBehind", depending));
            return new Step.Done(RolloverStore.find(tx.sql(), id, false).orElseThrow());
        });
    }

    /// A root goes with all that is below it.
    private List<Authority> going(Authority old) {
        List<Authority> going = new ArrayList<>(List.of(old));
        if (old.purpose() == Authority.Purpose.ROOT) {
            going.addAll(ca.succession().below(old));
        }
        return going;
    }

    /// Devices that know only the old root would not know our listeners any more.
    private Optional<Step> stillTrusted(Transaction tx, Rollover rollover) {
        String fingerprint =
                Certificates.fingerprint(authority(rollover.newAuthority()).certificate());
        List<DeviceId> some = RolloverStore.someNotTrusting(tx.sql(), fingerprint, tx.now(), SOME);
        return some.isEmpty()
                ? Optional.empty()
                : Optional.of(new Step.DevicesDepend(
                        RolloverStore.devices(tx.sql(), "", tx.now())
                                - RolloverStore.trusting(tx.sql(), fingerprint, tx.now()),
                        some));
    }

    /// Before step 2: the new authority is withdrawn, and nobody has used it.
    public Step abandon(String id, String reason, Actor actor) {
        return committed(tx -> {
            Optional<Rollover> found = RolloverStore.find(tx.sql(), id, true);
            if (found.isEmpty()) {
                return new Step.Unknown();
            }
            if (found.get().phase() != Rollover.Phase.READY) {
                return new Step.NotNow(found.get().phase());
            }
            ca.succession().move(tx, authority(found.get().newAuthority()), Authority.Standing.RETIRED, reason, actor);
            RolloverStore.ended(tx.sql(), id, Rollover.Phase.ABANDONED, tx.now());
            record(tx, "rollover.abandoned", found.get(), reason, actor, Map.of());
            return new Step.Done(RolloverStore.find(tx.sql(), id, false).orElseThrow());
        });
    }

    /// Ends the emergencies whose grace is over; called every few seconds, on every node: the row is locked, so
    /// one of
    /// them does it.
    void endDue() {
        for (String id : database.<List<String>>read(sql -> RolloverStore.due(sql, clock.instant()))) {
            Step step = finish(id, true, "the grace is over", SELF);
            LOG.info("the emergency rollover {} ended: {}", id, step);
        }
    }

    public List<Rollover> list(Environment environment) {
        return database.read(sql -> RolloverStore.list(sql, environment));
    }

    public Optional<Rollover> find(String id) {
        return database.read(sql -> RolloverStore.find(sql, id, false));
    }

    public Progress progress(Rollover rollover) {
        Authority old = authority(rollover.oldAuthority());
        Authority next = authority(rollover.newAuthority());
        boolean root = rollover.kind() == Rollover.Kind.ROOT;
        List<String> before = going(old).stream().map(Authority::id).toList();
        List<String> after = going(next).stream().map(Authority::id).toList();
        String fingerprint = Certificates.fingerprint(next.certificate());
        Instant now = clock.instant();
        return database.read(sql -> new Progress(
                RolloverStore.devices(
                        sql, rollover.environment().map(Environment::value).orElse(""), now),
                RolloverStore.moved(sql, after, now),
                RolloverStore.depending(sql, before, now),
                root ? RolloverStore.trusting(sql, fingerprint, now) : 0,
                RolloverStore.movedSince(sql, after, now.minus(Duration.ofMinutes(1))),
                root && rollover.phase() == Rollover.Phase.READY
                        ? RolloverStore.someNotTrusting(sql, fingerprint, now, SOME)
                        : RolloverStore.someDepending(sql, before, now, SOME)));
    }

    private interface Change {
        Step apply(Transaction tx);
    }

    private Step committed(Change change) {
        Step step = journal.commit(change::apply);
        ca.succession().committed();
        return step;
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
        record(tx, "rollover.started", rollover, reason, actor, Map.of("phase", phase.text()));
        return rollover;
    }

    private static Step begun(Transaction tx, Rollover rollover) {
        return new Step.Done(RolloverStore.find(tx.sql(), rollover.id(), false).orElseThrow());
    }

    private Step moved(Transaction tx, Rollover rollover, String reason, long withoutTrust, Actor actor) {
        RolloverStore.moved(tx.sql(), rollover.id(), tx.now());
        record(tx, "rollover.moved", rollover, reason, actor, Map.of("devicesThatHaveNotSaidTheyTrust", withoutTrust));
        return new Step.Done(RolloverStore.find(tx.sql(), rollover.id(), false).orElseThrow());
    }

    private static void record(
            Transaction tx, String kind, Rollover rollover, String reason, Actor actor, Map<String, Object> more) {
        Map<String, Object> body = new java.util.LinkedHashMap<>(more);
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

    private Authority authority(String id) {
        return ca.authorities().find(id).orElseThrow();
    }

    /// The root of ours above an issuer; empty where the operator's own is above it.
    private Optional<Authority> rootOf(Authority issuer) {
        return ca.authorities().all().stream()
                .filter(a ->
                        a.purpose() == Authority.Purpose.ROOT && issuer.above().contains(a.certificate()))
                .findFirst();
    }
}
