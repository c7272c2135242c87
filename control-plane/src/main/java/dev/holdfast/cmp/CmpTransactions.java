package dev.holdfast.cmp;

import dev.holdfast.ca.Ca;
import dev.holdfast.ca.CertificateState;
import dev.holdfast.ca.IssuedCertificate;
import dev.holdfast.ca.RevocationReason;
import dev.holdfast.core.Actor;
import dev.holdfast.core.Environment;
import dev.holdfast.core.Serial;
import dev.holdfast.journal.Transaction;
import dev.holdfast.protocol.cmp.CmpFailure;
import dev.holdfast.protocol.cmp.CmpHeader;
import dev.holdfast.protocol.x509.CertificationRequest;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// What becomes of transactions, each step inside a change that is committed as a whole: a message counts
/// once, whichever node it reaches.
final class CmpTransactions {
    /// How long certConf is awaited (RFC 9810 section 5.1.1.2).
    static final Duration CONFIRM_WITHIN = Duration.ofMinutes(10);

    /// How long a request waits for a person, who has forgotten it by then.
    private static final Duration HELD_FOR = Duration.ofDays(14);

    private static final Logger LOG = LoggerFactory.getLogger(CmpTransactions.class);
    private static final int MOST_AN_HOUR = 30;
    private static final int MOST_WAITING = 10;
    private static final int MOST_REMEMBERED = 5_000;
    private static final int AT_ONCE = 50;

    private final Ca ca;
    private final Environment environment;

    CmpTransactions(Ca ca, Environment environment) {
        this.ca = ca;
        this.environment = environment;
    }

    /// 1. One party can't fill the table. 2. transactionID and senderNonce are new (RFC 9483 section 3.5).
    ///
    /// @return why not; empty when it is open
    Optional<Fault> open(Transaction tx, CmpTransaction transaction, CmpHeader header, Instant forgetAt) {
        CmpTransactionStore.Load load = CmpTransactionStore.load(
                tx.sql(), environment, transaction.party(), tx.now().minus(Duration.ofHours(1)));
        if (load.lately() >= MOST_AN_HOUR || load.waiting() >= MOST_WAITING || load.remembered() >= MOST_REMEMBERED) {
            return Optional.of(new Fault(CmpFailure.SYSTEM_UNAVAIL, "too many transactions of yours; try in an hour"));
        }
        if (CmpTransactionStore.open(tx.sql(), environment, transaction, header.senderNonce(), forgetAt)) {
            return Optional.empty();
        }
        return Optional.of(
                CmpTransactionStore.lock(tx.sql(), environment, transaction.id())
                                .isPresent()
                        ? new Fault(
                                CmpFailure.TRANSACTION_ID_IN_USE,
                                "there was a transaction of this id already: a message is good once")
                        : new Fault(
                                CmpFailure.BAD_SENDER_NONCE,
                                "this senderNonce has opened a transaction already: a message is good once"));
    }

    /// What came of looking for the transaction that a message goes on with.
    sealed interface Found {
        record Going(CmpTransaction transaction) implements Found {}

        record Not(Fault fault) implements Found {}
    }

    /// 1. It is there, and of the same party. 2. The message answers our last one. From here on the next
    /// message must answer the answer to this one, so this one can't come twice.
    ///
    /// @param nonce of the answer
    Found goOn(Transaction tx, Party party, CmpHeader header, String nonce) {
        Optional<CmpTransaction> found = CmpTransactionStore.lock(tx.sql(), environment, header.transactionId());
        if (found.isEmpty() || !found.get().party().equals(party.name())) {
            return new Found.Not(new Fault(CmpFailure.BAD_REQUEST, "there is no such transaction of yours"));
        }
        if (!header.recipientNonce().equals(Optional.of(found.get().awaitedNonce()))) {
            return new Found.Not(new Fault(
                    CmpFailure.BAD_RECIPIENT_NONCE,
                    "the recipNonce is not that of the last answer: a message is good once"));
        }
        CmpTransactionStore.await(tx.sql(), environment, header.transactionId(), nonce);
        return new Found.Going(found.get());
    }

    /// The certificate is on its way.
    void issued(Transaction tx, CmpTransaction transaction, Serial serial) {
        CmpTransactionStore.settle(
                tx.sql(),
                environment,
                transaction.id(),
                transaction.implicit() ? CmpTransaction.State.CONFIRMED : CmpTransaction.State.ISSUED,
                Optional.of(serial),
                tx.now().plus(CONFIRM_WITHIN));
    }

    /// It waits, and the device polls.
    void held(Transaction tx, CmpTransaction transaction) {
        CmpTransactionStore.settle(
                tx.sql(),
                environment,
                transaction.id(),
                CmpTransaction.State.HELD,
                Optional.empty(),
                tx.now().plus(HELD_FOR));
    }

    void settle(Transaction tx, CmpTransaction transaction, CmpTransaction.State state) {
        CmpTransactionStore.settle(
                tx.sql(), environment, transaction.id(), state, Optional.empty(), transaction.confirmBy());
    }

    /// The device does not want what it got, or nobody knows whether it has it: a certificate that was never
    /// used is revoked. One that was used over mutual TLS is beyond doubt.
    ///
    /// @param why in a sentence for people
    void reject(Transaction tx, CmpTransaction transaction, Serial serial, String why) {
        Optional<IssuedCertificate> certificate = ca.issuance().lock(tx, serial);
        boolean unused = certificate
                .map(IssuedCertificate::state)
                .filter(s -> s == CertificateState.PENDING || s == CertificateState.INTENDED)
                .isPresent();
        if (unused) {
            ca.lifecycle().revoke(tx, serial, RevocationReason.CESSATION_OF_OPERATION, why, new Actor.Holdfast("cmp"));
        }
        settle(tx, transaction, CmpTransaction.State.ENDED);
    }

    /// Ends what is overdue. What a crash has left undecided may have given a certificate whose answer never
    /// left.
    ///
    /// @return how many there were; call again while it is as many as are taken at once
    int sweep(Transaction tx) {
        var overdue = CmpTransactionStore.lockOverdue(tx.sql(), environment, tx.now(), AT_ONCE);
        for (CmpTransaction transaction : overdue) {
            Optional<Serial> serial = transaction.state() == CmpTransaction.State.HELD
                    ? Optional.empty()
                    : transaction.serial().or(() -> interrupted(tx, transaction));
            if (serial.isPresent()
                    && !CmpTransactionStore.confirmedElsewhere(
                            tx.sql(), environment, serial.get(), transaction.id(), tx.now())) {
                reject(tx, transaction, serial.get(), "its device has not confirmed it in time (CMP)");
            } else {
                settle(tx, transaction, CmpTransaction.State.ENDED);
            }
        }
        CmpTransactionStore.forget(tx.sql(), tx.now(), AT_ONCE);
        return overdue.size();
    }

    boolean mayBeMore(int swept) {
        return swept == AT_ONCE;
    }

    /// The certificate that an interrupted transaction's request was granted, if it was.
    private Optional<Serial> interrupted(Transaction tx, CmpTransaction transaction) {
        try {
            Optional<CertificationRequest> request = StoredRequest.read(transaction);
            if (request.isEmpty()) {
                return Optional.empty();
            }
            var key = request.get().publicKeyInfo();
            return ca.issuance()
                    .knownKey(tx, key, Optional.empty())
                    .owner()
                    .flatMap(device ->
                            ca.issuance().knownKey(tx, key, Optional.of(device)).repeatable());
        } catch (dev.holdfast.protocol.x509.CertificationRequestException e) {
            LOG.error("the request of CMP transaction {} can't be read any more", transaction.id(), e);
            return Optional.empty();
        }
    }
}
