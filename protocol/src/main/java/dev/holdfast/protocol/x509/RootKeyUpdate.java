package dev.holdfast.protocol.x509;

import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// What the keepers of a root bring when it is replaced: the new root (NewWithNew), and the two roots'
/// certificates for each other (NewWithOld and OldWithNew in RFC 4210 section 4.4). There is one only where it
/// was checked: a client that trusts the old root alone believes in the new one, and finds its way to what an
/// issuer below the new one has signed.
public final class RootKeyUpdate {
    private static final int CROSSES = 2;

    private final X509Certificate old;
    private final X509Certificate newWithNew;
    private final X509Certificate newWithOld;
    private final X509Certificate oldWithNew;

    private RootKeyUpdate(
            X509Certificate old, X509Certificate newWithNew, X509Certificate newWithOld, X509Certificate oldWithNew) {
        this.old = old;
        this.newWithNew = newWithNew;
        this.newWithOld = newWithOld;
        this.oldWithNew = oldWithNew;
    }

    public sealed interface Outcome {}

    public record Checked(RootKeyUpdate update) implements Outcome {}

    /// @param why what such a client says, where it was asked
    public record Refused(Fault fault, Optional<RootSuccession.Refusal> why) implements Outcome {}

    public enum Fault {
        /// It is the old root, or has its key.
        SAME_ROOT,
        /// Neither NewWithOld nor OldWithNew, or one of them twice.
        NOT_OF_THIS_UPDATE,
        /// A client that trusts the old root would not believe in the new one.
        NOT_BELIEVED,
        /// One of the path lengths leaves no room for an issuer below the new root, seen from the old one.
        NO_ROOM_BELOW,
        /// There is no certificate with the old root's name and key and the new root's signature.
        OLD_WITH_NEW_MISSING,
        OLD_WITH_NEW_NOT_GOOD
    }

    /// Whether these certificates were made for each other.
    ///
    /// @param crosses NewWithOld and OldWithNew, in any order
    /// @param usedKeys fingerprints of keys ([Certificates#keyFingerprint]) that no new root may have
    public static Outcome check(
            X509Certificate old,
            X509Certificate root,
            List<X509Certificate> crosses,
            Set<String> usedKeys,
            Instant now) {
        if (sameKey(old, root)) {
            return refused(Fault.SAME_ROOT);
        }
        List<X509Certificate> forNew = with(crosses, root);
        List<X509Certificate> forOld = with(crosses, old);
        if (forNew.size() + forOld.size() != crosses.size() || forNew.size() > 1 || forOld.size() > 1) {
            return refused(Fault.NOT_OF_THIS_UPDATE);
        }
        // 1. What a client does with them: the root as such, what carries it, that it is younger.
        List<X509Certificate> listed = new ArrayList<>(List.of(old, root));
        listed.addAll(forNew);
        RootSuccession.Outcome heard =
                RootSuccession.next(List.of(new RootSuccession.Trusted(old, true)), usedKeys, listed, _ -> false, now);
        if (!heard.learned().contains(root)) {
            return new Refused(
                    Fault.NOT_BELIEVED,
                    heard.refused().stream()
                            .filter(refused -> refused.root().equals(root))
                            .map(RootSuccession.Refused::why)
                            .findFirst()
                            .or(() -> Optional.of(RootSuccession.Refusal.SIGNATURE_WRONG)));
        }
        // 2. RFC 5280 section 6.1.4: an issuer below the new root has room, seen from either root.
        X509Certificate newWithOld = forNew.getFirst();
        int between = RootSuccession.isSelfIssued(newWithOld) ? 1 : 2;
        if (root.getBasicConstraints() < 1
                || newWithOld.getBasicConstraints() < 1
                || old.getBasicConstraints() < between) {
            return refused(Fault.NO_ROOM_BELOW);
        }
        // 3. The way from the new root to the old one's key.
        if (forOld.isEmpty()
                || !RootSuccession.speaksFor(forOld.getFirst(), old)
                || !RootSuccession.isBy(forOld.getFirst(), root)) {
            return refused(Fault.OLD_WITH_NEW_MISSING);
        }
        X509Certificate oldWithNew = forOld.getFirst();
        return RootSuccession.linked(oldWithNew, root, now)
                .<Outcome>map(why -> new Refused(Fault.OLD_WITH_NEW_NOT_GOOD, Optional.of(why)))
                .orElseGet(() -> new Checked(new RootKeyUpdate(old, root, newWithOld, oldWithNew)));
    }

    /// Whether the first was signed by the second, which has the name that the first says.
    public static boolean isBy(X509Certificate certificate, X509Certificate above) {
        return RootSuccession.isBy(certificate, above);
    }

    private static Outcome refused(Fault fault) {
        return new Refused(fault, Optional.empty());
    }

    private static List<X509Certificate> with(List<X509Certificate> crosses, X509Certificate root) {
        // More than two are too many, whatever they are: no longer list is looked at.
        return crosses.stream()
                .limit(CROSSES + 1L)
                .filter(cross -> sameKey(cross, root))
                .toList();
    }

    private static boolean sameKey(X509Certificate one, X509Certificate other) {
        return Arrays.equals(
                one.getPublicKey().getEncoded(), other.getPublicKey().getEncoded());
    }

    /// The root that goes.
    public X509Certificate old() {
        return old;
    }

    /// The root that comes.
    public X509Certificate newWithNew() {
        return newWithNew;
    }

    public X509Certificate newWithOld() {
        return newWithOld;
    }

    public X509Certificate oldWithNew() {
        return oldWithNew;
    }
}
