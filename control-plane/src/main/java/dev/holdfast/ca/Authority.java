package dev.holdfast.ca;

import dev.holdfast.core.Environment;
import java.math.BigInteger;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;

/// A certification authority of this installation.
///
/// @param id its name in URLs of CRLs and certificates, such as `device-production-1`
/// @param environment whose devices it certifies; empty for the root and the authority of our own listeners
/// @param above the certificates above it, nearest first, the root last; empty for a root
/// @param keyName under which [dev.holdfast.keys.SigningKeys] has its private key; no key of an operator's root
/// @param standing how far it is in its life
/// @param endedAt when it was retired or distrusted
/// @param development issued before a host name and a root ceremony were recorded; its subject says so too
public record Authority(
        String id,
        Purpose purpose,
        Optional<Environment> environment,
        int generation,
        X509Certificate certificate,
        List<X509Certificate> above,
        String keyName,
        boolean development,
        Standing standing,
        Optional<Instant> endedAt) {

    public enum Purpose {
        ROOT,
        DEVICE,
        SERVER;

        public String text() {
            return name().toLowerCase(java.util.Locale.ROOT);
        }

        static Purpose of(String text) {
            return valueOf(text.toUpperCase(java.util.Locale.ROOT));
        }
    }

    /// In the order of an authority's life; from any of the first three it may go to either of the last.
    public enum Standing {
        /// Published, so that everybody can learn it, and not issuing yet.
        READY,
        /// The newest of its purpose issues; the certificates of all of them count.
        ACTIVE,
        /// Its certificates may ask for their successors, and nothing else.
        RENEW_ONLY,
        /// Nothing depends on it any more.
        RETIRED,
        /// Its key is in wrong hands.
        DISTRUSTED;

        public String text() {
            return name().toLowerCase(java.util.Locale.ROOT).replace('_', '-');
        }

        static Standing of(String text) {
            return valueOf(text.toUpperCase(java.util.Locale.ROOT).replace('-', '_'));
        }

        /// Whether a chain that leads to it leads somewhere.
        public boolean isTrusted() {
            return switch (this) {
                case READY, ACTIVE, RENEW_ONLY -> true;
                case RETIRED, DISTRUSTED -> false;
            };
        }
    }

    /// The certificate of an authority of ours, as whoever signed it must speak of it.
    ///
    /// @param taken when and why it counts no more; empty while it does
    public record Signed(BigInteger serial, Optional<Taken> taken) {
        public record Taken(Instant at, RevocationReason reason) {}

        /// A stolen authority is taken back. A root that was replaced is not, but what another root has signed for
        /// it is (OldWithNew): nobody should find a way through a key that is not guarded any more.
        ///
        /// @param cross whether it is a root's certificate by another root
        static Signed of(X509Certificate certificate, Authority authority, boolean cross) {
            Instant at = authority.endedAt().orElse(Instant.EPOCH);
            Optional<Taken> taken = switch (authority.standing()) {
                case READY, ACTIVE, RENEW_ONLY -> Optional.empty();
                case RETIRED -> cross ? Optional.of(new Taken(at, RevocationReason.SUPERSEDED)) : Optional.empty();
                case DISTRUSTED -> Optional.of(new Taken(at, RevocationReason.CA_COMPROMISE));
            };
            return new Signed(certificate.getSerialNumber(), taken);
        }
    }

    public Authority {
        above = List.copyOf(above);
    }

    Authority with(Standing next) {
        return new Authority(
                id, purpose, environment, generation, certificate, above, keyName, development, next, endedAt);
    }

    /// Whether it is a root that the operator has brought: its key was never here. Every root that was made here
    /// says DEVELOPMENT.
    public boolean isOperatorsRoot() {
        return purpose == Purpose.ROOT && !development;
    }

    /// Whether this one's certificate was signed by the other.
    boolean isBelow(Authority other) {
        return !above.isEmpty() && above.getFirst().equals(other.certificate());
    }

    /// The scheme that its key signs with, as Java names it.
    public String scheme() {
        return CertificateTemplate.scheme(
                SubjectPublicKeyInfo.getInstance(certificate.getPublicKey().getEncoded()));
    }

    /// The root that it hangs from, which may be the operator's own; itself when it is one.
    public X509Certificate anchor() {
        return above.isEmpty() ? certificate : above.getLast();
    }
}
