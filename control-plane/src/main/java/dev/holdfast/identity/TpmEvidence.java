package dev.holdfast.identity;

import dev.holdfast.core.DeviceRef;
import dev.holdfast.journal.Transaction;

/// What a TPM has shown, held by `attestation` until the transaction that decides about the certificate.
public interface TpmEvidence {
    /// Uses up the challenge, locks what it depends on and appraises.
    TpmFacts appraise(Transaction tx, DeviceRef device);

    /// In the same transaction, after the decision: what follows from a certificate that is granted.
    void granted(Transaction tx, DeviceRef device, TpmFacts facts);

    /// In the same transaction, after the decision: it is refused, or waits.
    void notGranted(Transaction tx, DeviceRef device, TpmFacts facts, String because);
}
