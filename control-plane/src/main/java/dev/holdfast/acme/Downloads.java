package dev.holdfast.acme;

import dev.holdfast.ca.Authority;
import dev.holdfast.ca.Ca;
import dev.holdfast.ca.CertificateLifecycle;
import dev.holdfast.ca.IssuedCertificate;
import dev.holdfast.ca.RevocationReason;
import dev.holdfast.core.Serial;
import dev.holdfast.identity.Identity;
import dev.holdfast.protocol.acme.AcmeException;
import dev.holdfast.protocol.acme.AcmeKey;
import dev.holdfast.protocol.acme.AcmePayload;
import dev.holdfast.protocol.acme.AcmeProblem;
import dev.holdfast.protocol.acme.CertificateId;
import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.protocol.x509.Pem;
import dev.holdfast.protocol.x509.X509FormatException;
import java.math.BigInteger;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.Optional;
import java.util.function.Function;

/// What becomes of certificates after their orders: downloaded, revoked, renewed.
final class Downloads {
    private final Identity identity;
    private final Ca ca;
    private final Function<Serial, Optional<Instant>> renewAt;
    private final InstantSource clock;

    /// @param renewAt when a certificate is to be renewed; empty for one that does not count any more
    Downloads(Identity identity, Ca ca, Function<Serial, Optional<Instant>> renewAt, InstantSource clock) {
        this.renewAt = renewAt;
        this.identity = identity;
        this.ca = ca;
        this.clock = clock;
    }

    /// RFC 8555 section 7.4.2: the certificate and what is above it, each certifying the one before.
    ///
    /// @param withRoot whether the chain ends with the root, as some programs want it, or before, as TLS
    ///     wants it
    String chain(Account account, String hex, boolean withRoot) throws AcmeException {
        IssuedCertificate found = serial(hex)
                .flatMap(identity::certificate)
                .filter(c -> c.device().equals(Optional.of(account.device()))
                        && c.der().isPresent())
                .orElseThrow(() -> new AcmeException(AcmeProblem.MALFORMED, "this account has no such certificate"));
        StringBuilder pem =
                new StringBuilder(Pem.encode(Pem.CERTIFICATE, found.der().orElseThrow()));
        Authority authority = ca.authorities().find(found.authority()).orElseThrow();
        add(pem, authority.certificate(), withRoot);
        authority.above().forEach(above -> add(pem, above, withRoot));
        return pem.toString();
    }

    private static void add(StringBuilder pem, X509Certificate certificate, boolean withRoot) {
        boolean root = certificate.getSubjectX500Principal().equals(certificate.getIssuerX500Principal());
        if (!root || withRoot) {
            pem.append(Certificates.pem(certificate));
        }
    }

    private static Optional<Serial> serial(String hex) {
        return hex.matches("[0-9a-f]{1,40}") ? Optional.of(new Serial(hex)) : Optional.empty();
    }

    /// Section 7.6: by an account of the certificate's device, or by the certificate's own key.
    ///
    /// @param account empty where the certificate's key signed the request
    void revoke(Optional<Account> account, Optional<AcmeKey> key, byte[] payload) throws AcmeException {
        AcmePayload.Revocation wish = AcmePayload.Revocation.parse(payload);
        RevocationReason reason = reason(wish.reason());
        IssuedCertificate found = issued(wish.certificate());
        boolean own = account.isPresent()
                ? found.device().equals(Optional.of(account.get().device()))
                : found.device().isPresent() && key.isPresent() && isKeyOf(key.get(), wish.certificate());
        if (!own) {
            throw new AcmeException(
                    AcmeProblem.UNAUTHORIZED,
                    "only an account of the certificate's device, or the certificate's own key, may revoke it");
        }
        CertificateLifecycle.Revocation done = identity.revoke(
                found.serial(),
                reason,
                account.isPresent() ? "its device's ACME account asked for it" : "its own key asked for it",
                Accounts.actor(found.device().orElseThrow()));
        switch (done) {
            case REVOKED -> {}
            case ALREADY_REVOKED -> throw new AcmeException(AcmeProblem.ALREADY_REVOKED, "it was revoked before");
            case UNKNOWN -> throw new AcmeException(AcmeProblem.MALFORMED, "no such certificate");
        }
    }

    private IssuedCertificate issued(byte[] der) throws AcmeException {
        BigInteger number = parse(der).getSerialNumber();
        Optional<IssuedCertificate> found = number.signum() <= 0 || number.bitLength() > 160
                ? Optional.empty()
                : identity.certificate(Serial.of(number));
        return found.filter(c -> c.der().map(d -> Arrays.equals(d, der)).orElse(false))
                .orElseThrow(() -> new AcmeException(AcmeProblem.MALFORMED, "no such certificate was issued here"));
    }

    private static boolean isKeyOf(AcmeKey key, byte[] der) throws AcmeException {
        return Arrays.equals(
                parse(der).getPublicKey().getEncoded(), key.publicKey().getEncoded());
    }

    private static X509Certificate parse(byte[] der) throws AcmeException {
        try {
            return Certificates.parse(der);
        } catch (X509FormatException e) {
            throw new AcmeException(AcmeProblem.MALFORMED, "'certificate' is not one in DER");
        }
    }

    /// What a holder may say of its own certificate; on hold, and withdrawn privileges, are for operators to
    /// say.
    private static RevocationReason reason(int code) throws AcmeException {
        return switch (code) {
            case 0 -> RevocationReason.UNSPECIFIED;
            case 1 -> RevocationReason.KEY_COMPROMISE;
            case 3 -> RevocationReason.AFFILIATION_CHANGED;
            case 4 -> RevocationReason.SUPERSEDED;
            case 5 -> RevocationReason.CESSATION_OF_OPERATION;
            default ->
                throw new AcmeException(
                        AcmeProblem.BAD_REVOCATION_REASON, "reasons to give are 0, 1, 3, 4 and 5 (RFC 5280 5.3.1)");
        };
    }

    /// RFC 9773 section 4.1; nobody has to say who they are.
    ///
    /// @return empty where there is no such certificate of a device's
    Optional<RenewalWindow> renewal(String text) throws AcmeException {
        CertificateId id = CertificateId.parse(text);
        Optional<IssuedCertificate> found = id.serial().bitLength() > 160
                ? Optional.empty()
                : identity.certificate(Serial.of(id.serial()))
                        .filter(c -> c.device().isPresent() && c.der().isPresent());
        if (found.isEmpty()
                || !CertificateId.of(parse(found.get().der().orElseThrow())).equals(id)) {
            return Optional.empty();
        }
        IssuedCertificate certificate = found.get();
        return Optional.of(renewAt.apply(certificate.serial())
                .filter(_ -> !certificate.held())
                .map(at -> RenewalWindow.of(at, certificate.notAfter()))
                .orElseGet(() -> RenewalWindow.overdue(clock.instant())));
    }
}
