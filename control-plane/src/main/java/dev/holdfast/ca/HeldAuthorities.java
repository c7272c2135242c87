package dev.holdfast.ca;

import dev.holdfast.core.Environment;
import dev.holdfast.journal.Transaction;
import dev.holdfast.protocol.x509.Certificates;
import java.security.cert.X509Certificate;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// The authorities as they are inside a transaction that holds the roots.
record HeldAuthorities(List<Authority> all, List<AuthorityStore.Cross> crosses) {
    HeldAuthorities {
        all = List.copyOf(all);
        crosses = List.copyOf(crosses);
    }

    static HeldAuthorities of(Transaction tx) {
        AuthorityStore.lockRoots(tx.sql());
        return new HeldAuthorities(AuthorityStore.all(tx.sql()), AuthorityStore.crosses(tx.sql()));
    }

    Optional<Authority> root(X509Certificate certificate) {
        return all.stream()
                .filter(a -> a.isOperatorsRoot()
                        && a.standing().isTrusted()
                        && a.certificate().equals(certificate))
                .findFirst();
    }

    /// Who issues for this purpose now.
    Optional<Authority> current(Authority.Purpose purpose, Optional<Environment> environment) {
        return all.stream()
                .filter(a -> a.purpose() == purpose && a.environment().equals(environment))
                .filter(a -> a.standing() == Authority.Standing.ACTIVE)
                .max(Comparator.comparingInt(Authority::generation));
    }

    /// The operator's roots above whatever is in use, the listeners' first.
    List<X509Certificate> inUse() {
        return all.stream()
                .filter(a -> a.standing() == Authority.Standing.ACTIVE
                        && !a.development()
                        && !a.above().isEmpty())
                .sorted(Comparator.comparing(a -> a.purpose() != Authority.Purpose.SERVER))
                .map(Authority::anchor)
                .distinct()
                .toList();
    }

    private Optional<Authority> find(String id) {
        return all.stream()
                .filter(a -> a.id().equals(id) && a.standing().isTrusted())
                .findFirst();
    }

    /// Whether a younger root is taking this one's place.
    boolean isGoing(Authority root) {
        return crosses.stream()
                .filter(cross -> cross.issuer().equals(root.id()))
                .flatMap(cross -> find(cross.subject()).stream())
                .anyMatch(other -> other.generation() > root.generation());
    }

    /// Roots that this one takes the place of, each with its certificate for this one's key.
    Map<Authority, X509Certificate> before(Authority root) {
        Map<Authority, X509Certificate> before = new LinkedHashMap<>();
        for (AuthorityStore.Cross cross : crosses) {
            if (cross.subject().equals(root.id())) {
                find(cross.issuer())
                        .filter(a -> a.generation() < root.generation())
                        .ifPresent(a -> before.put(a, cross.certificate()));
            }
        }
        return before;
    }

    /// Of every authority that there ever was, but of roots that were abandoned.
    Set<String> keysBesides(X509Certificate root) {
        return Stream.concat(
                        all.stream().map(Authority::certificate), all.stream().flatMap(a -> a.above().stream()))
                .filter(certificate -> !certificate.equals(root))
                .map(certificate ->
                        Certificates.keyFingerprint(certificate.getPublicKey().getEncoded()))
                .collect(Collectors.toSet());
    }
}
