package dev.holdfast.identity;

import dev.holdfast.ca.Issuance;
import dev.holdfast.core.Actor;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Digest;
import dev.holdfast.core.Environment;
import dev.holdfast.core.Json;
import dev.holdfast.database.Database;
import dev.holdfast.journal.Entry;
import dev.holdfast.journal.Journal;
import dev.holdfast.journal.Transaction;
import dev.holdfast.protocol.x509.CertificationRequest;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/// Requests for certificates that wait for a person. The device is told to come again (EST 202, CMP waiting,
/// ACME processing); its next try after the decision finds it.
///
/// A decision is for one device, one key, one profile and the names that were asked for: who asks for anything else
/// with it asks anew, or a person who has approved a plain certificate would have approved any.
public final class HeldRequests {
    private static final Duration KEPT = Duration.ofDays(14);
    private static final int MOST_WAITING = 10_000;
    /// Of one device, which may have as many keys as it likes: it must not take the others' places.
    private static final int MOST_OF_A_DEVICE = 10;
    private static final String AND = "/";

    private final Database database;
    private final Journal journal;
    private final SecureRandom random;

    HeldRequests(Database database, Journal journal, SecureRandom random) {
        this.database = database;
        this.journal = journal;
        this.random = random;
    }

    /// Why a person decides.
    public enum Cause {
        /// The profile says that a person decides about each first certificate.
        PROFILE,
        /// The certificate expired longer ago than it may renew itself.
        LATE_RENEWAL,
        /// The manufacturer is known, this product serial is not.
        UNREGISTERED_SERIAL;

        public String text() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }

        static Cause of(String text) {
            return valueOf(text.toUpperCase(Locale.ROOT).replace('-', '_'));
        }
    }

    public enum State {
        WAITING,
        APPROVED,
        REFUSED;

        public String text() {
            return name().toLowerCase(Locale.ROOT);
        }

        static State of(String text) {
            return valueOf(text.toUpperCase(Locale.ROOT));
        }
    }

    /// What a decision is about: the key, and by which profile and with which names beside the device's own its
    /// certificate is asked for. Names of a renewal that asks for none are those that it had.
    static String about(CertificationRequest request, String profile) {
        List<String> rest = new ArrayList<>(List.of(profile));
        request.alternativeNames().stream().sorted().forEach(rest::add);
        return Issuance.fingerprint(request.recognisedBy())
                + AND
                + Digest.of(Json.bytes(rest)).hex();
    }

    /// In words, for the person.
    static String inWords(CertificationRequest request, String profile) {
        return "asks by profile " + profile
                + (request.alternativeNames().isEmpty() ? "" : " for " + String.join(", ", request.alternativeNames()));
    }

    /// @param device empty while nobody has said which device it is
    /// @param about the key's fingerprint, and what else the decision is about
    /// @param credential by what it was asked for: `token`, `manufacturer`, `certificate`
    /// @param detail what is known of the asker, for the person
    /// @param product of a request about which nobody can say yet which device it is from
    public record Held(
            String id,
            Environment environment,
            String device,
            String about,
            Cause cause,
            String credential,
            String detail,
            State state,
            Instant firstAskedAt,
            Instant lastAskedAt,
            long timesAsked,
            Optional<Instant> decidedAt,
            Optional<String> decidedBy,
            Optional<String> reason,
            Instant expiresAt,
            Optional<Product> product) {
        /// SHA-256 of the public key.
        public String key() {
            return about.split(AND, 2)[0];
        }
    }

    /// A manufacturer's product that nobody has registered.
    ///
    /// @param anchor under which its identity was made
    /// @param serial its own, as the manufacturer gave it
    public record Product(String anchor, String serial) {}

    /// What became of a decision.
    public sealed interface Decided {
        record Done(Held request) implements Decided {}

        record AlreadyDecided(Held request) implements Decided {}

        record Unknown() implements Decided {}
    }

    /// What was decided about this wish of the device, for each cause, as far as it is still remembered.
    Map<Cause, State> decisions(Transaction tx, DeviceRef device, String about) {
        return HeldRequestStore.decisions(tx.sql(), device, about, tx.now());
    }

    /// @param device its id, or empty while nobody has said which device it is
    Optional<State> decision(Transaction tx, Environment environment, String device, String about, Cause cause) {
        return HeldRequestStore.find(tx.sql(), environment, device, about, cause)
                .filter(held -> tx.now().isBefore(held.expiresAt()))
                .map(Held::state);
    }

    /// Puts the request before the operators, once; asking again counts.
    ///
    /// @param device its id, or empty while nobody has said which device it is
    /// @return false when so many wait already, of all or of this device, that no more are taken
    boolean hold(
            Transaction tx,
            Environment environment,
            String device,
            String about,
            Cause cause,
            String credential,
            String detail,
            Optional<Product> product) {
        Optional<Held> known = HeldRequestStore.find(tx.sql(), environment, device, about, cause);
        if (known.isPresent() && tx.now().isBefore(known.get().expiresAt())) {
            HeldRequestStore.askedAgain(tx.sql(), known.get().id(), tx.now());
            return true;
        }
        if (HeldRequestStore.waiting(tx.sql(), environment) >= MOST_WAITING
                || (!device.isEmpty() && HeldRequestStore.waiting(tx.sql(), environment, device) >= MOST_OF_A_DEVICE)) {
            return false;
        }
        byte[] fresh = new byte[8];
        random.nextBytes(fresh);
        String id = HexFormat.of().formatHex(fresh);
        known.ifPresent(old -> HeldRequestStore.forget(tx.sql(), old.id()));
        HeldRequestStore.insert(
                tx.sql(),
                new Held(
                        id,
                        environment,
                        device,
                        about,
                        cause,
                        credential,
                        detail,
                        State.WAITING,
                        tx.now(),
                        tx.now(),
                        1,
                        Optional.empty(),
                        Optional.empty(),
                        Optional.empty(),
                        tx.now().plus(KEPT),
                        product));
        tx.record(new Entry(
                "enrolment.held",
                environment,
                device.isEmpty() ? "enrolment:unknown" : "device:" + device,
                new Actor.Holdfast("identity"),
                "a person decides: " + cause.text(),
                Map.of("request", id, "key", about.split(AND, 2)[0], "credential", credential)));
        return true;
    }

    /// Newest first.
    public List<Held> list(Environment environment, Optional<State> state, int limit) {
        return database.read(sql -> HeldRequestStore.list(sql, environment, state, limit));
    }

    public Optional<Held> find(Environment environment, String id) {
        return database.read(sql -> HeldRequestStore.byId(sql, environment, id, false));
    }

    Optional<Held> lock(Transaction tx, Environment environment, String id) {
        return HeldRequestStore.byId(tx.sql(), environment, id, true);
    }

    /// Grants or refuses, with the reason that is journalled and, for a refusal, told to the device.
    public Decided decide(Environment environment, String id, boolean approve, String reason, Actor actor) {
        return journal.commit(tx -> decide(tx, environment, id, approve, reason, actor));
    }

    /// As the other, inside a change that says more (which device a product is).
    Decided decide(Transaction tx, Environment environment, String id, boolean approve, String reason, Actor actor) {
        Optional<Held> found = HeldRequestStore.byId(tx.sql(), environment, id, true);
        if (found.isEmpty()) {
            return new Decided.Unknown();
        }
        if (found.get().state() != State.WAITING) {
            return new Decided.AlreadyDecided(found.get());
        }
        State state = approve ? State.APPROVED : State.REFUSED;
        HeldRequestStore.decide(tx.sql(), id, state, actor.toString(), reason, tx.now());
        tx.record(new Entry(
                approve ? "enrolment.approved" : "enrolment.rejected",
                environment,
                found.get().device().isEmpty()
                        ? "enrolment:unknown"
                        : "device:" + found.get().device(),
                actor,
                reason,
                Map.of("request", id, "key", found.get().key())));
        return new Decided.Done(
                HeldRequestStore.byId(tx.sql(), environment, id, false).orElseThrow());
    }
}
