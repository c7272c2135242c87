package dev.holdfast.ca;

import dev.holdfast.core.Actor;
import dev.holdfast.core.Environment;
import dev.holdfast.journal.Transaction;
import java.util.List;
import java.util.Optional;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;

/// The next generation of an authority, and the last days of the one before. Every step is part of another
/// change and journalled; memory follows after the commit ([#committed], and on other nodes the journal).
public final class Succession {
    private final Authorities authorities;

    Succession(Authorities authorities) {
        this.authorities = authorities;
    }

    /// The next issuer of this environment's devices, under this root.
    ///
    /// @return empty when the root's key is not here: then it takes a ceremony
    public Optional<Authority> nextDevices(
            Transaction tx,
            Environment environment,
            Authority root,
            Authority.Standing standing,
            String why,
            Actor by) {
        return next(
                tx,
                Authority.Purpose.DEVICE,
                Optional.of(environment),
                "Holdfast devices " + environment,
                root,
                standing,
                why,
                by);
    }

    /// The next issuer of our listeners' certificates, under this root, issuing at once.
    public Optional<Authority> nextServers(Transaction tx, Authority root, String why, Actor by) {
        return next(
                tx,
                Authority.Purpose.SERVER,
                Optional.empty(),
                "Holdfast servers",
                root,
                Authority.Standing.ACTIVE,
                why,
                by);
    }

    private Optional<Authority> next(
            Transaction tx,
            Authority.Purpose purpose,
            Optional<Environment> environment,
            String name,
            Authority root,
            Authority.Standing standing,
            String why,
            Actor by) {
        if (root.purpose() != Authority.Purpose.ROOT || !authorities.canSign(root)) {
            return Optional.empty();
        }
        int generation = AuthorityStore.nextGeneration(tx.sql(), purpose, environment);
        String id = purpose.text() + environment.map(e -> "-" + e).orElse("") + "-" + generation;
        Authority made = authorities
                .certificates()
                .below(
                        root,
                        id,
                        generation,
                        purpose,
                        environment,
                        authorities.certificates().key(id),
                        name + " G" + generation,
                        tx.now())
                .with(standing);
        AuthorityStore.insert(tx.sql(), made, tx.now());
        Authorities.record(tx, "authority.created", made, by, why);
        return Optional.of(made);
    }

    /// The next root of ours, made ready, with its certificate by the old root and the old root's by it
    /// (RFC 4210 section 4.4).
    ///
    /// @return empty when the old root's key is not here
    public Optional<Authority> nextRoot(Transaction tx, Authority old, String why, Actor by) {
        if (old.purpose() != Authority.Purpose.ROOT || !authorities.canSign(old)) {
            return Optional.empty();
        }
        int generation = AuthorityStore.nextGeneration(tx.sql(), Authority.Purpose.ROOT, Optional.empty());
        String id = "root-" + generation;
        SubjectPublicKeyInfo key = authorities.certificates().key(id);
        Authority made = authorities
                .certificates()
                .selfSigned(id, generation, key, tx.now())
                .with(Authority.Standing.READY);
        AuthorityStore.insert(tx.sql(), made, tx.now());
        AuthorityStore.insertCross(
                tx.sql(),
                new AuthorityStore.Cross(
                        made.id(), old.id(), authorities.certificates().cross(made, old, tx.now())));
        AuthorityStore.insertCross(
                tx.sql(),
                new AuthorityStore.Cross(
                        old.id(), made.id(), authorities.certificates().cross(old, made, tx.now())));
        Authorities.record(tx, "authority.created", made, by, why);
        return Optional.of(made);
    }

    /// Moves an authority on in its life.
    ///
    /// @return false when it was not any more what it is taken for: somebody else moved it
    public boolean move(Transaction tx, Authority authority, Authority.Standing to, String why, Actor by) {
        if (!AuthorityStore.setStanding(tx.sql(), authority.id(), authority.standing(), to, tx.now())) {
            return false;
        }
        Authorities.record(tx, "authority." + to.text(), authority.with(to), by, why);
        return true;
    }

    /// Those that this root has certified and that are still trusted.
    public List<Authority> below(Authority root) {
        return authorities.all().stream()
                .filter(a -> a.standing().isTrusted() && a.above().contains(root.certificate()))
                .toList();
    }

    /// Reads what a transaction has changed, on this node, at once.
    public void committed() {
        authorities.reload();
    }
}
