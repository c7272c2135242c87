package dev.holdfast.rollover;

import dev.holdfast.ca.Authority;
import dev.holdfast.ca.Ca;
import dev.holdfast.core.Actor;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Environment;
import dev.holdfast.database.Database;
import dev.holdfast.journal.Journal;
import dev.holdfast.journal.Transaction;
import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.rotation.Renewals;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Replacing authorities, without a device left behind that nobody has counted.
///
/// A rollover has three steps, each one transaction with its journal entry, so that a crash leaves it before or
/// after:
/// 1. start: the new authority is made and published, next to the old one. It issues nothing.
/// 2. [#move]: it issues from now on, devices are told to renew ([Renewals], at a rate), both count. For a
///    root: once the devices have said that they trust it; then our listeners change too.
/// 3. [#finish]: the old one counts no more; refused while a device depends on it.
///
/// An emergency takes the first two at once, and the third by itself when its time is over. Whether a step may
/// be taken says [RolloverPolicy].
public final class Rollovers {
    private static final Logger LOG = LoggerFactory.getLogger(Rollovers.class);
    private static final Actor SELF = new Actor.Holdfast("rollover");
    private static final Duration LONGEST_GRACE = Duration.ofDays(90);

    private final Database database;
    private final Journal journal;
    private final Ca ca;
    private final RolloverStart start;
    private final RolloverSteps steps;
    private final InstantSource clock;
    private final List<Runnable> whenMoved = new CopyOnWriteArrayList<>();

    Rollovers(Database database, Journal journal, Ca ca, Renewals renewals, InstantSource clock, SecureRandom random) {
        this.database = database;
        this.journal = journal;
        this.ca = ca;
        this.start = new RolloverStart(ca, renewals, random);
        this.steps = new RolloverSteps(ca, renewals);
        this.clock = clock;
    }

    /// Called after our listeners' issuer has changed, on this node at once and on others when they hear of it.
    public void onMoved(Runnable listener) {
        whenMoved.add(listener);
    }

    void tellMoved() {
        whenMoved.forEach(Runnable::run);
    }

    /// Makes the next issuer of this environment's devices ready. Where the root's key is not here, the issuer
    /// that was installed last is taken as the new one, and the one before as the old.
    public Step startIssuer(Environment environment, int perHour, String reason, Actor actor) {
        return committed(tx -> start.issuer(tx, environment, perHour, reason, actor));
    }

    /// Makes the next root ready, with the certificates of old and new for each other.
    public Step startRoot(int perHour, String reason, Actor actor) {
        return committed(tx -> start.root(tx, perHour, reason, actor));
    }

    /// Makes the operator's next root ready, as a ceremony has handed it in; issuers below it are installed
    /// before [#move].
    ///
    /// @param crosses the certificates of the root in use and of this one for each other, in any order
    public Step startOwnRoot(
            X509Certificate root, List<X509Certificate> crosses, int perHour, String reason, Actor actor) {
        return committed(tx -> start.ownRoot(tx, root, crosses, perHour, reason, actor));
    }

    /// After the theft of an issuer's key: a new issuer at once, every device of the old one told to renew, and
    /// the old one distrusted when all have moved, at the latest after the grace.
    ///
    /// @param atOnce whether certificates of the old issuer are good from now on for renewal alone, and only
    ///     those that we know to have issued ourselves
    /// @param grace at most 90 days
    public Step startEmergency(
            Environment environment, boolean atOnce, Duration grace, int perHour, String reason, Actor actor) {
        if (grace.isNegative() || grace.compareTo(LONGEST_GRACE) > 0) {
            throw new IllegalArgumentException("a grace is at most " + LONGEST_GRACE);
        }
        return committed(tx -> start.emergency(tx, environment, atOnce, grace, perHour, reason, actor));
    }

    /// Step 2.
    ///
    /// @param despite goes on although devices have not said that they trust the new root; they are counted in
    ///     the journal
    public Step move(String id, boolean despite, String reason, Actor actor) {
        Step step = locked(id, (tx, rollover) -> steps.move(tx, rollover, despite, reason, actor));
        if (step instanceof Step.Done) {
            tellMoved();
        }
        return step;
    }

    /// Step 3: the old authority retires, or after an emergency is distrusted; refused while a device depends
    /// on it.
    public Step finish(String id, String reason, Actor actor) {
        return locked(id, (tx, rollover) -> steps.finish(tx, rollover, Optional.empty(), reason, actor));
    }

    /// Step 3, although devices are missing: of an emergency on this person's word; of a root, when a second,
    /// different person has given theirs for at least as many devices. Never of an issuer.
    ///
    /// @param person the one behind the actor, as [Actor#text] writes it
    public Step finishLeavingBehind(String id, String person, String reason, Actor actor) {
        return locked(id, (tx, rollover) -> steps.finish(tx, rollover, Optional.of(person), reason, actor));
    }

    /// Before step 2: the new authority is withdrawn, and nobody has used it.
    public Step abandon(String id, String reason, Actor actor) {
        return locked(id, (tx, rollover) -> steps.abandon(tx, rollover, reason, actor));
    }

    /// Ends the emergencies whose grace is over; called every few seconds, on every node: the row is locked, so
    /// one of them does it.
    void endDue() {
        for (String id : database.<List<String>>read(sql -> RolloverStore.due(sql, clock.instant()))) {
            Step step = finishLeavingBehind(id, SELF.text(), "the grace is over", SELF);
            LOG.info("the emergency rollover {} ended: {}", id, step);
        }
    }

    public List<Rollover> list(Environment environment) {
        return database.read(sql -> RolloverStore.list(sql, environment));
    }

    public Optional<Rollover> find(String id) {
        return database.read(sql -> RolloverStore.find(sql, id, false));
    }

    /// Who has agreed to leave devices behind, oldest first.
    public List<Waiver> waivers(Rollover rollover) {
        return database.read(sql -> RolloverStore.waivers(sql, rollover.id()));
    }

    /// What a root must take back at a ceremony, because its key is not here; elsewhere our own list says so.
    /// After an emergency the old authority's certificate; after the rollover of an operator's root what the new
    /// one has signed for the old one's key.
    public Optional<X509Certificate> toTakeBack(Rollover rollover) {
        Authority old = authority(rollover.oldAuthority());
        if (old.isOperatorsRoot()) {
            return rollover.phase() == Rollover.Phase.ENDED
                    ? ca.authorities().cross(rollover.oldAuthority(), rollover.newAuthority())
                    : Optional.empty();
        }
        return old.standing() == Authority.Standing.DISTRUSTED
                        && ca.authorities().signer(old).isEmpty()
                ? Optional.of(old.certificate())
                : Optional.empty();
    }

    /// How far each device has come, by name.
    ///
    /// @param after the last one that was seen
    public List<DeviceTrust> devices(Rollover rollover, DeviceTrust.Only only, Optional<DeviceRef> after, int limit) {
        return database.read(sql -> TrustStore.devices(
                sql,
                rollover,
                new TrustStore.Sides(fingerprint(rollover), ids(rollover.oldAuthority()), ids(rollover.newAuthority())),
                only,
                after,
                clock.instant(),
                limit));
    }

    public Progress progress(Rollover rollover) {
        boolean root = rollover.kind() == Rollover.Kind.ROOT;
        List<String> before = ids(rollover.oldAuthority());
        List<String> after = ids(rollover.newAuthority());
        String fingerprint = fingerprint(rollover);
        Instant now = clock.instant();
        return database.read(sql -> {
            RolloverPolicy.Facts depending = RolloverStore.someDepending(sql, before, now, RolloverSteps.SOME);
            return new Progress(
                    RolloverStore.devices(
                            sql, rollover.environment().map(Environment::value).orElse(""), now),
                    RolloverStore.moved(sql, after, now),
                    depending.missing(),
                    root ? TrustStore.trusting(sql, fingerprint, now) : 0,
                    root ? TrustStore.fetched(sql, fingerprint, now) : 0,
                    RolloverStore.movedSince(sql, after, now.minus(Duration.ofMinutes(1))),
                    root && rollover.phase() == Rollover.Phase.READY
                            ? RolloverStore.notTrusting(sql, fingerprint, now, RolloverSteps.SOME)
                                    .some()
                            : depending.some());
        });
    }

    private String fingerprint(Rollover rollover) {
        return Certificates.fingerprint(authority(rollover.newAuthority()).certificate());
    }

    private List<String> ids(String authority) {
        return RolloverSteps.going(ca, authority(authority)).stream()
                .map(Authority::id)
                .toList();
    }

    private interface Change {
        Step apply(Transaction tx);
    }

    private interface ChangeOf {
        Step apply(Transaction tx, Rollover rollover);
    }

    private Step locked(String id, ChangeOf change) {
        return committed(tx -> RolloverStore.find(tx.sql(), id, true)
                .map(rollover -> change.apply(tx, rollover))
                .orElseGet(Step.Unknown::new));
    }

    private Step committed(Change change) {
        Step step = journal.commit(change::apply);
        ca.succession().committed();
        return step;
    }

    private Authority authority(String id) {
        return ca.authorities().find(id).orElseThrow();
    }
}
