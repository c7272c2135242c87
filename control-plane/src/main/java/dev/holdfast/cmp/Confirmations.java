package dev.holdfast.cmp;

import dev.holdfast.ca.Ca;
import dev.holdfast.core.Serial;
import dev.holdfast.journal.Journal;
import dev.holdfast.journal.Transaction;
import dev.holdfast.protocol.cmp.Answers;
import dev.holdfast.protocol.cmp.CmpBody;
import dev.holdfast.protocol.cmp.CmpException;
import dev.holdfast.protocol.cmp.CmpFailure;
import dev.holdfast.protocol.cmp.CmpHeader;
import dev.holdfast.protocol.x509.Certificates;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.cert.X509Certificate;
import java.util.Optional;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.nist.NISTObjectIdentifiers;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;

/// certConf, and error where it stands in its place: the device says whether it wants what it got (RFC 9810
/// section 5.3.18).
final class Confirmations {
    private final Journal journal;
    private final Ca ca;
    private final CmpTransactions transactions;

    Confirmations(Journal journal, Ca ca, CmpTransactions transactions) {
        this.journal = journal;
        this.ca = ca;
        this.transactions = transactions;
    }

    /// 1. A certificate of this transaction awaits it. 2. Rejected, or nothing said of it: revoked. 3. The
    /// hash is that of the very certificate: confirmed.
    CmpReply confirm(Party party, CmpHeader header, CmpBody.Confirmation confirmation, String nonce)
            throws CmpException {
        return settled(
                journal.commit(tx -> switch (transactions.goOn(tx, party, header, nonce)) {
                    case CmpTransactions.Found.Not not -> Optional.of(not.fault());
                    case CmpTransactions.Found.Going going -> confirm(tx, going.transaction(), confirmation);
                }),
                nonce);
    }

    /// The device gives up: what it got, if anything, it does not want.
    CmpReply giveUp(Party party, CmpHeader header, CmpBody.ClientError error, String nonce) throws CmpException {
        return settled(
                journal.commit(tx -> switch (transactions.goOn(tx, party, header, nonce)) {
                    case CmpTransactions.Found.Not not -> Optional.of(not.fault());
                    case CmpTransactions.Found.Going going -> {
                        CmpTransaction transaction = going.transaction();
                        switch (transaction.state()) {
                            case ISSUED -> reject(tx, transaction, error.text());
                            case HELD -> transactions.settle(tx, transaction, CmpTransaction.State.ENDED);
                            case DECIDING, CONFIRMED, ENDED -> {}
                        }
                        yield Optional.<Fault>empty();
                    }
                }),
                nonce);
    }

    private static CmpReply settled(Optional<Fault> fault, String nonce) throws CmpException {
        if (fault.isPresent()) {
            throw fault.get().exception();
        }
        return CmpReply.of(Answers.confirmed(), nonce);
    }

    private Optional<Fault> confirm(Transaction tx, CmpTransaction transaction, CmpBody.Confirmation confirmation) {
        switch (transaction.state()) {
            case ISSUED -> {}
            case CONFIRMED -> {
                return Optional.of(new Fault(CmpFailure.CERT_CONFIRMED, "the certificate is confirmed already"));
            }
            case DECIDING, HELD, ENDED -> {
                return Optional.of(new Fault(CmpFailure.BAD_REQUEST, "no certificate awaits confirmation"));
            }
        }
        if (confirmation.status().isEmpty()) {
            reject(tx, transaction, "");
            return Optional.empty();
        }
        CmpBody.Confirmation.Status status = confirmation.status().get();
        if (status.certReqId().longValueExact() != transaction.requestId()) {
            return Optional.of(new Fault(CmpFailure.BAD_REQUEST, "the certReqId is not that of the request"));
        }
        if (!status.accepted()) {
            reject(tx, transaction, status.text());
            return Optional.empty();
        }
        Optional<X509Certificate> certificate =
                ca.issuance().stored(tx, transaction.serial().orElseThrow());
        Optional<byte[]> hash = certificate.flatMap(c -> hash(c, status.hashAlgorithm()));
        if (hash.isEmpty()
                || !MessageDigest.isEqual(hash.get(), status.certHash().getOctets())) {
            return Optional.of(
                    new Fault(CmpFailure.BAD_CERT_ID, "the certHash is not that of the certificate that was issued"));
        }
        transactions.settle(tx, transaction, CmpTransaction.State.CONFIRMED);
        return Optional.empty();
    }

    private void reject(Transaction tx, CmpTransaction transaction, String text) {
        Serial serial = transaction.serial().orElseThrow();
        transactions.reject(
                tx, transaction, serial, text.isEmpty() ? "its device rejected it" : "its device rejected it: " + text);
    }

    /// By the algorithm that certConf names, else the one of the certificate's signature (RFC 9810 section
    /// 5.3.18; for Ed25519, which names none, SHA-512).
    private static Optional<byte[]> hash(X509Certificate certificate, Optional<AlgorithmIdentifier> named) {
        String digest;
        if (named.isPresent()) {
            ASN1ObjectIdentifier id = named.get().getAlgorithm();
            if (id.equals(NISTObjectIdentifiers.id_sha256)) {
                digest = "SHA-256";
            } else if (id.equals(NISTObjectIdentifiers.id_sha384)) {
                digest = "SHA-384";
            } else if (id.equals(NISTObjectIdentifiers.id_sha512)) {
                digest = "SHA-512";
            } else {
                return Optional.empty();
            }
        } else {
            String scheme = certificate.getSigAlgName();
            digest = scheme.startsWith("SHA256") ? "SHA-256" : scheme.startsWith("SHA384") ? "SHA-384" : "SHA-512";
        }
        try {
            return Optional.of(MessageDigest.getInstance(digest).digest(Certificates.der(certificate)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(digest + " is missing from this Java platform", e);
        }
    }
}
