package dev.holdfast.acme;

import dev.holdfast.database.Database;
import dev.holdfast.inventory.Inventory;
import dev.holdfast.journal.Entry;
import dev.holdfast.journal.Journal;
import dev.holdfast.journal.Transaction;
import dev.holdfast.protocol.acme.AcmeException;
import dev.holdfast.protocol.acme.AcmePayload;
import dev.holdfast.protocol.acme.AcmeProblem;
import dev.holdfast.protocol.acme.AttestationObject;
import dev.holdfast.protocol.acme.ChallengeType;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Looks at the answers to challenges (RFC 8555 sections 7.5.1 and 8): attestations at once, what others have
/// to be asked for beside the request.
///
/// That an answer is being looked at is stored first. Should this node die over it, the next look at the
/// authorization, on whichever node, begins again; what is found is stored once.
final class Challenges {
    private static final Logger LOG = LoggerFactory.getLogger(Challenges.class);
    private static final Duration STALE = Duration.ofSeconds(60);
    private static final int TRIES = 3;
    private static final int AT_ONCE = 16;

    private final Database database;
    private final Journal journal;
    private final InstantSource clock;
    private final HttpChallengeClient http;
    private final DnsChallengeClient dns;
    private final Map<String, AttestationVerifier> formats;
    private final Semaphore places = new Semaphore(AT_ONCE);

    /// @param formats of attestation, by their names
    Challenges(
            Database database,
            Journal journal,
            InstantSource clock,
            HttpChallengeClient http,
            DnsChallengeClient dns,
            Map<String, AttestationVerifier> formats) {
        this.database = database;
        this.journal = journal;
        this.clock = clock;
        this.http = http;
        this.dns = dns;
        this.formats = Map.copyOf(formats);
    }

    /// The account says that its answer is there. Returns when that is stored; for an attestation, when it is
    /// settled.
    void answer(Account account, Authorization authorization, Challenge challenge, byte[] payload)
            throws AcmeException {
        AcmePayload.Answer answer = AcmePayload.Answer.parse(payload);
        if (authorization.stateAt(clock.instant()) != Authorization.State.PENDING
                || challenge.state() != Challenge.State.PENDING) {
            return; // section 7.5.1: the answer to that is the challenge as it is
        }
        switch (challenge.type()) {
            case HTTP_01, DNS_01 -> look(account, authorization, challenge);
            case DEVICE_ATTEST_01 -> attest(account, authorization, challenge, answer);
        }
    }

    private void attest(Account account, Authorization authorization, Challenge challenge, AcmePayload.Answer answer)
            throws AcmeException {
        if (answer.attestation().isEmpty()) {
            throw new AcmeException(AcmeProblem.MALFORMED, "the answer has no 'attObj'");
        }
        if (!begin(challenge)) {
            return;
        }
        try {
            AttestationObject object =
                    AttestationObject.parse(answer.attestation().get());
            AttestationVerifier verifier = formats.get(object.format());
            if (verifier == null) {
                throw new AcmeException(
                        AcmeProblem.BAD_ATTESTATION_STATEMENT,
                        "attestation formats verified here: "
                                + String.join(
                                        ", ", formats.keySet().stream().sorted().toList()));
            }
            Evidence evidence = verifier.verify(object, keyAuthorization(account, challenge), account.device());
            settle(account, authorization, challenge, Optional.empty(), Optional.of(evidence));
        } catch (AcmeException e) {
            settle(account, authorization, challenge, Optional.of(Fault.of(e)), Optional.empty());
        }
    }

    /// Begins again what a node that died was at.
    void resume(Account account, Authorization authorization) {
        for (Challenge challenge : authorization.challenges()) {
            if (challenge.state() == Challenge.State.PROCESSING
                    && challenge.type() != ChallengeType.DEVICE_ATTEST_01
                    && challenge.answeredAt().isPresent()
                    && challenge.answeredAt().get().isBefore(clock.instant().minus(STALE))) {
                look(account, authorization, challenge);
            }
        }
    }

    private boolean begin(Challenge challenge) {
        Instant now = clock.instant();
        return database.transact(sql -> AcmeStore.begin(sql, challenge.id(), now, now.minus(STALE)));
    }

    private void look(Account account, Authorization authorization, Challenge challenge) {
        if (!places.tryAcquire()) {
            return; // stays pending: the client asks again
        }
        boolean started = false;
        try {
            if (begin(challenge)) {
                var _ = Thread.ofVirtual().name("acme-challenge").start(() -> {
                    try {
                        settle(
                                account,
                                authorization,
                                challenge,
                                see(account, authorization, challenge),
                                Optional.empty());
                    } catch (RuntimeException e) {
                        LOG.warn("a challenge could not be settled; the next look at it begins again", e);
                    } finally {
                        places.release();
                    }
                });
                started = true;
            }
        } finally {
            if (!started) {
                places.release();
            }
        }
    }

    /// A few tries, because a DNS record or a web server may need a moment.
    ///
    /// @return what is wrong, or empty
    private Optional<Fault> see(Account account, Authorization authorization, Challenge challenge) {
        String name = authorization.identifier().value();
        String wanted = keyAuthorization(account, challenge);
        Fault last = new Fault(AcmeProblem.SERVER_INTERNAL, "nothing was looked at");
        for (int i = 0; i < TRIES; i++) {
            try {
                if (i > 0) {
                    TimeUnit.SECONDS.sleep(i);
                }
                switch (challenge.type()) {
                    case HTTP_01 -> http.check(name, challenge.token(), wanted);
                    case DNS_01 -> dns.check(name, ChallengeType.dnsValue(wanted));
                    case DEVICE_ATTEST_01 -> throw new IllegalStateException("attestations are looked at elsewhere");
                }
                return Optional.empty();
            } catch (AcmeException e) {
                last = Fault.of(e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return Optional.of(new Fault(AcmeProblem.SERVER_INTERNAL, "interrupted"));
            }
        }
        return Optional.of(last);
    }

    private static String keyAuthorization(Account account, Challenge challenge) {
        return ChallengeType.keyAuthorization(challenge.token(), account.key().thumbprint());
    }

    /// Once: only while it is still looked at. One good challenge makes the authorization valid, one bad makes
    /// it and the order invalid (section 7.1.6); when all of an order's are valid it is ready.
    private void settle(
            Account account,
            Authorization authorization,
            Challenge challenge,
            Optional<Fault> fault,
            Optional<Evidence> evidence) {
        journal.run(tx -> {
            Optional<Order> order = AcmeStore.order(tx.sql(), authorization.order(), true);
            Optional<Challenge> now = AcmeStore.challenge(tx.sql(), challenge.id());
            if (order.isEmpty() || now.isEmpty() || now.get().state() != Challenge.State.PROCESSING) {
                return;
            }
            AcmeStore.settle(
                    tx.sql(),
                    new Challenge(
                            challenge.id(),
                            challenge.authorization(),
                            challenge.type(),
                            challenge.token(),
                            fault.isPresent() ? Challenge.State.INVALID : Challenge.State.VALID,
                            now.get().answeredAt(),
                            fault.isPresent() ? Optional.empty() : Optional.of(tx.now()),
                            fault,
                            evidence));
            spread(tx, order.get(), authorization, fault);
            record(tx, account, authorization, challenge, fault, evidence);
        });
    }

    private static void spread(Transaction tx, Order order, Authorization authorization, Optional<Fault> fault) {
        Authorization.State was = AcmeStore.authorization(tx.sql(), authorization.id())
                .map(Authorization::state)
                .orElse(Authorization.State.INVALID);
        if (was != Authorization.State.PENDING) {
            return;
        }
        AcmeStore.setState(
                tx.sql(),
                authorization.id(),
                fault.isPresent() ? Authorization.State.INVALID : Authorization.State.VALID);
        if (order.state() != Order.State.PENDING) {
            return;
        }
        if (fault.isPresent()) {
            AcmeStore.failed(tx.sql(), order.id(), fault.get());
        } else {
            List<Authorization> all = AcmeStore.authorizations(tx.sql(), order.id());
            if (all.stream().allMatch(a -> a.state() == Authorization.State.VALID)) {
                AcmeStore.setState(tx.sql(), order.id(), Order.State.READY);
            }
        }
    }

    private static void record(
            Transaction tx,
            Account account,
            Authorization authorization,
            Challenge challenge,
            Optional<Fault> fault,
            Optional<Evidence> evidence) {
        tx.record(new Entry(
                fault.isPresent() ? "acme.challenge-failed" : "acme.challenge-passed",
                account.device().environment(),
                Inventory.subject(account.device()),
                Accounts.actor(account.device()),
                fault.map(Fault::detail).orElse("the answer was as it should be"),
                Map.of(
                        "account", account.id(),
                        "order", authorization.order(),
                        "identifier", authorization.identifier().text(),
                        "challenge", challenge.type().text(),
                        "attestedKey", evidence.map(Evidence::keyFingerprint).orElse(""))));
    }
}
