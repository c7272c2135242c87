package dev.holdfast.ca;

import dev.holdfast.ca.OwnRoot.Installed;
import dev.holdfast.protocol.x509.Crypto;
import dev.holdfast.protocol.x509.RootKeyUpdate;
import java.security.cert.CertificateEncodingException;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.jspecify.annotations.Nullable;

/// What an operator's authority has answered to a request of ours: the new issuer's certificate, each after it
/// the one above, the root last. Pure: what is held is given.
final class IssuerChain {
    /// subjectKeyIdentifier: what the issuer's certificates and lists name it by.
    private static final String KEY_ID = "2.5.29.14";

    private IssuerChain() {}

    /// Whether devices find their way to what it will issue: its root is the one that they know, or was introduced
    /// to them, and then there is a way from the one before as well.
    ///
    /// @param listeners what our listeners are called
    static Installed fits(
            HeldAuthorities held,
            AuthorityStore.Requested requested,
            List<X509Certificate> chain,
            List<String> listeners) {
        Optional<Authority> current = held.current(requested.purpose(), requested.ofEnvironment());
        if (current.isPresent() && current.get().generation() > requested.generation()) {
            return Installed.OVERTAKEN;
        }
        if (requested.purpose() == Authority.Purpose.SERVER
                && !chain.subList(0, chain.size() - 1).stream()
                        .allMatch(one -> CertificateTemplate.permits(one, listeners))) {
            return Installed.LISTENERS_NOT_PERMITTED;
        }
        Optional<Authority> root = held.root(chain.getLast());
        if (root.isEmpty()) {
            boolean anothers = current.isPresent()
                    && !current.get().development()
                    && !current.get().anchor().equals(chain.getLast());
            return anothers ? Installed.ROOT_NOT_INTRODUCED : Installed.INSTALLED;
        }
        if (held.isGoing(root.get())) {
            return Installed.ROOT_IS_GOING;
        }
        for (Map.Entry<Authority, X509Certificate> way : held.before(root.get()).entrySet()) {
            List<X509Certificate> fromOld = new ArrayList<>(chain.subList(0, chain.size() - 1));
            fromOld.add(way.getValue());
            fromOld.add(way.getKey().certificate());
            if (!hasRoom(fromOld)) {
                return Installed.NO_WAY_FROM_OLD_ROOT;
            }
        }
        return Installed.INSTALLED;
    }

    /// Whether it is an authority's for this key, and leads to a root.
    static Installed check(List<X509Certificate> chain, SubjectPublicKeyInfo requested, Instant now) {
        if (chain.size() < 2) {
            return Installed.CHAIN_BROKEN;
        }
        byte[] key = chain.getFirst().getPublicKey().getEncoded();
        if (!Arrays.equals(key, Issuance.der(requested))) {
            return Installed.KEY_DIFFERS;
        }
        for (int i = 0; i < chain.size(); i++) {
            X509Certificate one = chain.get(i);
            X509Certificate above = chain.get(Math.min(i + 1, chain.size() - 1));
            boolean @Nullable [] usage = one.getKeyUsage();
            if (usage == null || !usage[5] || (i == 0 && (!usage[6] || one.getExtensionValue(KEY_ID) == null))) {
                return Installed.NOT_AN_AUTHORITY;
            }
            if (now.isBefore(one.getNotBefore().toInstant())
                    || now.isAfter(one.getNotAfter().toInstant())) {
                return Installed.NOT_VALID_NOW;
            }
            if (!isBy(one, above)) {
                return Installed.CHAIN_BROKEN;
            }
        }
        return hasRoom(chain) ? Installed.INSTALLED : Installed.NOT_AN_AUTHORITY;
    }

    /// RFC 5280 section 4.2.1.9: each is a CA's and allows as many authorities below it as there are; those that
    /// are self-issued are not counted.
    private static boolean hasRoom(List<X509Certificate> chain) {
        int below = 0;
        for (X509Certificate one : chain) {
            if (one.getBasicConstraints() < below) { // -1: not a CA's
                return false;
            }
            below += one.getSubjectX500Principal().equals(one.getIssuerX500Principal()) ? 0 : 1;
        }
        return true;
    }

    /// By its name and key; with a scheme that is strong, but for a root's own signature, which nobody relies on.
    private static boolean isBy(X509Certificate one, X509Certificate above) {
        return one.equals(above)
                ? one.getIssuerX500Principal().equals(one.getSubjectX500Principal()) && signed(one, one)
                : RootKeyUpdate.isBy(one, above);
    }

    private static boolean signed(X509Certificate one, X509Certificate above) {
        try {
            return Crypto.verify(
                    above.getPublicKey(), one.getSigAlgName(), one.getTBSCertificate(), one.getSignature());
        } catch (CertificateEncodingException e) {
            return false;
        }
    }
}
