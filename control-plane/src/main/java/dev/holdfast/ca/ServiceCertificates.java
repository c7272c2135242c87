package dev.holdfast.ca;

import dev.holdfast.core.Actor;
import dev.holdfast.core.Environment;
import dev.holdfast.journal.Journal;
import dev.holdfast.profiles.CertificateProfile;
import dev.holdfast.protocol.x509.Crypto;
import java.security.KeyPair;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;

/// Certificates of our own services that sign for everybody to see: OCSP responders and the time-stamping
/// authority.
///
/// Each node makes a key of its own for each, which never leaves its memory, and takes another one when it
/// starts again: there is no file to steal, and the authority's key, which may be in a hardware module,
/// signs once in days and not once for each question.
public final class ServiceCertificates {
    private final Journal journal;
    private final Issuance issuance;
    private final SecureRandom random;
    private final Environment environment;

    ServiceCertificates(Journal journal, Issuance issuance, SecureRandom random, Environment environment) {
        this.journal = journal;
        this.issuance = issuance;
        this.random = random;
        this.environment = environment;
    }

    /// @param above the certificates above it, nearest first, without the root
    /// @param renewAt when another one should be made
    public record Credential(
            PrivateKey key, X509Certificate certificate, List<X509Certificate> above, Instant renewAt) {
        public Credential {
            above = List.copyOf(above);
        }

        @Override
        public String toString() {
            return "the credential of " + certificate.getSubjectX500Principal();
        }
    }

    /// The usages there are certificates for here.
    public enum Service {
        STATUS("ocsp", CertificateProfile.Usage.OCSP_SIGNING),
        TIME("time", CertificateProfile.Usage.TIME_STAMPING),
        REGISTRATION("scep", CertificateProfile.Usage.REGISTRATION);

        private final String profile;
        private final CertificateProfile.Usage usage;

        Service(String profile, CertificateProfile.Usage usage) {
            this.profile = profile;
            this.usage = usage;
        }
    }

    /// A fresh key and its certificate, stored and journalled like every other. Blocks.
    public Credential issue(Authority authority, Service service, Duration lifetime) {
        KeyPair pair = Crypto.generateP256(random);
        X509Certificate stored = certify(authority, service, pair.getPublic(), lifetime);
        Instant from = stored.getNotBefore().toInstant();
        Duration life = Duration.between(from, stored.getNotAfter().toInstant());
        return new Credential(
                pair.getPrivate(),
                stored,
                above(authority),
                from.plus(life.multipliedBy(2).dividedBy(3)));
    }

    /// The certificate for a key that the service keeps itself. Blocks.
    public X509Certificate certify(Authority authority, Service service, PublicKey key, Duration lifetime) {
        CertificateProfile profile = CertificateProfile.of(service.profile, service.usage, lifetime, Duration.ZERO);
        ApprovedRequest request = new ApprovedRequest(
                authority.environment().orElse(environment),
                Optional.empty(),
                "Holdfast " + service.profile + " " + authority.id(),
                List.of("URI:urn:holdfast:" + service.profile + ":" + authority.id()),
                SubjectPublicKeyInfo.getInstance(key.getEncoded()),
                profile,
                "holdfast");
        Intended intended = journal.commit(tx -> issuance.intend(tx, authority, request));
        X509Certificate signed = issuance.sign(intended);
        return journal.commit(tx -> issuance.store(tx, intended, signed, new Actor.Holdfast("ca")))
                .orElseThrow();
    }

    private static List<X509Certificate> above(Authority authority) {
        List<X509Certificate> chain = new ArrayList<>();
        chain.add(authority.certificate());
        chain.addAll(authority.above());
        chain.removeIf(c -> c.getSubjectX500Principal().equals(c.getIssuerX500Principal()));
        return chain;
    }
}
