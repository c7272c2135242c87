package dev.holdfast.ca;

import dev.holdfast.core.Environment;
import dev.holdfast.keys.SigningKeys;
import dev.holdfast.profiles.CertificateProfile;
import dev.holdfast.protocol.x509.KeyKind;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.AuthorityKeyIdentifier;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;

/// Makes the keys and certificates of authorities: roots, issuers below them, and roots' certificates for each
/// other. What becomes of them is not its business.
final class AuthorityCertificates {
    private static final Duration ROOT_LIFETIME = Duration.ofDays(20 * 365L);
    private static final Duration ISSUER_LIFETIME = Duration.ofDays(5 * 365L);

    private final SigningKeys keys;
    private final KeyKind kind;
    private final SecureRandom random;
    private final String urls;
    private final Map<String, ReadIssuer> read = new ConcurrentHashMap<>();

    /// @param kind of the keys that are made from now on
    /// @param urls the base of the URLs in certificates
    AuthorityCertificates(SigningKeys keys, KeyKind kind, SecureRandom random, String urls) {
        this.keys = keys;
        this.kind = kind;
        this.random = random;
        this.urls = urls;
    }

    /// A root of ours. All generations have one name, so that their certificates for each other are self-issued
    /// and count for no path length (RFC 5280 section 4.2.1.9); their key ids tell them apart.
    Authority selfSigned(String id, int generation, SubjectPublicKeyInfo key, Instant now) {
        X500Name name = CertificateTemplate.authorityName("Holdfast root", true);
        Instant from = now.truncatedTo(ChronoUnit.SECONDS).minus(CertificateProfile.BACKDATED);
        X509Certificate certificate = CertificateTemplate.sign(
                CertificateTemplate.authority(
                        CertificateTemplate.serial(random),
                        name,
                        key,
                        new CertificateTemplate.Issuer(
                                id,
                                name,
                                key,
                                new AuthorityKeyIdentifier(CertificateTemplate.keyId(key)),
                                CertificateTemplate.scheme(key),
                                null),
                        from,
                        from.plus(ROOT_LIFETIME),
                        1),
                null,
                bytes -> keys.sign(id, bytes));
        return new Authority(
                id,
                Authority.Purpose.ROOT,
                Optional.empty(),
                generation,
                certificate,
                List.of(),
                id,
                true,
                Authority.Standing.ACTIVE,
                Optional.empty());
    }

    /// One root's certificate for the other's key.
    X509Certificate cross(Authority subject, Authority issuer, Instant now) {
        Instant from = now.truncatedTo(ChronoUnit.SECONDS).minus(CertificateProfile.BACKDATED);
        return CertificateTemplate.sign(
                CertificateTemplate.authority(
                        CertificateTemplate.serial(random),
                        issuer(subject).name(),
                        issuer(subject).publicKey(),
                        issuer(issuer),
                        from,
                        earlier(
                                subject.certificate().getNotAfter().toInstant(),
                                issuer.certificate().getNotAfter().toInstant()),
                        1),
                issuer.certificate(),
                bytes -> keys.sign(issuer.keyName(), bytes));
    }

    Authority below(
            Authority root,
            String id,
            int generation,
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
        return new Authority(
                id,
                purpose,
                environment,
                generation,
                certificate,
                List.of(root.certificate()),
                id,
                true,
                Authority.Standing.ACTIVE,
                Optional.empty());
    }

    /// Where an authority signs, its certificate's subject and key go into what it signs.
    CertificateTemplate.Issuer issuer(Authority authority) {
        X509Certificate certificate = authority.certificate();
        ReadIssuer known = read.get(authority.id());
        if (known == null || !known.certificate().equals(certificate)) {
            SubjectPublicKeyInfo key =
                    SubjectPublicKeyInfo.getInstance(certificate.getPublicKey().getEncoded());
            known = new ReadIssuer(
                    certificate,
                    new CertificateTemplate.Issuer(
                            authority.id(),
                            X500Name.getInstance(
                                    certificate.getSubjectX500Principal().getEncoded()),
                            key,
                            CertificateTemplate.keyId(certificate),
                            CertificateTemplate.scheme(key),
                            urls));
            read.put(authority.id(), known);
        }
        return known.issuer();
    }

    /// What is the same in everything that an authority signs, read once.
    private record ReadIssuer(X509Certificate certificate, CertificateTemplate.Issuer issuer) {}

    SubjectPublicKeyInfo key(String name) {
        try {
            return SubjectPublicKeyInfo.getInstance(keys.create(name, kind).getEncoded());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static Instant earlier(Instant a, Instant b) {
        return a.isBefore(b) ? a : b;
    }
}
