package dev.holdfast.scep;

import dev.holdfast.ca.Authority;
import dev.holdfast.ca.Ca;
import dev.holdfast.ca.ServiceCertificates;
import dev.holdfast.config.DataFolderStore;
import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.protocol.x509.Crypto;
import dev.holdfast.protocol.x509.KeyKind;
import dev.holdfast.protocol.x509.Pem;
import dev.holdfast.protocol.x509.X509FormatException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Who opens SCEP's messages and signs its answers: an RSA key of its own, because SCEP's clients can encrypt
/// to no other, and because the authorities' keys are not for opening what strangers send.
///
/// Key and certificate lie among the data folder's secrets (under the passphrase where one is set): clients
/// remember the certificate, so it outlives a start, and nodes that share a database need the same key (copy
/// it, as `ca/`).
public final class RegistrationAuthority {
    private static final Duration LIFETIME = Duration.ofDays(365);
    private static final String KEY = "scep-key";
    private static final String CERTIFICATE = "scep-certificate";
    private static final String PUBLIC_KEY = "PUBLIC KEY";

    private final Ca ca;
    private final DataFolderStore folder;
    private final InstantSource clock;
    private final PrivateKey key;
    private final PublicKey publicKey;
    private @Nullable Credential current;

    public record Credential(PrivateKey key, X509Certificate certificate) {
        @Override
        public String toString() {
            return "the credential of " + certificate.getSubjectX500Principal();
        }
    }

    /// Reads its key, or makes it.
    ///
    /// @throws IOException when the key can't be read
    public RegistrationAuthority(Ca ca, DataFolderStore folder, InstantSource clock, SecureRandom random)
            throws IOException {
        this.ca = ca;
        this.folder = folder;
        this.clock = clock;
        String text = new String(
                folder.secret(KEY, () -> {
                    KeyPair fresh = Crypto.generate(KeyKind.RSA, random);
                    return (Pem.encode(Pem.PRIVATE_KEY, fresh.getPrivate().getEncoded())
                                    + Pem.encode(PUBLIC_KEY, fresh.getPublic().getEncoded()))
                            .getBytes(StandardCharsets.US_ASCII);
                }),
                StandardCharsets.US_ASCII);
        try {
            key = KeyFactory.getInstance("RSA")
                    .generatePrivate(new PKCS8EncodedKeySpec(
                            Pem.decode(Pem.PRIVATE_KEY, text).getFirst()));
            publicKey = Crypto.publicKey("RSA", Pem.decode(PUBLIC_KEY, text).getFirst());
        } catch (GeneralSecurityException | X509FormatException e) {
            throw new IOException("the registration authority's key is damaged", e);
        }
    }

    /// Its certificate, another one when a third of its life is left or its issuer has been replaced. Blocks.
    synchronized Credential credential() {
        Authority issuer = ca.authorities().server();
        Credential known = current;
        if (known == null) {
            known = kept();
        }
        if (known == null || !counts(known.certificate(), issuer)) {
            X509Certificate fresh = ca.serviceCertificates()
                    .certify(issuer, ServiceCertificates.Service.REGISTRATION, publicKey, LIFETIME);
            try {
                folder.writeSecret(CERTIFICATE, Certificates.pem(fresh).getBytes(StandardCharsets.US_ASCII));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            known = new Credential(key, fresh);
        }
        current = known;
        return known;
    }

    private @Nullable Credential kept() {
        try {
            byte @Nullable [] text = folder.readSecret(CERTIFICATE);
            if (text == null) {
                return null;
            }
            List<X509Certificate> all = Certificates.parsePem(new String(text, StandardCharsets.US_ASCII));
            return new Credential(key, all.getFirst());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (X509FormatException damaged) {
            return null; // another one is made
        }
    }

    private boolean counts(X509Certificate certificate, Authority issuer) {
        Instant from = certificate.getNotBefore().toInstant();
        Duration life = Duration.between(from, certificate.getNotAfter().toInstant());
        return clock.instant().isBefore(from.plus(life.multipliedBy(2).dividedBy(3)))
                && certificate
                        .getIssuerX500Principal()
                        .equals(issuer.certificate().getSubjectX500Principal())
                && Arrays.equals(certificate.getPublicKey().getEncoded(), publicKey.getEncoded());
    }
}
