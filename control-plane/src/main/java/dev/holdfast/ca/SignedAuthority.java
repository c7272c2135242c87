package dev.holdfast.ca;

import java.math.BigInteger;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.Optional;

/// The certificate of an authority of ours, as whoever signed it must speak of it.
///
/// @param taken when and why it counts no more; empty while it does
public record SignedAuthority(BigInteger serial, Optional<Taken> taken) {
    public record Taken(Instant at, RevocationReason reason) {}

    /// A stolen authority is taken back. A root that was replaced is not, but what another root has signed for
    /// it is (OldWithNew): nobody should find a way through a key that is not guarded any more.
    ///
    /// @param cross whether it is a root's certificate by another root
    static SignedAuthority of(X509Certificate certificate, Authority authority, boolean cross) {
        Instant at = authority.endedAt().orElse(Instant.EPOCH);
        Optional<Taken> taken =
                switch (authority.standing()) {
                    case READY, ACTIVE, RENEW_ONLY -> Optional.empty();
                    case RETIRED ->
                        cross ? Optional.of(new Taken(at, RevocationReason.SUPERSEDED)) : Optional.empty();
                    case DISTRUSTED -> Optional.of(new Taken(at, RevocationReason.CA_COMPROMISE));
                };
        return new SignedAuthority(certificate.getSerialNumber(), taken);
    }
}
