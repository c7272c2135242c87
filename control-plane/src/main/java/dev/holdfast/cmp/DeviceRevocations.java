package dev.holdfast.cmp;

import dev.holdfast.ca.Authority;
import dev.holdfast.ca.Ca;
import dev.holdfast.ca.CertificateLifecycle;
import dev.holdfast.ca.IssuedCertificate;
import dev.holdfast.ca.RevocationReason;
import dev.holdfast.core.Actor;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Serial;
import dev.holdfast.journal.Journal;
import dev.holdfast.journal.Transaction;
import dev.holdfast.protocol.cmp.Answers;
import dev.holdfast.protocol.cmp.CmpBody;
import dev.holdfast.protocol.cmp.CmpException;
import dev.holdfast.protocol.cmp.CmpFailure;
import dev.holdfast.protocol.cmp.CmpHeader;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Optional;
import org.bouncycastle.asn1.x500.X500Name;

/// rr (RFC 9483 section 4.2): a device may end certificates of its own, and nobody else's.
final class DeviceRevocations {
    private final Journal journal;
    private final Ca ca;
    private final Parties parties;
    private final CmpTransactions transactions;
    private final InstantSource clock;

    DeviceRevocations(Journal journal, Ca ca, Parties parties, CmpTransactions transactions, InstantSource clock) {
        this.journal = journal;
        this.ca = ca;
        this.parties = parties;
        this.transactions = transactions;
        this.clock = clock;
    }

    private sealed interface Done {
        record Revoked() implements Done {}

        record Faulty(Fault fault, boolean ofTheMessage) implements Done {}
    }

    /// 1. Signed by a certificate that counts, of a device that does. 2. The reason is one that a device may
    /// give. 3. The certificate is the same device's. 4. It is revoked, and the message can't come again, in
    /// one change.
    CmpReply revoke(Party party, CmpHeader header, CmpBody.RevocationRequest request, String nonce)
            throws CmpException {
        if (!(party instanceof Party.ByDevice by)) {
            throw new CmpException(
                    CmpFailure.NOT_AUTHORIZED, "a revocation is signed with a certificate of the same device");
        }
        DeviceRef device = parties.device(by);
        RevocationReason reason = reason(request);
        Instant now = clock.instant();
        CmpTransaction transaction = new CmpTransaction(
                header.transactionId(),
                party.name(),
                nonce,
                CmpTransaction.State.ENDED,
                CmpTransaction.Kind.REVOCATION,
                0,
                Optional.empty(),
                Optional.empty(),
                true,
                Optional.empty(),
                now,
                now);
        Done done = journal.commit(tx -> {
            Optional<Fault> fault = transactions.open(tx, transaction, header, party.repeatableUntil());
            return fault.<Done>map(f -> new Done.Faulty(f, true))
                    .orElseGet(() -> revoke(tx, device, request.certificate(), reason));
        });
        return switch (done) {
            case Done.Revoked _ -> CmpReply.of(Answers.revoked(request.certificate()), nonce);
            case Done.Faulty(Fault fault, boolean ofTheMessage) -> {
                if (ofTheMessage) {
                    throw fault.exception();
                }
                yield CmpReply.of(Answers.notRevoked(request.certificate(), fault.failure(), fault.text()), nonce);
            }
        };
    }

    private Done revoke(Transaction tx, DeviceRef device, CmpBody.CertificateId certificate, RevocationReason reason) {
        Serial serial = Serial.of(certificate.serial());
        Optional<IssuedCertificate> found = ca.issuance()
                .lock(tx, serial)
                .filter(c -> c.device().equals(Optional.of(device)))
                .filter(c -> ca.authorities()
                        .find(c.authority())
                        .map(Authority::certificate)
                        .filter(a -> X500Name.getInstance(
                                        a.getSubjectX500Principal().getEncoded())
                                .equals(certificate.issuer()))
                        .isPresent());
        if (found.isEmpty()) {
            return new Done.Faulty(new Fault(CmpFailure.BAD_CERT_ID, "the device has no such certificate"), false);
        }
        CertificateLifecycle.Revocation revocation =
                ca.lifecycle().revoke(tx, serial, reason, "its device asked for it (CMP)", new Actor.Device(device));
        return switch (revocation) {
            case REVOKED -> new Done.Revoked();
            case ALREADY_REVOKED -> new Done.Faulty(new Fault(CmpFailure.CERT_REVOKED, "it is revoked already"), false);
            case UNKNOWN ->
                new Done.Faulty(new Fault(CmpFailure.BAD_CERT_ID, "the device has no such certificate"), false);
        };
    }

    /// A hold is for operators, and what a device says about authorities is none of its business.
    private static RevocationReason reason(CmpBody.RevocationRequest request) throws CmpException {
        return switch (request.reason().orElse(0)) {
            case 0 -> RevocationReason.UNSPECIFIED;
            case 1 -> RevocationReason.KEY_COMPROMISE;
            case 3 -> RevocationReason.AFFILIATION_CHANGED;
            case 4 -> RevocationReason.SUPERSEDED;
            case 5 -> RevocationReason.CESSATION_OF_OPERATION;
            case 9 -> RevocationReason.PRIVILEGE_WITHDRAWN;
            default ->
                throw new CmpException(
                        CmpFailure.BAD_REQUEST,
                        "a device gives one of these reasons: unspecified, keyCompromise, affiliationChanged,"
                                + " superseded, cessationOfOperation, privilegeWithdrawn");
        };
    }
}
