package dev.holdfast.ca;

import dev.holdfast.config.Configuration;
import dev.holdfast.core.Actor;
import dev.holdfast.core.Environment;
import dev.holdfast.journal.Journal;
import dev.holdfast.keys.FileKeyStore;
import dev.holdfast.profiles.CertificateProfile;
import dev.holdfast.protocol.x509.CertificationRequest;
import dev.holdfast.protocol.x509.CertificationRequestException;
import dev.holdfast.protocol.x509.X509FormatException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.KeyPair;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;

/// The certificates of our own listeners: made at the first start, kept in the keys' folder, made again when
/// the names change or two thirds of the life are over.
public final class ServerCertificateStore {
    /// The common name of whom devices hear by CMP.
    public static final String MESSAGE_SIGNER = "Holdfast CMP";

    /// What else it is called.
    static final String MESSAGE_SIGNER_NAME = "URI:urn:holdfast:cmp";

    private final Path folder;
    private final FileKeyStore keys;
    private final Journal journal;
    private final Issuance issuance;
    private final Authorities authorities;
    private final CertificateProfile profile;
    private final Environment environment;

    /// @param chain the listener's certificate, then its issuer; the root is what clients must know already
    public record Credential(PrivateKey key, List<X509Certificate> chain) {
        public Credential {
            chain = List.copyOf(chain);
        }

        /// Without the key.
        @Override
        public String toString() {
            return "Credential[" + chain.getFirst().getSubjectX500Principal() + "]";
        }
    }

    ServerCertificateStore(
            Path folder,
            FileKeyStore keys,
            Journal journal,
            Issuance issuance,
            Authorities authorities,
            CertificateProfile profile,
            Environment environment) {
        this.folder = folder;
        this.keys = keys;
        this.journal = journal;
        this.issuance = issuance;
        this.authorities = authorities;
        this.profile = profile;
        this.environment = environment;
    }

    /// The credential of the listener, ready for use now.
    ///
    /// @param names `DNS:...` and `IP:...`; the first is the common name
    public Credential credential(String listener, List<String> names, Instant now) throws IOException {
        String name = names.getFirst().substring(names.getFirst().indexOf(':') + 1);
        return credential(listener, name, names, profile, now);
    }

    /// The credential that signs our answers to CMP. No device can have its name, which has a space.
    public Credential messageSigner(Instant now) throws IOException {
        CertificateProfile signer = CertificateProfile.of(
                "cmp",
                CertificateProfile.Usage.CMP_AUTHORITY,
                profile.validity().lifetime(),
                Duration.ZERO);
        return credential("cmp", MESSAGE_SIGNER, List.of(MESSAGE_SIGNER_NAME), signer, now);
    }

    private Credential credential(String listener, String name, List<String> names, CertificateProfile by, Instant now)
            throws IOException {
        KeyPair pair = keys.pair("listener-" + listener);
        Authority issuer = authorities.server();
        Optional<X509Certificate> known = read(listener);
        if (known.isPresent() && good(known.get(), pair, issuer, names, now)) {
            return new Credential(pair.getPrivate(), chain(known.get(), issuer));
        }
        ApprovedRequest request =
                new ApprovedRequest(environment, Optional.empty(), name, names, proven(name, pair), by, "holdfast");
        Intended intended = journal.commit(tx -> issuance.intend(tx, request));
        X509Certificate signed = issuance.sign(intended);
        X509Certificate stored = journal.commit(tx -> issuance.store(tx, intended, signed, new Actor.Holdfast("ca")))
                .orElseThrow();
        write(listener, stored);
        return new Credential(pair.getPrivate(), chain(stored, issuer));
    }

    /// Without the root, which a client has already or does not trust anyway; while a root is replaced, with
    /// the way back to the one before.
    private List<X509Certificate> chain(X509Certificate leaf, Authority issuer) {
        List<X509Certificate> chain = new ArrayList<>(List.of(leaf, issuer.certificate()));
        issuer.above().stream()
                .filter(c -> !c.getSubjectX500Principal().equals(c.getIssuerX500Principal()))
                .forEach(chain::add);
        if (!issuer.above().isEmpty()) {
            chain.addAll(authorities.backFrom(issuer.above().getLast()));
        }
        return chain;
    }

    /// The names that our listeners' certificate has: the public host name, and the loopback names for those on the
    /// same
    /// machine.
    public static List<String> names(Configuration configuration) {
        Set<String> names = new LinkedHashSet<>();
        if (configuration.publicHostName() != null) {
            names.add(
                    configuration.publicHostName().matches("[0-9.]+|[0-9a-fA-F:]*:[0-9a-fA-F:]*")
                            ? "IP:" + configuration.publicHostName()
                            : "DNS:" + configuration.publicHostName());
        }
        names.add("DNS:localhost");
        names.add("IP:127.0.0.1");
        return new ArrayList<>(names);
    }

    /// When the credential should be asked for again.
    public static Instant renewAt(Credential credential) {
        X509Certificate leaf = credential.chain().getFirst();
        Instant from = leaf.getNotBefore().toInstant();
        return from.plus(Duration.between(from, leaf.getNotAfter().toInstant())
                .multipliedBy(2)
                .dividedBy(3));
    }

    private static SubjectPublicKeyInfo proven(String name, KeyPair pair) {
        try {
            return CertificationRequest.verify(CertificationRequest.create(name, pair))
                    .publicKeyInfo();
        } catch (CertificationRequestException e) {
            throw new IllegalStateException("our own request is not right", e);
        }
    }

    private static boolean good(
            X509Certificate known, KeyPair pair, Authority issuer, List<String> names, Instant now) {
        return known.getIssuerX500Principal().equals(issuer.certificate().getSubjectX500Principal())
                && Arrays.equals(
                        known.getPublicKey().getEncoded(), pair.getPublic().getEncoded())
                && Arrays.equals(known.getExtensionValue("2.5.29.17"), CertificateTemplate.alternativeNames(names))
                && now.isBefore(renewAt(new Credential(pair.getPrivate(), List.of(known))))
                && dev.holdfast.protocol.x509.Crypto.verify(
                        issuer.certificate().getPublicKey(), issuer.scheme(), tbs(known), known.getSignature());
    }

    private static byte[] tbs(X509Certificate certificate) {
        try {
            return certificate.getTBSCertificate();
        } catch (java.security.cert.CertificateEncodingException e) {
            throw new IllegalStateException("a parsed certificate has no encoding", e);
        }
    }

    private Optional<X509Certificate> read(String listener) throws IOException {
        Path file = folder.resolve("listener-" + listener + ".pem");
        if (!Files.exists(file)) {
            return Optional.empty();
        }
        try {
            return Optional.of(dev.holdfast.protocol.x509.Certificates.parsePem(Files.readString(file))
                    .getFirst());
        } catch (X509FormatException damaged) {
            return Optional.empty();
        }
    }

    private void write(String listener, X509Certificate certificate) throws IOException {
        Path file = folder.resolve("listener-" + listener + ".pem");
        Path fresh = folder.resolve("listener-" + listener + ".pem.new");
        Files.write(
                fresh, dev.holdfast.protocol.x509.Certificates.pem(certificate).getBytes(StandardCharsets.US_ASCII));
        Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }
}
