package dev.holdfast.ca;

import dev.holdfast.config.ConfigurationException;
import dev.holdfast.core.Actor;
import dev.holdfast.core.Environment;
import dev.holdfast.database.Database;
import dev.holdfast.journal.Entry;
import dev.holdfast.journal.Journal;
import dev.holdfast.journal.Recorded;
import dev.holdfast.journal.Transaction;
import dev.holdfast.keys.SigningKeys;
import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.protocol.x509.KeyKind;
import java.io.IOException;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;

/// The authorities of this installation: one root, one issuer for our own listeners, and for each environment
/// one
/// issuer of device certificates at a time; earlier ones stay trusted until the last certificate of theirs
/// ends.
///
/// In memory on every node; the journal brings the news of new ones.
public final class Authorities {
    private final Database database;
    private final Journal journal;
    private final SigningKeys keys;
    private final AuthorityCertificates certificates;
    private final InstantSource clock;
    private volatile List<Authority> all = List.of();
    private volatile List<AuthorityStore.Cross> crosses = List.of();
    private volatile Set<String> notAdmitting = Set.of();

    /// Creates what is missing.
    ///
    /// @param kind of the keys that are made from now on
    /// @param urls the base of the URLs in certificates
    Authorities(
            Database database,
            Journal journal,
            SigningKeys keys,
            KeyKind kind,
            SecureRandom random,
            InstantSource clock,
            String urls,
            Environment environment)
            throws ConfigurationException {
        this.database = database;
        this.journal = journal;
        this.keys = keys;
        this.certificates = new AuthorityCertificates(keys, kind, random, urls);
        this.clock = clock;
        journal.obey(entry -> {
            if (entry.content().contains("\"kind\":\"authority.")) {
                reload();
            }
        });
        reload();
        if (all.isEmpty()) {
            createFirst();
        }
        requireKeys();
        ensureDevices(environment);
    }

    public List<Authority> all() {
        return all;
    }

    /// The root that was made here; the operator's own is above what hangs from it ([Authority#above]).
    public Authority root() {
        return all.stream()
                .filter(a -> a.purpose() == Authority.Purpose.ROOT && !a.isOperatorsRoot())
                .filter(a -> a.standing() == Authority.Standing.ACTIVE)
                .max(Comparator.comparingInt(Authority::generation))
                .orElseThrow();
    }

    /// Who issues our listeners' certificates.
    public Authority server() {
        return newest(Authority.Purpose.SERVER, Optional.empty()).orElseThrow();
    }

    /// Who issues the certificates of this environment's devices now.
    public Optional<Authority> devices(Environment environment) {
        return newest(Authority.Purpose.DEVICE, Optional.of(environment));
    }

    public Optional<Authority> find(String id) {
        return all.stream().filter(a -> a.id().equals(id)).findFirst();
    }

    /// What whoever asks for our authorities should know (RFC 7030 section 4.1.3): those that are trusted with
    /// what is
    /// above them, and while a root is replaced the certificates of each root for the other.
    public List<X509Certificate> published() {
        Set<X509Certificate> published = new LinkedHashSet<>();
        for (Authority authority : all) {
            if (authority.standing().isTrusted()) {
                published.addAll(authority.above());
                published.add(authority.certificate());
            }
        }
        for (AuthorityStore.Cross cross : crosses) {
            if (isTrusted(cross.subject()) && isTrusted(cross.issuer())) {
                published.add(cross.certificate());
            }
        }
        return List.copyOf(published);
    }

    /// The certificates that lead from this root to roots before it: for a listener, so that a device which
    /// knows only an earlier root finds its way (NewWithOld in RFC 4210 section 4.4).
    List<X509Certificate> backFrom(X509Certificate root) {
        return crosses.stream()
                .filter(cross -> find(cross.subject())
                        .filter(a ->
                                a.certificate().equals(root) && a.standing().isTrusted())
                        .isPresent())
                .filter(cross -> isTrusted(cross.issuer()) && generation(cross.issuer()) < generation(cross.subject()))
                .map(AuthorityStore.Cross::certificate)
                .toList();
    }

    /// Roots that are taking the place of another which is still trusted.
    public List<Authority> introduced() {
        return crosses.stream()
                .filter(cross -> isTrusted(cross.issuer()) && generation(cross.issuer()) < generation(cross.subject()))
                .flatMap(cross -> find(cross.subject()).stream())
                .filter(root -> root.standing().isTrusted())
                .distinct()
                .toList();
    }

    /// The certificate that one root has signed for another's key, by their names.
    public Optional<X509Certificate> cross(String subject, String issuer) {
        return crosses.stream()
                .filter(cross ->
                        cross.subject().equals(subject) && cross.issuer().equals(issuer))
                .map(AuthorityStore.Cross::certificate)
                .findFirst();
    }

    /// What has become of the certificates of authorities that this one has signed: issuers below it, and roots
    /// that it certified while one was replaced.
    public List<Authority.Signed> signedBy(Authority issuer) {
        List<Authority.Signed> signed = new ArrayList<>();
        for (Authority authority : all) {
            if (authority.isBelow(issuer)) {
                signed.add(Authority.Signed.of(authority.certificate(), authority, false));
            }
        }
        for (AuthorityStore.Cross cross : crosses) {
            if (cross.issuer().equals(issuer.id())) {
                find(cross.subject())
                        .ifPresent(subject -> signed.add(Authority.Signed.of(cross.certificate(), subject, true)));
            }
        }
        return List.copyOf(signed);
    }

    /// The authority that has signed this one's certificate, where it is ours and its key is here.
    public Optional<Authority> signer(Authority authority) {
        return all.stream().filter(authority::isBelow).filter(this::canSign).findFirst();
    }

    private int generation(String id) {
        return find(id).map(Authority::generation).orElse(0);
    }

    private boolean isTrusted(String id) {
        return find(id).filter(a -> a.standing().isTrusted()).isPresent();
    }

    /// Takes away again, after a restore, what was taken from an authority after the backup.
    ///
    /// @return whether it was one of ours and changed something
    public boolean replay(Transaction tx, Recorded entry) {
        String kind = entry.json().path("kind").asText();
        for (Authority.Standing to :
                List.of(Authority.Standing.RENEW_ONLY, Authority.Standing.RETIRED, Authority.Standing.DISTRUSTED)) {
            if (kind.equals("authority." + to.text())) {
                String id = entry.json().path("subject").asText().substring("authority:".length());
                return takeAway(tx, id, to, entry.json().path("reason").asText());
            }
        }
        return false;
    }

    private static boolean takeAway(Transaction tx, String id, Authority.Standing to, String why) {
        Optional<Authority> found = AuthorityStore.all(tx.sql()).stream()
                .filter(a -> a.id().equals(id) && a.standing().compareTo(to) < 0)
                .findFirst();
        if (found.isEmpty()
                || !AuthorityStore.setStanding(tx.sql(), id, found.get().standing(), to, tx.now())) {
            return false;
        }
        record(
                tx,
                "authority." + to.text(),
                found.get().with(to),
                new Actor.Holdfast("journal"),
                "again after a restore: " + why);
        return true;
    }

    /// Whether certificates of this authority are good for more than asking for their successors; cheap enough
    /// for every message.
    public boolean admits(String id) {
        return !notAdmitting.contains(id);
    }

    private Optional<Authority> newest(Authority.Purpose purpose, Optional<Environment> environment) {
        return all.stream()
                .filter(a -> a.purpose() == purpose && a.environment().equals(environment))
                .filter(a -> a.standing() == Authority.Standing.ACTIVE)
                .max(Comparator.comparingInt(Authority::generation));
    }

    /// The issuer of this environment's devices, made under our root where there is none.
    public Authority ensureDevices(Environment environment) {
        Optional<Authority> known = devices(environment);
        if (known.isPresent()) {
            return known.get();
        }
        String id = "device-" + environment + "-1";
        SubjectPublicKeyInfo key = certificates.key(id);
        journal.run(tx -> {
            if (AuthorityStore.nextGeneration(tx.sql(), Authority.Purpose.DEVICE, Optional.of(environment)) == 1) {
                add(
                        tx,
                        certificates.below(
                                root(),
                                id,
                                1,
                                Authority.Purpose.DEVICE,
                                Optional.of(environment),
                                key,
                                "Holdfast devices " + environment,
                                tx.now()));
            }
        });
        reload();
        return devices(environment).orElseThrow();
    }

    /// Root and listener issuer of a fresh installation, both or neither.
    private void createFirst() {
        SubjectPublicKeyInfo rootKey = certificates.key("root-1");
        SubjectPublicKeyInfo serverKey = certificates.key("server-1");
        journal.run(tx -> {
            if (!AuthorityStore.all(tx.sql()).isEmpty()) {
                return; // another node was first; whether we have its keys is looked at next
            }
            Authority root = certificates.selfSigned("root-1", 1, rootKey, tx.now());
            add(tx, root);
            add(
                    tx,
                    certificates.below(
                            root,
                            "server-1",
                            1,
                            Authority.Purpose.SERVER,
                            Optional.empty(),
                            serverKey,
                            "Holdfast servers",
                            tx.now()));
        });
        reload();
    }

    private void add(Transaction tx, Authority authority) {
        AuthorityStore.insert(tx.sql(), authority, tx.now());
        record(tx, "authority.created", authority, new Actor.Holdfast("ca"), "needed, and there was none yet");
    }

    static void record(Transaction tx, String kind, Authority authority, Actor actor, String reason) {
        tx.record(new Entry(
                kind,
                authority.environment().orElse(new Environment("all")),
                "authority:" + authority.id(),
                actor,
                reason,
                Map.of(
                        "fingerprint",
                        Certificates.fingerprint(authority.certificate()),
                        "subject",
                        authority.certificate().getSubjectX500Principal().getName(),
                        "notAfter",
                        authority.certificate().getNotAfter().toInstant().toString(),
                        "development",
                        authority.development())));
    }

    /// Whether the authority's key is here: a root's may have been taken away after its ceremony.
    public boolean canSign(Authority authority) {
        try {
            return !authority.isOperatorsRoot()
                    && keys.find(authority.keyName()).isPresent();
        } catch (IOException e) {
            return false;
        }
    }

    /// The scheme of this authority's signatures, as Java names it.
    public String scheme(Authority authority) {
        return authority.scheme();
    }

    /// Signs what a list of revoked certificates says, and nothing else: whoever asks for a signature over
    /// anything that might be read as a certificate is refused.
    ///
    /// @param contents TBSCertList (RFC 5280 section 5.1), DER
    public byte[] signList(Authority authority, byte[] contents) {
        if (!ListContents.isList(contents)) {
            throw new IllegalArgumentException("not the contents of a revocation list");
        }
        return keys.sign(authority.keyName(), contents);
    }

    AuthorityCertificates certificates() {
        return certificates;
    }

    SigningKeys keys() {
        return keys;
    }

    InstantSource clock() {
        return clock;
    }

    /// One at a time: a slow one must not put back what a later one has read.
    synchronized void reload() {
        List<Authority> now = database.read(AuthorityStore::all);
        crosses = database.read(AuthorityStore::crosses);
        notAdmitting = now.stream()
                .filter(a -> switch (a.standing()) {
                    case READY, ACTIVE -> false;
                    case RENEW_ONLY, RETIRED, DISTRUSTED -> true;
                })
                .map(Authority::id)
                .collect(Collectors.toUnmodifiableSet());
        all = List.copyOf(now);
    }

    /// A node whose keys are not those of the installation could not serve: it must say so before it starts.
    private void requireKeys() throws ConfigurationException {
        List<String> missing = new ArrayList<>();
        for (Authority authority : all) {
            if (authority.isOperatorsRoot()) {
                continue;
            }
            try {
                Optional<PublicKey> key = keys.find(authority.keyName());
                boolean fits = key.isPresent()
                        && Arrays.equals(
                                key.get().getEncoded(),
                                authority.certificate().getPublicKey().getEncoded());
                // A root whose key has been taken away after its ceremony is as it should be.
                boolean needed = (authority.purpose() != Authority.Purpose.ROOT || key.isPresent())
                        && authority.standing().isTrusted();
                if (needed && !fits) {
                    missing.add(authority.keyName() + ".key");
                }
            } catch (IOException e) {
                throw new ConfigurationException(
                        "a key of the certification authorities can't be used: " + e.getMessage(), e);
            }
        }
        if (!missing.isEmpty()) {
            throw new ConfigurationException("the database has certification authorities whose keys are not in "
                    + keys.describe() + " (" + String.join(", ", missing)
                    + "); copy that folder from the server that made them (or from its backup), mode 0600");
        }
    }
}
