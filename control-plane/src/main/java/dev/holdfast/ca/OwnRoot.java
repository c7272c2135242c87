package dev.holdfast.ca;

import dev.holdfast.core.Actor;
import dev.holdfast.core.Environment;
import dev.holdfast.journal.Journal;
import dev.holdfast.journal.Transaction;
import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.protocol.x509.Crypto;
import dev.holdfast.protocol.x509.Pem;
import dev.holdfast.protocol.x509.RootKeyUpdate;
import dev.holdfast.protocol.x509.SignatureSchemes;
import java.io.IOException;
import java.security.cert.CertificateEncodingException;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Collectors;
import java.util.stream.Stream;
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
    /// subjectKeyIdentifier: what the issuer's certificates and lists name it by.
    private static final String KEY_ID = "2.5.29.14";

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

    /// The authorities as they are inside a transaction that holds the roots.
    private record Held(List<Authority> all, List<AuthorityStore.Cross> crosses) {
        static Held of(Transaction tx) {
            AuthorityStore.lockRoots(tx.sql());
            return new Held(AuthorityStore.all(tx.sql()), AuthorityStore.crosses(tx.sql()));
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
                            all.stream().map(Authority::certificate),
                            all.stream().flatMap(a -> a.above().stream()))
                    .filter(certificate -> !certificate.equals(root))
                    .map(certificate -> Certificates.keyFingerprint(
                            certificate.getPublicKey().getEncoded()))
                    .collect(Collectors.toSet());
        }
    }

    /// Makes the operator's next root ready, and published with what it and the root in use have signed for each
    /// other. The one in use is entered as an authority of its own where it is not yet.
    ///
    /// @param crosses NewWithOld and OldWithNew, in any order
    public Introduction introduce(
            Transaction tx, X509Certificate root, List<X509Certificate> crosses, String why, Actor by) {
        Held held = Held.of(tx);
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
        return Held.of(tx).all().stream()
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

    /// Takes the certificate and those above it, and issues from it from now on.
    ///
    /// @param chain the new issuer's first, each signed by the next, the root last
    public Installed install(String id, List<X509Certificate> chain, Actor actor) {
        if (!hostNameRecorded) {
            return Installed.HOST_NAME_NOT_RECORDED;
        }
        Installed outcome = journal.commit(tx -> {
            Optional<AuthorityStore.Requested> requested = AuthorityStore.requested(tx.sql(), id);
            if (requested.isEmpty()) {
                return Installed.NOT_REQUESTED;
            }
            Held held = Held.of(tx);
            Installed fault = check(chain, requested.get().keyName(), tx.now());
            if (fault == Installed.INSTALLED) {
                fault = fits(held, requested.get(), chain);
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
                    environment(requested.get()),
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

    private static Optional<Environment> environment(AuthorityStore.Requested requested) {
        return Optional.of(requested.environment()).filter(e -> !e.isEmpty()).map(Environment::new);
    }

    /// Whether devices find their way to what it will issue: its root is the one that they know, or was introduced
    /// to them, and then there is a way from the one before as well.
    private Installed fits(Held held, AuthorityStore.Requested requested, List<X509Certificate> chain) {
        Optional<Authority> current = held.current(requested.purpose(), environment(requested));
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

    private Installed check(List<X509Certificate> chain, String keyName, Instant now) {
        if (chain.size() < 2) {
            return Installed.CHAIN_BROKEN;
        }
        byte[] key = chain.getFirst().getPublicKey().getEncoded();
        if (!Arrays.equals(key, Issuance.der(authorities.certificates().key(keyName)))) {
            return Installed.KEY_DIFFERS;
        }
        for (int i = 0; i < chain.size(); i++) {
            X509Certificate one = chain.get(i);
            X509Certificate above = chain.get(Math.min(i + 1, chain.size() - 1));
            boolean @org.jspecify.annotations.Nullable [] usage = one.getKeyUsage();
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

    /// The new issuer's certificate with those above it, as [#install] wants them, from PEM text in that order.
    ///
    /// @throws dev.holdfast.protocol.x509.X509FormatException when the text holds no certificates
    public static List<X509Certificate> chain(String pem) throws dev.holdfast.protocol.x509.X509FormatException {
        return Certificates.parsePem(pem);
    }
}
