package dev.holdfast.attestation;

import dev.holdfast.core.DeviceRef;
import dev.holdfast.identity.TpmEvidence;
import dev.holdfast.identity.TpmFacts;
import dev.holdfast.identity.TpmFault;
import dev.holdfast.journal.Transaction;
import java.util.List;

/// What came with a request that was refused before anybody looked at it: it proves nothing.
record UnreadEvidence() implements TpmEvidence {
    @Override
    public TpmFacts appraise(Transaction tx, DeviceRef device) {
        return new TpmFacts(
                List.of(new TpmFacts.Found(TpmFault.STRUCTURE_MALFORMED, "the request was refused before")), true);
    }

    @Override
    public void granted(Transaction tx, DeviceRef device, TpmFacts facts) {
        throw new IllegalStateException("granted by evidence that nobody has read");
    }

    @Override
    public void notGranted(Transaction tx, DeviceRef device, TpmFacts facts, String because) {}
}
