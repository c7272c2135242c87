package dev.holdfast.ca;

import dev.holdfast.config.ConfigurationException;
import dev.holdfast.core.Actor;
import dev.holdfast.core.Environment;
import dev.holdfast.database.Database;
import dev.holdfast.journal.Entry;
import dev.holdfast.journal.Journal;
import dev.holdfast.journal.Transaction;
import dev.holdfast.keys.SigningKeys;
import dev.holdfast.protocol.x509.Certificates;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;

/// The authorities of this installation: one root, one issuer for our own listeners, and for each environment
/// one
/// issuer of device certificates at a time; earlier ones stay trusted until the last certificate of theirs ends.
///
/// In memory on every node; the journal brings the news of new ones.
public final class Authorities {
    private static final Duration ROOT_LIFETIME = Duration.ofDays(20 * 365L);
    private static final Duration ISSUER_LIFETIME = Duration.ofDays(5 * 365L);

    private final Database database;
    private final Journal journal;
    private final SigningKeys keys;
    private final SecureRandom random;
    private final InstantSource clock;
    private final String urls;
    private volatile List<Authority> all = List.of();

    /// Creates what is missing.
    ///
    /// @param urls the base of the URLs in certificates
    Authorities(
            Database database,
            Journal journal,
            SigningKeys keys,
            SecureRandom random,
            InstantSource clock,
            String urls,
            Environment environment)
            throws ConfigurationException {
        this.database = database;
        this.journal = journal;
        this.keys = keys;
        this.random = random;
        this.clock = clock;
        this.urls = urls;
        journal.subscribe(entry -> {
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

    /// The root of our own; where the operator's own root is above an issuer, that one is in [Authority#above].
    public Authority root() {
        return newest(Authority.Purpose.ROOT, Optional.empty()).orElseThrow();
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

    private Optional<Authority> newest(Authority.Purpose purpose, Optional<Environment> environment) {
        return all.stream()
                .filter(a -> a.purpose() == purpose && a.environment().equals(environment))
                .max(Comparator.comparingInt(Authority::generation));
    }

    /// The issuer of this environment's devices, made under our root where there is none.
    public Authority ensureDevices(Environment environment) {
        Optional<Authority> known = devices(environment);
        if (known.isPresent()) {
            return known.get();
        }
        String id = "device-" + environment + "-1";
        SubjectPublicKeyInfo key = key(id);
        journal.run(tx -> {
            if (AuthorityStore.nextGeneration(tx.sql(), Authority.Purpose.DEVICE, Optional.of(environment)) == 1) {
                add(
                        tx,
                        below(
                                root(),
                                id,
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
        SubjectPublicKeyInfo rootKey = key("root-1");
        SubjectPublicKeyInfo serverKey = key("server-1");
        journal.run(tx -> {
            if (!AuthorityStore.all(tx.sql()).isEmpty()) {
                return; // another node was first; whether we have its keys is looked at next
            }
            X500Name name = CertificateTemplate.authorityName("Holdfast root", true);
            Instant from = tx.now().truncatedTo(ChronoUnit.SECONDS).minus(CertificateProfile.BACKDATED);
            X509Certificate certificate = CertificateTemplate.sign(
                    CertificateTemplate.authority(
                            CertificateTemplate.serial(random),
                            name,
                            rootKey,
                            new CertificateTemplate.Issuer("root-1", name, rootKey, null),
                            from,
                            from.plus(ROOT_LIFETIME),
                            1),
                    null,
                    bytes -> keys.sign("root-1", bytes));
            Authority root = new Authority(
                    "root-1", Authority.Purpose.ROOT, Optional.empty(), 1, certificate, List.of(), "root-1", true);
            add(tx, root);
            add(
                    tx,
                    below(
                            root,
                            "server-1",
                            Authority.Purpose.SERVER,
                            Optional.empty(),
                            serverKey,
                            "Holdfast servers",
                            tx.now()));
        });
        reload();
    }

    private Authority below(
            Authority root,
            String id,
            Authority.Purpose purpose,
            Optional<Environment> environment,
            SubjectPublicKeyInfo key,
            String name,
            Instant now) {
        Instant from = now.truncatedTo(ChronoUnit.SECONDS).minus(CertificateProfile.BACKDATED);
        X509Certificate certificate = CertificateTemplate.sign(
                CertificateTemplate.authority(
                        CertificateTemplate.serial(random),
                        CertificateTemplate.authorityName(name, true),
                        key,
                        issuer(root),
                        from,
                        earlier(
                                from.plus(ISSUER_LIFETIME),
                                root.certificate().getNotAfter().toInstant()),
                        0),
                root.certificate(),
                bytes -> keys.sign(root.keyName(), bytes));
        return new Authority(id, purpose, environment, 1, certificate, List.of(root.certificate()), id, true);
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

    /// Where an authority signs, its certificate's subject and key go into what it signs.
    CertificateTemplate.Issuer issuer(Authority authority) {
        return new CertificateTemplate.Issuer(
                authority.id(),
                X500Name.getInstance(
                        authority.certificate().getSubjectX500Principal().getEncoded()),
                SubjectPublicKeyInfo.getInstance(
                        authority.certificate().getPublicKey().getEncoded()),
                urls);
    }

    /// Whether the authority's key is here: a root's may have been taken away after its ceremony.
    public boolean canSign(Authority authority) {
        try {
            return keys.find(authority.keyName()).isPresent();
        } catch (IOException e) {
            return false;
        }
    }

    /// The scheme of this authority's signatures, as Java names it.
    public String scheme(Authority authority) {
        return CertificateTemplate.SCHEME;
    }

    /// Signs what a list of revoked certificates says, and nothing else: whoever asks for a signature over anything
    /// that might be read as a certificate is refused.
    ///
    /// @param contents TBSCertList (RFC 5280 section 5.1), DER
    public byte[] signList(Authority authority, byte[] contents) {
        if (!ListContents.isList(contents)) {
            throw new IllegalArgumentException("not the contents of a revocation list");
        }
        return keys.sign(authority.keyName(), contents);
    }

    SigningKeys keys() {
        return keys;
    }

    InstantSource clock() {
        return clock;
    }

    void reload() {
        all = List.copyOf(database.<List<Authority>>read(AuthorityStore::all));
    }

    /// A node whose keys are not those of the installation could not serve: it must say so before it starts.
    private void requireKeys() throws ConfigurationException {
        List<String> missing = new ArrayList<>();
        for (Authority authority : all) {
            try {
                Optional<PublicKey> key = keys.find(authority.keyName());
                boolean fits = key.isPresent()
                        && Arrays.equals(
                                key.get().getEncoded(),
                                authority.certificate().getPublicKey().getEncoded());
                // A root whose key has been taken away after its ceremony is as it should be.
                boolean needed = authority.purpose() != Authority.Purpose.ROOT || key.isPresent();
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

    SubjectPublicKeyInfo key(String name) {
        try {
            return SubjectPublicKeyInfo.getInstance(keys.create(name).getEncoded());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static Instant earlier(Instant a, Instant b) {
        return a.isBefore(b) ? a : b;
    }
}
