package dev.holdfast.protocol.x509;

import java.security.cert.CertificateEncodingException;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import org.bouncycastle.asn1.x509.Certificate;
import org.bouncycastle.asn1.x509.Extension;
import org.jspecify.annotations.Nullable;

/// Which roots a client trusts next, after a server has listed its authorities (RFC 7030 section 4.1.3).
///
/// The list alone is believed in nothing. A root comes in only carried by one that is trusted already: by a
/// certificate of that root for its key (NewWithOld in RFC 4210 section 4.4). One goes only on the word of a
/// connection that a newer root vouches for, or when its time is over, and never the last that the server
/// needs.
public final class RootSuccession {
    /// Whoever has a signature of a trusted root could otherwise fill a small device's memory.
    public static final int MOST_ROOTS = 8;

    /// What the certificate that carries a root in may have in it; anything else may be a limit, which would
    /// be lost once the root itself is trusted.
    private static final Set<String> WITHOUT_LIMITS = Set.of(
            Extension.basicConstraints.getId(),
            Extension.keyUsage.getId(),
            Extension.subjectKeyIdentifier.getId(),
            Extension.authorityKeyIdentifier.getId(),
            Extension.authorityInfoAccess.getId(),
            Extension.cRLDistributionPoints.getId());

    private RootSuccession() {}

    /// A root that is trusted.
    ///
    /// @param listed whether the server has ever listed it: another's root, given by hand, is not the
    ///     server's to withdraw
    public record Trusted(X509Certificate certificate, boolean listed) {}

    /// Why a root that the server listed is not believed in.
    public enum Refusal {
        /// No certificate of a trusted root for its key came with it.
        NOT_CARRIED_BY_A_TRUSTED_ROOT,
        /// Not signed by itself, or with a scheme that is too weak.
        SIGNATURE_WRONG,
        /// basicConstraints CA and keyUsage keyCertSign are needed.
        NOT_AN_AUTHORITY,
        NOT_IN_FORCE,
        KEY_NOT_ACCEPTED,
        CRITICAL_EXTENSION_UNKNOWN,
        /// The certificate that carries it is not a CA's.
        LINK_NOT_AN_AUTHORITY,
        LINK_NOT_IN_FORCE,
        /// The certificate that carries it allows less than the root would.
        LINK_LIMITS,
        /// The root that carries it has ended, or may have no CA below it.
        CARRIER_NOT_GOOD,
        /// It is no younger than what carries it: a way back, not a way on.
        NOT_NEWER,
        /// Its key was withdrawn before.
        WITHDRAWN,
        TOO_MANY
    }

    public record Refused(X509Certificate root, Refusal why) {}

    /// @param trusted from now on
    /// @param learned of those, what is new
    /// @param withdrawn what is trusted no more
    public record Outcome(
            List<Trusted> trusted,
            List<X509Certificate> learned,
            List<X509Certificate> withdrawn,
            List<Refused> refused) {
        public Outcome {
            trusted = List.copyOf(trusted);
            learned = List.copyOf(learned);
            withdrawn = List.copyOf(withdrawn);
            refused = List.copyOf(refused);
        }
    }

    /// @param trusted until now
    /// @param withdrawnKeys fingerprints of keys ([Certificates#keyFingerprint]) that were trusted once
    /// @param listed what the server published, in any order
    /// @param vouches whether the connection that the list came over is good under this root alone
    public static Outcome next(
            List<Trusted> trusted,
            Set<String> withdrawnKeys,
            List<X509Certificate> listed,
            Predicate<X509Certificate> vouches,
            Instant now) {
        List<Trusted> next = new ArrayList<>();
        for (Trusted one : trusted) {
            next.add(new Trusted(one.certificate(), one.listed() || listed.contains(one.certificate())));
        }
        List<X509Certificate> withdrawn = withdraw(next, listed, vouches, now);
        List<X509Certificate> learned = new ArrayList<>();
        List<Refused> refused = new ArrayList<>();
        Set<X509Certificate> candidates = new LinkedHashSet<>(listed);
        candidates.removeIf(c -> !isSelfIssued(c) || contains(next, c) || isAnothers(c, listed, trusted));
        boolean another = true;
        while (another) { // a root that has come in may carry the next
            another = false;
            refused.clear();
            for (X509Certificate candidate : List.copyOf(candidates)) {
                Optional<Refusal> refusal = refusal(candidate, next, withdrawnKeys, withdrawn, listed, now);
                if (refusal.isPresent()) {
                    refused.add(new Refused(candidate, refusal.get()));
                } else {
                    next.add(new Trusted(candidate, true));
                    learned.add(candidate);
                    candidates.remove(candidate);
                    another = true;
                }
            }
        }
        return new Outcome(next, learned, withdrawn, refused);
    }

    /// Takes away what has ended, and what the server listed once and lists no more; the latter only where a
    /// newer root vouches for the connection, so that whoever has an old root's key can't take the new one.
    private static List<X509Certificate> withdraw(
            List<Trusted> trusted, List<X509Certificate> listed, Predicate<X509Certificate> vouches, Instant now) {
        List<X509Certificate> withdrawn = new ArrayList<>();
        for (Trusted one : List.copyOf(trusted)) {
            X509Certificate root = one.certificate();
            boolean ended = now.isAfter(root.getNotAfter().toInstant());
            boolean unlisted = one.listed() && !listed.contains(root);
            boolean replaced = (ended || unlisted)
                    && trusted.stream()
                            .map(Trusted::certificate)
                            .filter(other -> !other.equals(root))
                            .filter(other -> !now.isAfter(other.getNotAfter().toInstant()))
                            .filter(other -> ended || (listed.contains(other) && isNewer(other, root)))
                            .anyMatch(vouches);
            if (replaced) {
                trusted.remove(one);
                withdrawn.add(root);
            }
        }
        return withdrawn;
    }

    /// 1. The root as such. 2. What carries it: each certificate for its name and key by a root that is
    /// trusted; one that is good is enough, else the last fault found is told.
    private static Optional<Refusal> refusal(
            X509Certificate root,
            List<Trusted> trusted,
            Set<String> withdrawnKeys,
            List<X509Certificate> withdrawn,
            List<X509Certificate> listed,
            Instant now) {
        Optional<Refusal> own = alone(root, now);
        if (own.isPresent()) {
            return own;
        }
        if (withdrawnKeys.contains(key(root)) || withdrawn.stream().anyMatch(w -> key(w).equals(key(root)))) {
            return Optional.of(Refusal.WITHDRAWN);
        }
        if (trusted.size() >= MOST_ROOTS) {
            return Optional.of(Refusal.TOO_MANY);
        }
        Refusal why = Refusal.NOT_CARRIED_BY_A_TRUSTED_ROOT;
        for (X509Certificate link : listed) {
            if (!speaksFor(link, root)) {
                continue;
            }
            for (Trusted one : trusted) {
                X509Certificate carrier = one.certificate();
                if (isSelfIssued(carrier) && isBy(link, carrier)) {
                    Optional<Refusal> fault = carried(root, link, carrier, now);
                    if (fault.isEmpty()) {
                        return Optional.empty();
                    }
                    why = fault.get();
                }
            }
        }
        return Optional.of(why);
    }

    private static Optional<Refusal> alone(X509Certificate root, Instant now) {
        if (!KeyKind.of(root.getPublicKey()).isIssuable()) {
            return Optional.of(Refusal.KEY_NOT_ACCEPTED);
        }
        if (!isBy(root, root)) {
            return Optional.of(Refusal.SIGNATURE_WRONG);
        }
        if (!isAuthority(root)) {
            return Optional.of(Refusal.NOT_AN_AUTHORITY);
        }
        @Nullable Set<String> critical = root.getCriticalExtensionOIDs();
        if (critical != null && !WITHOUT_LIMITS.containsAll(critical)) {
            return Optional.of(Refusal.CRITICAL_EXTENSION_UNKNOWN);
        }
        return isInForce(root, now) ? Optional.empty() : Optional.of(Refusal.NOT_IN_FORCE);
    }

    private static Optional<Refusal> carried(
            X509Certificate root, X509Certificate link, X509Certificate carrier, Instant now) {
        return linked(link, carrier, now)
                .or(() -> isNewer(root, carrier) ? Optional.empty() : Optional.of(Refusal.NOT_NEWER));
    }

    /// RFC 5280 section 6.1.4 for the one step from a root to the other one's key.
    static Optional<Refusal> linked(X509Certificate link, X509Certificate carrier, Instant now) {
        if (!isAuthority(link)) {
            return Optional.of(Refusal.LINK_NOT_AN_AUTHORITY);
        }
        if (!isInForce(link, now)) {
            return Optional.of(Refusal.LINK_NOT_IN_FORCE);
        }
        if (!WITHOUT_LIMITS.containsAll(extensions(link))) {
            return Optional.of(Refusal.LINK_LIMITS);
        }
        boolean roomBelow = isSelfIssued(link) || carrier.getBasicConstraints() > 0;
        if (!isInForce(carrier, now) || carrier.getBasicConstraints() < 0 || !roomBelow) {
            return Optional.of(Refusal.CARRIER_NOT_GOOD);
        }
        return Optional.empty();
    }

    private static Set<String> extensions(X509Certificate certificate) {
        Set<String> all = new LinkedHashSet<>();
        Optional.ofNullable(certificate.getCriticalExtensionOIDs()).ifPresent(all::addAll);
        Optional.ofNullable(certificate.getNonCriticalExtensionOIDs()).ifPresent(all::addAll);
        return all;
    }

    static boolean speaksFor(X509Certificate link, X509Certificate root) {
        return link.getSubjectX500Principal().equals(root.getSubjectX500Principal())
                && Arrays.equals(
                        link.getPublicKey().getEncoded(), root.getPublicKey().getEncoded());
    }

    /// Two roots of one name certify each other, and both certificates look self-issued: those are links. What
    /// nobody known has signed is looked at as a root, and refused.
    private static boolean isAnothers(
            X509Certificate certificate, List<X509Certificate> listed, List<Trusted> trusted) {
        return !isBy(certificate, certificate)
                && (listed.stream().anyMatch(other -> isBy(certificate, other))
                        || trusted.stream().anyMatch(other -> isBy(certificate, other.certificate())));
    }

    static boolean isBy(X509Certificate certificate, X509Certificate above) {
        if (!certificate.getIssuerX500Principal().equals(above.getSubjectX500Principal())) {
            return false;
        }
        try {
            Certificate parsed = Certificate.getInstance(Certificates.der(certificate));
            return parsed.getTBSCertificate().getSignature().equals(parsed.getSignatureAlgorithm())
                    && SignatureSchemes.fitting(above.getPublicKey(), parsed.getSignatureAlgorithm())
                            .filter(scheme -> Crypto.verify(
                                    above.getPublicKey(), scheme, tbs(certificate), certificate.getSignature()))
                            .isPresent();
        } catch (IllegalArgumentException malformed) {
            return false;
        }
    }

    private static byte[] tbs(X509Certificate certificate) {
        try {
            return certificate.getTBSCertificate();
        } catch (CertificateEncodingException e) {
            throw new IllegalStateException("a parsed certificate has no encoding", e);
        }
    }

    private static boolean isAuthority(X509Certificate certificate) {
        boolean @Nullable [] usage = certificate.getKeyUsage();
        return certificate.getBasicConstraints() >= 0 && usage != null && usage[5];
    }

    private static boolean isInForce(X509Certificate certificate, Instant now) {
        return !now.isBefore(certificate.getNotBefore().toInstant())
                && !now.isAfter(certificate.getNotAfter().toInstant());
    }

    private static boolean isNewer(X509Certificate one, X509Certificate other) {
        return one.getNotBefore().toInstant().isAfter(other.getNotBefore().toInstant());
    }

    static boolean isSelfIssued(X509Certificate certificate) {
        return certificate.getSubjectX500Principal().equals(certificate.getIssuerX500Principal());
    }

    private static boolean contains(List<Trusted> trusted, X509Certificate certificate) {
        return trusted.stream().anyMatch(t -> t.certificate().equals(certificate));
    }

    private static String key(X509Certificate certificate) {
        return Certificates.keyFingerprint(certificate.getPublicKey().getEncoded());
    }
}
