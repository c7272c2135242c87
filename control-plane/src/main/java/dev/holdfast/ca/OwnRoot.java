package dev.holdfast.ca;

import dev.holdfast.core.Actor;
import dev.holdfast.core.Environment;
import dev.holdfast.journal.Journal;
import dev.holdfast.journal.Transaction;
import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.protocol.x509.Pem;
import dev.holdfast.protocol.x509.RootKeyUpdate;
import dev.holdfast.protocol.x509.SignatureSchemes;
import java.io.IOException;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import org.bouncycastle.asn1.ASN1Encoding;
import org.bouncycastle.asn1.DERBitString;
import org.bouncycastle.asn1.pkcs.CertificationRequest;
import org.bouncycastle.asn1.pkcs.CertificationRequestInfo;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;

/// Issuers under the operator's own root: a request goes out, a certificate comes in. That is the root
/// ceremony: from then on this installation's certificates for that purpose no longer say DEVELOPMENT.
///
/// The root's key is never here. Certificates issued before stay valid under the issuer that made them.
///
/// A root of the operator's is followed by the next as ours are: it is introduced with what both have signed for
/// each other ([#introduce]), issuers below it are installed and issue nothing yet, and all of it begins to count
/// when whoever replaces the old one says so.
public final class OwnRoot {
    private final Journal journal;
    private final Authorities authorities;
    private final boolean hostNameRecorded;
    private final List<String> listeners;
    private final List<Runnable> whenInstalled = new CopyOnWriteArrayList<>();

    /// @param listeners what they are called, as `DNS:...`, `IP:...` and `URI:...`
    OwnRoot(Journal journal, Authorities authorities, boolean hostNameRecorded, List<String> listeners) {
        this.journal = journal;
        this.authorities = authorities;
        this.hostNameRecorded = hostNameRecorded;
        this.listeners = List.copyOf(listeners);
    }

    /// @param id to be given with the answer
    /// @param pem PKCS #10
    public record Request(String id, String pem) {}

    /// What became of an answer.
    public enum Installed {
        INSTALLED,
        /// There is no such request, or it was answered before.
        NOT_REQUESTED,
        /// Without `publicHostName` in the configuration certificates would name a place nobody can ask.
        HOST_NAME_NOT_RECORDED,
        /// The certificate is for another key than the request's.
        KEY_DIFFERS,
        /// Not a CA's: basicConstraints CA, keyUsage keyCertSign and cRLSign, and subjectKeyIdentifier are needed.
        NOT_AN_AUTHORITY,
        NOT_VALID_NOW,
        /// The chain does not lead, signature by signature, to a self-signed root.
        CHAIN_BROKEN,
        /// It leads to another root than the one that devices know: that must be introduced first.
        ROOT_NOT_INTRODUCED,
        /// It leads to a root that is being replaced.
        ROOT_IS_GOING,
        /// Under the root that is being replaced the path lengths leave no room for it.
        NO_WAY_FROM_OLD_ROOT,
        /// An issuer that was asked for later is in use.
        OVERTAKEN,
        /// Its name constraints, or those above it, forbid what our listeners are called.
        LISTENERS_NOT_PERMITTED
    }

    /// What became of a new root.
    public sealed interface Introduction {
        /// The old root's record, and the new one's, which is made ready.
        record Introduced(Authority old, Authority next) implements Introduction {}

        record Refused(RootKeyUpdate.Refused why) implements Introduction {}

        /// No issuer in use hangs from a root of the operator's.
        record NoRootOfYours() implements Introduction {}

        /// The old one is being replaced already, or is replacing another.
        record BeingReplaced(Authority old) implements Introduction {}
    }

    /// Makes the operator's next root ready, and published with what it and the root in use have signed for each
    /// other. The one in use is entered as an authority of its own where it is not yet.
    ///
    /// @param crosses NewWithOld and OldWithNew, in any order
    public Introduction introduce(
            Transaction tx, X509Certificate root, List<X509Certificate> crosses, String why, Actor by) {
        HeldAuthorities held = HeldAuthorities.of(tx);
        List<X509Certificate> inUse = held.inUse();
        if (inUse.isEmpty()) {
            return new Introduction.NoRootOfYours();
        }
        X509Certificate old = inUse.stream()
                .filter(one -> crosses.stream().anyMatch(cross -> RootKeyUpdate.isBy(cross, one)))
                .findFirst()
                .orElse(inUse.getFirst());
        Optional<Authority> known = held.root(old);
        if (known.isPresent()
                && (held.isGoing(known.get()) || !held.before(known.get()).isEmpty())) {
            return new Introduction.BeingReplaced(known.get());
        }
        return switch (RootKeyUpdate.check(old, root, crosses, held.keysBesides(root), tx.now())) {
            case RootKeyUpdate.Refused refused -> new Introduction.Refused(refused);
            case RootKeyUpdate.Checked checked -> introduced(tx, known, checked.update(), why, by);
        };
    }

    private static Introduction introduced(
            Transaction tx, Optional<Authority> known, RootKeyUpdate update, String why, Actor by) {
        Authority old = known.orElseGet(() -> entered(tx, update.old(), Authority.Standing.ACTIVE, why, by));
        Authority next = entered(tx, update.newWithNew(), Authority.Standing.READY, why, by);
        AuthorityStore.insertCross(tx.sql(), new AuthorityStore.Cross(next.id(), old.id(), update.newWithOld()));
        AuthorityStore.insertCross(tx.sql(), new AuthorityStore.Cross(old.id(), next.id(), update.oldWithNew()));
        return new Introduction.Introduced(old, next);
    }

    private static Authority entered(
            Transaction tx, X509Certificate root, Authority.Standing standing, String why, Actor by) {
        int generation = AuthorityStore.nextGeneration(tx.sql(), Authority.Purpose.ROOT, Optional.empty());
        String id = "own-root-" + generation;
        Authority authority = new Authority(
                id,
                Authority.Purpose.ROOT,
                Optional.empty(),
                generation,
                root,
                List.of(),
                id,
                false,
                standing,
                Optional.empty());
        AuthorityStore.insert(tx.sql(), authority, tx.now());
        Authorities.record(tx, "authority.introduced", authority, by, why);
        return authority;
    }

    /// What hangs from this root and is trusted, inside a transaction: nobody adds to it before its end.
    public List<Authority> below(Transaction tx, Authority root) {
        return HeldAuthorities.of(tx).all().stream()
                .filter(a -> a.standing().isTrusted() && a.above().contains(root.certificate()))
                .toList();
    }

    /// Makes a key and a request for an issuer of devices' certificates in this environment.
    public Request requestDevices(Environment environment, Actor actor) {
        return request(Authority.Purpose.DEVICE, Optional.of(environment), "Holdfast devices " + environment, actor);
    }

    /// The same for the issuer of our own listeners' certificates.
    public Request requestServers(Actor actor) {
        return request(Authority.Purpose.SERVER, Optional.empty(), "Holdfast servers", actor);
    }

    private Request request(Authority.Purpose purpose, Optional<Environment> environment, String name, Actor actor) {
        return journal.commit(tx -> {
            int generation = AuthorityStore.nextGeneration(tx.sql(), purpose, environment);
            String id = purpose.text() + environment.map(e -> "-" + e).orElse("") + "-" + generation;
            String pem = Pem.encode(Pem.CERTIFICATE_REQUEST, request(id, name + " G" + generation));
            AuthorityStore.insertRequest(
                    tx.sql(),
                    new AuthorityStore.Requested(
                            id, purpose, environment.map(Environment::value).orElse(""), generation, id, pem),
                    tx.now());
            tx.record(new dev.holdfast.journal.Entry(
                    "authority.requested",
                    environment.orElse(new Environment("all")),
                    "authority:" + id,
                    actor,
                    "to be certified by the operator's own root",
                    java.util.Map.of("name", name)));
            return new Request(id, pem);
        });
    }

    private byte[] request(String keyName, String name) {
        try {
            SubjectPublicKeyInfo key = authorities.certificates().key(keyName);
            CertificationRequestInfo info =
                    new CertificationRequestInfo(CertificateTemplate.authorityName(name, false), key, null);
            byte[] signature = authorities.keys().sign(keyName, info.getEncoded(ASN1Encoding.DER));
            return new CertificationRequest(
                            info,
                            SignatureSchemes.identifier(CertificateTemplate.scheme(key)),
                            new DERBitString(signature))
                    .getEncoded(ASN1Encoding.DER);
        } catch (IOException e) {
            throw new IllegalStateException("a request that can't be encoded", e);
        }
    }

    /// Takes the certificate and those above it, and issues from it from now on; below a root that is being
    /// introduced, from when that takes over.
    ///
    /// @param chain the new issuer's first, each signed by the next, the root last
    public Installed install(String id, List<X509Certificate> chain, Actor actor) {
        if (!hostNameRecorded) {
            return Installed.HOST_NAME_NOT_RECORDED;
        }
        Installed outcome = journal.commit(tx -> {
            HeldAuthorities held = HeldAuthorities.of(tx);
            Optional<AuthorityStore.Requested> requested = AuthorityStore.requested(tx.sql(), id);
            if (requested.isEmpty()) {
                return Installed.NOT_REQUESTED;
            }
            SubjectPublicKeyInfo key =
                    authorities.certificates().key(requested.get().keyName());
            Installed fault = IssuerChain.check(chain, key, tx.now());
            if (fault == Installed.INSTALLED) {
                fault = IssuerChain.fits(held, requested.get(), chain, listeners);
            }
            if (fault != Installed.INSTALLED) {
                return fault;
            }
            boolean ready = held.root(chain.getLast())
                    .filter(root -> root.standing() == Authority.Standing.READY)
                    .isPresent();
            Authority authority = new Authority(
                    id,
                    requested.get().purpose(),
                    requested.get().ofEnvironment(),
                    requested.get().generation(),
                    chain.getFirst(),
                    chain.subList(1, chain.size()),
                    requested.get().keyName(),
                    false,
                    ready ? Authority.Standing.READY : Authority.Standing.ACTIVE,
                    Optional.empty());
            AuthorityStore.answer(tx.sql(), authority);
            Authorities.record(
                    tx,
                    "authority.installed",
                    authority,
                    actor,
                    ready
                            ? "certified by the operator's next root; it issues when that takes over"
                            : "certified by the operator's own root");
            return Installed.INSTALLED;
        });
        authorities.reload();
        if (outcome == Installed.INSTALLED) {
            whenInstalled.forEach(Runnable::run);
        }
        return outcome;
    }

    /// Called after an issuer was installed on this node: it may be the one of our listeners.
    public void onInstalled(Runnable listener) {
        whenInstalled.add(listener);
    }

    /// The new issuer's certificate with those above it, as [#install] wants them, from PEM text in that order.
    ///
    /// @throws dev.holdfast.protocol.x509.X509FormatException when the text holds no certificates
    public static List<X509Certificate> chain(String pem) throws dev.holdfast.protocol.x509.X509FormatException {
        return Certificates.parsePem(pem);
    }
}
