package dev.holdfast.scep;

import dev.holdfast.identity.Applicant;
import dev.holdfast.protocol.x509.CertificationRequest;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/// Requests that a person has to decide about, so that a poll (CertPoll) can ask again: in memory, because the
/// one-time secret they came with is nothing to store. After a restart the device sends its whole request again
/// (RFC 8894 section 4.4), with the same transaction id or another.
final class Waiting {
    private static final int MOST = 1_000;

    private final Map<String, Asked> asked = new LinkedHashMap<>() {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Asked> eldest) {
            return size() > MOST;
        }
    };

    /// @param keyFingerprint of the key that signed the request: only its holder may poll
    record Asked(String keyFingerprint, CertificationRequest request, Applicant applicant) {}

    synchronized void put(String transaction, Asked one) {
        asked.put(one.keyFingerprint() + " " + transaction, one);
    }

    synchronized Optional<Asked> find(String transaction, String keyFingerprint) {
        return Optional.ofNullable(asked.get(keyFingerprint + " " + transaction));
    }

    synchronized void remove(String transaction, String keyFingerprint) {
        asked.remove(keyFingerprint + " " + transaction);
    }
}
