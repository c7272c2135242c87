package dev.holdfast.ca;

import dev.holdfast.core.Actor;
import dev.holdfast.core.DeviceId;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Environment;
import dev.holdfast.core.Serial;
import dev.holdfast.database.Database;
import dev.holdfast.journal.Entry;
import dev.holdfast.journal.Transaction;
import dev.holdfast.profiles.CertificateProfile;
import dev.holdfast.protocol.x509.Certificates;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.bouncycastle.asn1.ASN1Encoding;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;

/// Issuing certificates, and finding them again.
///
/// Where the authority's key signs quickly, a certificate is granted, signed and stored in one transaction
/// ([#issue]): a crash before its end leaves nothing, and nobody has seen the signature.
///
/// Elsewhere issuing has three steps, so that a crash at any point loses nothing and does nothing twice:
/// 1. [#intend]: serial, contents and validity are stored, in the transaction that grants them;
/// 2. [#sign]: the lint, then the signature, over the stored contents; may be done again with the same result
///    but for the signature's own randomness, because nobody has seen the first;
/// 3. [#store]: the signed certificate is stored and journalled, once: only while it is still intended.
public final class Issuance {
    private final Database database;
    private final Authorities authorities;
    private final SecureRandom random;
    private final ListParts parts = new ListParts();

    Issuance(Database database, Authorities authorities, SecureRandom random) {
        this.database = database;
        this.authorities = authorities;
        this.random = random;
    }

    /// Whether certificates of this environment's devices may be made by [#issue].
    public boolean isQuick(Environment environment) {
        return authorities
                .devices(environment)
                .filter(authority -> authorities.keys().isQuick(authority.keyName()))
                .isPresent();
    }

    /// Serial, contents and validity, for [#issue] or [#intend]; nothing is stored yet.
    public Intended plan(Transaction tx, ApprovedRequest request) {
        return plan(tx, issuer(request), request);
    }

    /// All three steps at once. A device's key is bound to it for ever in the same transaction.
    ///
    /// @return the certificate, which counts once the transaction is durable: nobody may see it before
    /// @throws IllegalStateException when the key belongs to another device; policy has looked before
    public X509Certificate issue(Transaction tx, Intended planned, Actor actor) {
        X509Certificate signed = sign(planned);
        bind(tx, planned, Optional.of(signed));
        tx.record(entry(planned, signed, actor));
        return signed;
    }

    /// Step 1. A device's key is bound to it for ever in the same transaction.
    ///
    /// @throws IllegalStateException when the key belongs to another device; policy has looked before
    public void intend(Transaction tx, Intended planned) {
        bind(tx, planned, Optional.empty());
    }

    /// Step 1, by an authority that is given.
    Intended intend(Transaction tx, Authority authority, ApprovedRequest request) {
        Intended planned = plan(tx, authority, request);
        intend(tx, planned);
        return planned;
    }

    /// Step 1, by the authority that is there for such a request.
    Intended intend(Transaction tx, ApprovedRequest request) {
        return intend(tx, issuer(request), request);
    }

    private Authority issuer(ApprovedRequest request) {
        return request.device().isPresent()
                ? authorities
                        .devices(request.environment())
                        .orElseThrow(
                                () -> new IllegalStateException("no issuer for environment " + request.environment()))
                : authorities.server();
    }

    private static void bind(Transaction tx, Intended intended, Optional<X509Certificate> signed) {
        if (!CertificateStore.insert(tx.sql(), intended, signed, tx.now())) {
            throw new IllegalStateException("the key of " + intended.name() + " belongs to another device");
        }
    }

    private Intended plan(Transaction tx, Authority authority, ApprovedRequest request) {
        Instant now = tx.now().truncatedTo(ChronoUnit.SECONDS);
        Serial serial = CertificateTemplate.serial(random);
        Instant notAfter = AuthorityCertificates.earlier(
                now.plus(lifetime(request.profile().validity())),
                authority.certificate().getNotAfter().toInstant());
        return new Intended(
                serial,
                authority.id(),
                request.profile().name(),
                request.profile().usages(),
                request.environment(),
                request.device(),
                request.name(),
                request.alternativeNames(),
                request.publicKey(),
                later(
                        now.minus(request.profile().validity().backdated()),
                        authority.certificate().getNotBefore().toInstant()),
                notAfter,
                RenewalSchedule.renewAt(serial, now, notAfter),
                request.grantedBy(),
                parts.place(tx.sql()));
    }

    /// The profile's lifetime, less a share of it by chance.
    private Duration lifetime(CertificateProfile.Validity validity) {
        long most = validity.lifetime().toSeconds() * validity.jitterPercent() / 100;
        return validity.lifetime().minusSeconds(most == 0 ? 0 : random.nextLong(most + 1));
    }

    private static Instant later(Instant a, Instant b) {
        return a.isAfter(b) ? a : b;
    }

    /// Step 2. No database.
    public X509Certificate sign(Intended intended) {
        Authority authority = authorities.find(intended.authority()).orElseThrow();
        return CertificateTemplate.sign(
                CertificateTemplate.leaf(intended, authorities.certificates().issuer(authority)),
                authority.certificate(),
                bytes -> authorities.keys().sign(authority.keyName(), bytes));
    }

    /// Step 3.
    ///
    /// @return what is stored now: another one with the same contents when somebody else finished it first,
    /// none when     it was revoked meanwhile
    public Optional<X509Certificate> store(
            Transaction tx, Intended intended, X509Certificate certificate, Actor actor) {
        if (!CertificateStore.issued(
                tx.sql(), intended.serial(), Certificates.der(certificate), intended.whenSigned(), tx.now())) {
            return stored(tx, intended.serial());
        }
        tx.record(entry(intended, certificate, actor));
        return Optional.of(certificate);
    }

    private static Entry entry(Intended intended, X509Certificate certificate, Actor actor) {
        return new Entry(
                "certificate.issued",
                intended.environment(),
                subject(intended.device(), intended.name()),
                actor,
                "granted to its " + intended.grantedBy(),
                Map.of(
                        "serial", intended.serial().hex(),
                        "authority", intended.authority(),
                        "profile", intended.profile(),
                        "state", intended.whenSigned().text(),
                        "key", fingerprint(intended.publicKey()),
                        "fingerprint", Certificates.fingerprint(certificate),
                        "notBefore", intended.notBefore().toString(),
                        "notAfter", intended.notAfter().toString()));
    }

    /// The certificate as it was signed; empty while it is only intended.
    public Optional<X509Certificate> stored(Transaction tx, Serial serial) {
        return CertificateStore.find(tx.sql(), serial)
                .flatMap(IssuedCertificate::der)
                .map(Issuance::parse);
    }

    /// When the device should ask for the successor of this certificate, as it is now.
    public Optional<Instant> renewAt(Transaction tx, Serial serial) {
        return CertificateStore.find(tx.sql(), serial).flatMap(IssuedCertificate::renewAt);
    }

    /// What is known of a key.
    ///
    /// @param owner to whom it belongs
    /// @param revoked a certificate of it was revoked
    /// @param repeatable the certificate that this device was granted for this very key and has not used yet
    public record KnownKey(Optional<DeviceRef> owner, boolean revoked, Optional<Serial> repeatable) {}

    /// @param device who asks, as far as that is known
    public KnownKey knownKey(Transaction tx, SubjectPublicKeyInfo publicKey, Optional<DeviceRef> device) {
        return CertificateStore.knownKey(tx.sql(), fingerprint(publicKey), device);
    }

    public Optional<Intended> intended(Transaction tx, Serial serial) {
        return CertificateStore.intended(tx.sql(), serial);
    }

    /// Granted to devices and, because a crash came between, not signed yet.
    public List<Serial> unfinished() {
        return database.read(CertificateStore::intendedSerials);
    }

    public Optional<IssuedCertificate> find(Serial serial) {
        return database.read(sql -> CertificateStore.find(sql, serial));
    }

    public Optional<IssuedCertificate> lock(Transaction tx, Serial serial) {
        return CertificateStore.lock(tx.sql(), serial);
    }

    /// All of the device's, newest first.
    public List<IssuedCertificate> of(DeviceRef device) {
        return database.read(sql -> CertificateStore.ofDevice(sql, device));
    }

    /// Where a page of [#list] ended.
    public record Position(Instant notBefore, String serial) {
        public static final Position FIRST = new Position(Instant.parse("9999-01-01T00:00:00Z"), "");

        public static Position of(IssuedCertificate last) {
            return new Position(last.notBefore(), last.serial().hex());
        }
    }

    /// The certificates of an environment's devices, those that begin last first.
    public List<IssuedCertificate> list(Environment environment, Optional<DeviceId> device, Position after, int limit) {
        return database.read(sql -> CertificateStore.list(sql, environment, device, after, limit));
    }

    /// Those that count and end before this time, soonest first.
    public List<IssuedCertificate> endingBefore(Environment environment, Instant before, int limit) {
        return database.read(sql -> CertificateStore.endingBefore(sql, environment, before, limit));
    }

    static String subject(Optional<DeviceRef> device, String name) {
        return device.map(d -> "device:" + d.id()).orElse("listener:" + name);
    }

    static byte[] der(SubjectPublicKeyInfo key) {
        try {
            return key.getEncoded(ASN1Encoding.DER);
        } catch (java.io.IOException e) {
            throw new IllegalStateException("a public key that can't be encoded", e);
        }
    }

    /// The name of a key: SHA-256 over its SubjectPublicKeyInfo.
    public static String fingerprint(SubjectPublicKeyInfo key) {
        return Certificates.keyFingerprint(der(key));
    }

    static X509Certificate parse(byte[] der) {
        try {
            return Certificates.parse(der);
        } catch (dev.holdfast.protocol.x509.X509FormatException e) {
            throw new IllegalStateException("a stored certificate can't be read", e);
        }
    }
}
