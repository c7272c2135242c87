package dev.holdfast.revocation;

import dev.holdfast.protocol.ocsp.CertificateId;
import dev.holdfast.protocol.ocsp.OcspResponse;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/// Answers that were signed before, bounded: each has one place, and a later one takes it over. An answer is
/// found only while it says what memory says now, so there is nothing to invalidate.
final class SignedAnswers {
    private static final int BITS = 15;
    private static final int PLACES = 1 << BITS;

    private final AtomicReferenceArray<@Nullable Kept> places = new AtomicReferenceArray<>(PLACES);

    private record Kept(CertificateId certificate, OcspResponse.Status status, StatusAnswer answer, Instant until) {}

    Optional<StatusAnswer> find(CertificateId certificate, OcspResponse.Status status, Instant now) {
        Kept kept = places.get(place(certificate));
        return kept != null
                        && kept.certificate().equals(certificate)
                        && kept.status().equals(status)
                        && now.isBefore(kept.until())
                ? Optional.of(kept.answer())
                : Optional.empty();
    }

    void put(CertificateId certificate, OcspResponse.Status status, StatusAnswer answer, Instant until) {
        places.set(place(certificate), new Kept(certificate, status, answer, until));
    }

    private static int place(CertificateId certificate) {
        int hash = certificate.hashCode() * 0x9E3779B9;
        return hash >>> (Integer.SIZE - BITS);
    }
}
