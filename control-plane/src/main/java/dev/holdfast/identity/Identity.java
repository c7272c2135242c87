package dev.holdfast.identity;

import dev.holdfast.ca.Ca;
import dev.holdfast.ca.CertificateLifecycle;
import dev.holdfast.ca.CertificateStanding;
import dev.holdfast.ca.CertificateState;
import dev.holdfast.ca.IssuedCertificate;
import dev.holdfast.ca.RevocationReason;
import dev.holdfast.core.Actor;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Environment;
import dev.holdfast.core.Serial;
import dev.holdfast.database.Database;
import dev.holdfast.inventory.Device;
import dev.holdfast.inventory.Inventory;
import dev.holdfast.inventory.Lifecycle;
import dev.holdfast.inventory.Standing;
import dev.holdfast.inventory.Transition;
import dev.holdfast.journal.Freeze;
import dev.holdfast.journal.Journal;
import dev.holdfast.journal.Recorded;
import dev.holdfast.journal.Transaction;
import dev.holdfast.sessions.CutReason;
import dev.holdfast.sessions.Sessions;
import java.math.BigInteger;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.PriorityBlockingQueue;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Who is who, and who may come in: admission at every door, the device's states of trust, its certificates.
///
/// Admission is decided in memory. What an operator or `response` decides here is committed with its journal
/// entry; the journal's tail then brings it to every node, which changes its memory and cuts the sessions that
/// must end.
public final class Identity {
    private static final Logger LOG = LoggerFactory.getLogger(Identity.class);
    private final Journal journal;
    private final Inventory inventory;
    private final Sessions sessions;
    private final Ca ca;
    private final EnrolmentTokens tokens;
    private final SharedSecrets secrets;
    private final HeldRequests held;
    private final Manufacturers manufacturers;
    private final Claims claims;
    private final ProductApprovals products;
    private final Enrolment enrolment;
    private final Freeze freeze;
    private final Duration blindAfter;
    private final InstantSource clock;
    private final Queue<Ending> endings = new PriorityBlockingQueue<>(16, Comparator.comparing(Ending::at));
    private final Set<Serial> activating = ConcurrentHashMap.newKeySet();

    /// @param installationSecret 32 octets, the same on every node
    /// @param blindAfter a node that has not heard the database for this long can't know who was suspended
    ///     meanwhile
    public Identity(
            Database database,
            Journal journal,
            Inventory inventory,
            Sessions sessions,
            Ca ca,
            Freeze freeze,
            Environment environment,
            Duration blindAfter,
            InstantSource clock,
            SecureRandom random,
            byte[] installationSecret) {
        this.clock = clock;
        this.blindAfter = blindAfter;
        this.freeze = freeze;
        this.journal = journal;
        this.inventory = inventory;
        this.sessions = sessions;
        this.ca = ca;
        this.tokens = new EnrolmentTokens(journal, inventory, random);
        this.manufacturers = new Manufacturers(database, journal, inventory);
        this.secrets = new SharedSecrets(database, journal, inventory, random, installationSecret);
        this.held = new HeldRequests(database, journal, random);
        this.claims = new Claims(database, journal, inventory, random);
        this.products = new ProductApprovals(journal, inventory, manufacturers, held);
        this.enrolment = new Enrolment(
                journal, inventory, ca, tokens, secrets, held, manufacturers, claims, freeze, environment);
        inventory.directory().onChange(this::standingChanged);
        journal.obey(this::follow);
    }

    /// Whether the holder of this certificate may come in, decided in memory; the handshake has proven the key
    /// and the chain. In this order: is it ours, is it in time, does it still count, does its device.
    ///
    /// The first use of a new certificate makes it the current one and its predecessors superseded, and an
    /// enrolled device active; that is committed behind the caller's back, so call this only for real use.
    public Admission admit(X509Certificate leaf, Instant now) {
        Admission judged = judge(leaf, now);
        // Its chain is ours: it may have been issued after the backup.
        boolean maybeForgotten = judged instanceof Admission.Refused refused
                && (refused.reason() == Admission.Refusal.CERTIFICATE_UNKNOWN
                        || refused.reason() == Admission.Refusal.DEVICE_UNKNOWN);
        return maybeForgotten && freeze.isFrozen() ? unsettled() : judged;
    }

    private static Admission unsettled() {
        return refused(
                Admission.Refusal.SERVER_CANNOT_CHECK,
                "a restore from backup is not settled: who was revoked since may be forgotten");
    }

    private Admission judge(X509Certificate leaf, Instant now) {
        if (now.isAfter(leaf.getNotAfter().toInstant())) {
            return refused(
                    Admission.Refusal.CERTIFICATE_EXPIRED,
                    "it ended " + leaf.getNotAfter().toInstant());
        }
        if (now.isBefore(leaf.getNotBefore().toInstant())) {
            return refused(
                    Admission.Refusal.CERTIFICATE_NOT_YET_VALID,
                    "it begins " + leaf.getNotBefore().toInstant());
        }
        BigInteger number = leaf.getSerialNumber();
        if (number.signum() <= 0 || number.bitLength() > 160) {
            return refused(Admission.Refusal.CERTIFICATE_UNKNOWN, "its serial is not one of ours");
        }
        Serial serial = Serial.of(number);
        Optional<CertificateStanding> found = ca.standings().find(serial);
        if (found.isEmpty()
                || ca.authorities()
                        .find(found.get().authority())
                        .filter(a -> a.certificate().getSubjectX500Principal().equals(leaf.getIssuerX500Principal()))
                        .isEmpty()) {
            return refused(Admission.Refusal.CERTIFICATE_UNKNOWN, "no certificate " + serial + " was issued here");
        }
        CertificateStanding certificate = found.get();
        if (!ca.hasIssued(leaf)) {
            return refused(
                    Admission.Refusal.CERTIFICATE_UNKNOWN,
                    "another certificate was issued here under the serial " + serial);
        }
        if (certificate.device().isEmpty()) {
            return refused(Admission.Refusal.NOT_A_DEVICE_CERTIFICATE, "it is a listener's");
        }
        Admission admission = admit(certificate.device().get(), serial);
        if (admission instanceof Admission.Admitted admitted
                && (certificate.state() == CertificateState.PENDING || admitted.state() == Lifecycle.ENROLLED)) {
            firstUse(admitted);
        }
        return admission;
    }

    /// Whether a session that was admitted with this certificate may go on: cheap enough for every message.
    public boolean stillAdmitted(DeviceRef device, Serial certificate) {
        return admit(device, certificate) instanceof Admission.Admitted;
    }

    /// As [#stillAdmitted], with the device's present state and the reason of a refusal.
    public Admission admit(DeviceRef device, Serial serial) {
        Admission known = lastKnown(device, serial);
        if (!(known instanceof Admission.Admitted)) {
            return known;
        }
        if (blind()) {
            return refused(
                    Admission.Refusal.SERVER_CANNOT_CHECK,
                    "the database has not been heard for " + blindAfter.toSeconds() + " s");
        }
        return freeze.isFrozen() ? unsettled() : known;
    }

    /// As [#admit(DeviceRef, Serial)], by what was heard last, however long ago: what a session that exists is
    /// still held to while the database is away. Never a reason to let anybody in.
    public Admission lastKnown(DeviceRef device, Serial serial) {
        Optional<CertificateStanding> certificate = ca.standings().find(device, serial);
        if (certificate.isEmpty()) {
            return refused(Admission.Refusal.CERTIFICATE_UNKNOWN, "no certificate " + serial + " of this device");
        }
        switch (certificate.get().state()) {
            case INTENDED -> {
                return refused(Admission.Refusal.CERTIFICATE_UNKNOWN, "it is not issued yet");
            }
            case SUPERSEDED -> {
                if (!certificate.get().overlaps(clock.instant())) {
                    return refused(Admission.Refusal.CERTIFICATE_SUPERSEDED, "its successor has been used");
                }
            }
            case REVOKED -> {
                return refused(
                        Admission.Refusal.CERTIFICATE_REVOKED,
                        certificate.get().reason().map(RevocationReason::text).orElse("revoked"));
            }
            case PENDING, CURRENT -> {}
        }
        Optional<Standing> standing = inventory.directory().find(device);
        if (standing.isEmpty()) {
            return refused(Admission.Refusal.DEVICE_UNKNOWN, "no device " + device);
        }
        return switch (standing.get().state()) {
            case ENROLLED, ACTIVE, QUARANTINED -> {
                if (certificate.get().held()) {
                    yield refused(Admission.Refusal.DEVICE_SUSPENDED, "its certificates are on hold");
                }
                // Last: detection takes this refusal for no fault of the device's.
                yield ca.authorities().admits(certificate.get().authority())
                        ? new Admission.Admitted(device, serial, standing.get().state())
                        : refused(
                                Admission.Refusal.ISSUER_REPLACED,
                                "its authority " + certificate.get().authority()
                                        + " is replaced: renew the certificate");
            }
            case SUSPENDED -> refused(Admission.Refusal.DEVICE_SUSPENDED, "device " + device + " is suspended");
            case RETIRED -> refused(Admission.Refusal.DEVICE_RETIRED, "device " + device + " is retired");
            case REGISTERED -> refused(Admission.Refusal.DEVICE_UNKNOWN, device + " is registered, not enrolled");
        };
    }

    /// Whether this node has not heard the database for so long that it must not admit anybody new; sessions
    /// that
    /// exist may send telemetry, and nothing else.
    public boolean blind() {
        return journal.silence().compareTo(blindAfter) > 0;
    }

    /// Whether this node lets nobody in at present, whoever asks.
    public boolean admitsNobody() {
        return blind() || freeze.isFrozen();
    }

    /// Whose certificate this is, from memory, whatever became of it; empty for one that is not a device's.
    public Optional<DeviceRef> owner(Serial serial) {
        return ca.standings().find(serial).flatMap(CertificateStanding::device);
    }

    private static Admission refused(Admission.Refusal reason, String detail) {
        return new Admission.Refused(reason, detail);
    }

    /// Off the caller's thread, once at a time for each certificate; if it fails the next use tries again.
    private void firstUse(Admission.Admitted admitted) {
        if (!activating.add(admitted.certificate())) {
            return;
        }
        var _ = Thread.ofVirtual().name("first-use").start(() -> {
            try {
                Actor actor = new Actor.Device(admitted.device());
                journal.run(tx -> {
                    ca.lifecycle().activate(tx, admitted.certificate(), actor);
                    Optional<Device> device = inventory.lock(tx, admitted.device());
                    if (device.isPresent() && device.get().state() == Lifecycle.ENROLLED) {
                        inventory.transition(
                                tx, device.get(), Lifecycle.ACTIVE, "first connected", Optional.empty(), actor);
                    }
                });
            } catch (RuntimeException e) {
                LOG.warn("the first use of certificate {} could not be recorded yet: {}", admitted.certificate(), e);
            } finally {
                activating.remove(admitted.certificate());
            }
        });
    }

    // ------------------------------------------------------------------ what operators and `response` decide

    /// Isolates a misbehaving device: it may connect, and reaches only what heals it.
    public Transition quarantine(DeviceRef device, String reason, Optional<Instant> until, Actor actor) {
        return journal.commit(tx -> quarantine(tx, device, reason, until, actor));
    }

    /// As [#quarantine(DeviceRef, String, Optional, Actor)], inside a change of another room.
    public Transition quarantine(
            Transaction tx, DeviceRef device, String reason, Optional<Instant> until, Actor actor) {
        return inventory.transition(tx, device, Lifecycle.QUARANTINED, reason, until, actor);
    }

    /// Refuses the device everywhere, because its identity is in doubt; its certificates go on hold.
    public Transition suspend(DeviceRef device, String reason, Optional<Instant> until, Actor actor) {
        return journal.commit(tx -> suspend(tx, device, reason, until, actor));
    }

    public Transition suspend(Transaction tx, DeviceRef device, String reason, Optional<Instant> until, Actor actor) {
        Transition transition = inventory.transition(tx, device, Lifecycle.SUSPENDED, reason, until, actor);
        if (transition instanceof Transition.Changed) {
            ca.lifecycle().hold(tx, device, true, reason, actor);
        }
        return transition;
    }

    /// Ends quarantine or suspension: back to the state before it.
    public Transition reinstate(DeviceRef device, String reason, Actor actor) {
        return journal.commit(tx -> reinstate(tx, device, reason, actor));
    }

    public Transition reinstate(Transaction tx, DeviceRef device, String reason, Actor actor) {
        Optional<Device> found = inventory.lock(tx, device);
        if (found.isEmpty()) {
            return new Transition.UnknownDevice();
        }
        Lifecycle before = inventory.stateBefore(tx, device).orElse(Lifecycle.REGISTERED);
        return switch (found.get().state()) {
            case REGISTERED, ENROLLED, ACTIVE -> new Transition.Already(found.get());
            case RETIRED -> new Transition.NotAllowed(Lifecycle.RETIRED, before);
            case QUARANTINED, SUSPENDED -> {
                Transition transition = inventory.transition(tx, device, before, reason, Optional.empty(), actor);
                if (transition instanceof Transition.Changed) {
                    ca.lifecycle().hold(tx, device, false, reason, actor);
                }
                yield transition;
            }
        };
    }

    /// As [#reinstate], to a state that another room remembers, and for as long as that state was to last.
    public Transition reinstate(
            Transaction tx, DeviceRef device, Lifecycle to, String reason, Optional<Instant> until, Actor actor) {
        Transition transition = inventory.transition(tx, device, to, reason, until, actor);
        if (transition instanceof Transition.Changed) {
            ca.lifecycle().hold(tx, device, to == Lifecycle.SUSPENDED, reason, actor);
        }
        return transition;
    }

    /// Out of service for ever: its certificates are revoked, its unused tokens withdrawn.
    public Transition retire(DeviceRef device, String reason, Actor actor) {
        return journal.commit(tx -> {
            Transition transition =
                    inventory.transition(tx, device, Lifecycle.RETIRED, reason, Optional.empty(), actor);
            if (transition instanceof Transition.Changed) {
                ca.lifecycle().revokeAll(tx, device, RevocationReason.CESSATION_OF_OPERATION, reason, actor);
                tokens.withdrawAll(tx, device);
                secrets.withdrawAll(tx, device);
            }
            return transition;
        });
    }

    /// Ends one certificate for ever; the device keeps its state, and may enrol again.
    ///
    /// @param why in a sentence for people
    public CertificateLifecycle.Revocation revoke(Serial serial, RevocationReason reason, String why, Actor actor) {
        return journal.commit(tx -> ca.lifecycle().revoke(tx, serial, reason, why, actor));
    }

    /// Goes back from the device's newest certificate to the one before it, while their overlap lasts: the
    /// newest is revoked, its sessions are cut.
    public CertificateLifecycle.RolledBack rollBack(DeviceRef device, String why, Actor actor) {
        return journal.commit(tx -> ca.lifecycle().rollBack(tx, device, why, actor));
    }

    /// A one-time token with which the device can enrol itself. Earlier unused ones stay valid.
    ///
    /// @param lifetime at most 30 days
    public EnrolmentTokens.Issued issueEnrolmentToken(DeviceRef device, Duration lifetime, Actor actor) {
        return tokens.issue(device, lifetime, actor);
    }

    /// A secret that the device and we both know, for CMP and ACME.
    ///
    /// @param lifetime at most 30 days
    public SharedSecrets.Issued issueSharedSecret(DeviceRef device, Duration lifetime, Actor actor) {
        return secrets.issue(device, lifetime, actor);
    }

    /// For protocols that check MACs.
    public SharedSecrets secrets() {
        return secrets;
    }

    /// Requests that wait for a person.
    public HeldRequests held() {
        return held;
    }

    // ------------------------------------------------------------------ certificates, for the API and the CLI

    /// The device's certificates, newest first.
    public List<IssuedCertificate> certificates(DeviceRef device) {
        return ca.issuance().of(device);
    }

    public Optional<IssuedCertificate> certificate(Serial serial) {
        return ca.issuance().find(serial);
    }

    /// Those that count and end before this time, soonest first.
    public List<IssuedCertificate> certificatesEndingBefore(Environment environment, Instant before, int limit) {
        return ca.issuance().endingBefore(environment, before, limit);
    }

    /// Enrolment and renewal.
    public Enrolment enrolment() {
        return enrolment;
    }

    /// Whose initial device identities count as credentials.
    public Manufacturers manufacturers() {
        return manufacturers;
    }

    /// Batches of devices that claim their certificates with one that they share.
    public Claims claims() {
        return claims;
    }

    /// Products that nobody registered, and that a person says which device they are.
    public ProductApprovals products() {
        return products;
    }

    // ------------------------------------------------------------------ what the journal says, on every node

    private void standingChanged(DeviceRef device, Standing standing) {
        switch (standing.state()) {
            case QUARANTINED -> sessions.cut(device, CutReason.QUARANTINED);
            case SUSPENDED -> sessions.cut(device, CutReason.SUSPENDED);
            case RETIRED -> sessions.cut(device, CutReason.RETIRED);
            case REGISTERED, ENROLLED, ACTIVE -> {}
        }
    }

    /// After `ca`, which subscribed before: the standings are as the entry says already.
    private void follow(Recorded entry) {
        if (entry.content().contains("\"kind\":\"authority.renew-only\"")
                || entry.content().contains("\"kind\":\"authority.distrusted\"")
                || entry.content().contains("\"kind\":\"authority.retired\"")) {
            cutBy(entry);
        }
        if (entry.content().contains("\"kind\":\"certificate.revoked\"")) {
            cut(entry, "serials", CutReason.CERTIFICATE_REVOKED);
        } else if (entry.content().contains("\"kind\":\"certificate.activated\"")) {
            superseded(entry);
        } else if (entry.content().contains("\"kind\":\"certificate.rolled-back\"")) {
            cut(entry, "serials", CutReason.CERTIFICATE_REVOKED);
        } else if (entry.content().contains("\"kind\":\"certificate.overlap-ended\"")) {
            cut(entry, "serials", CutReason.CERTIFICATE_SUPERSEDED);
        }
    }

    /// How long a session may outlive its certificate: each look is at all of them.
    private static final Duration EXPIRY_EVERY = Duration.ofSeconds(5);

    private volatile Instant looked = Instant.EPOCH;

    /// A superseded certificate whose time is still to end.
    private record Ending(Instant at, DeviceRef device, Serial certificate) {}

    /// Cut now, or, where it overlaps with its successor, by [#cutEnded] when that ends.
    private void superseded(Recorded entry) {
        String at = entry.json().path("body").path("supersededAt").asText();
        if (at.isEmpty() || !clock.instant().isBefore(Instant.parse(at))) {
            cut(entry, "superseded", CutReason.CERTIFICATE_SUPERSEDED);
            return;
        }
        entry.json().path("body").path("superseded").forEach(text -> {
            Serial serial = new Serial(text.asText());
            owner(serial).ifPresent(device -> endings.add(new Ending(Instant.parse(at), device, serial)));
        });
    }

    /// Cuts the sessions of certificates that have ended, and of those whose overlap with their successor has;
    /// called every few seconds. (The next message of these would be refused anyway.)
    public void cutEnded() {
        Instant now = clock.instant();
        if (Duration.between(looked, now).abs().compareTo(EXPIRY_EVERY) >= 0) {
            looked = now;
            sessions.cutExpired(now);
        }
        for (Ending next = endings.peek(); next != null && !now.isBefore(next.at()); next = endings.peek()) {
            endings.remove(next);
            if (!stillAdmitted(next.device(), next.certificate())) {
                sessions.cut(next.device(), next.certificate(), CutReason.CERTIFICATE_SUPERSEDED);
            }
        }
    }

    /// An authority counts no more, or for renewals only: whoever came in by it goes.
    private void cutBy(Recorded entry) {
        String authority = entry.json().path("subject").asText().substring("authority:".length());
        sessions.cutWhere(
                CutReason.ISSUER_REPLACED,
                session -> ca.standings()
                        .find(session.certificate())
                        .filter(standing -> standing.authority().equals(authority))
                        .isPresent());
    }

    private void cut(Recorded entry, String field, CutReason reason) {
        entry.json().path("body").path(field).forEach(serial -> {
            Serial ended = new Serial(serial.asText());
            ca.standings()
                    .find(ended)
                    .flatMap(CertificateStanding::device)
                    .ifPresent(device -> sessions.cut(device, ended, reason));
        });
    }
}
