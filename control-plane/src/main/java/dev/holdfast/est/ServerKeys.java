package dev.holdfast.est;

import dev.holdfast.core.DeviceRef;
import dev.holdfast.identity.SharedSecrets;
import dev.holdfast.profiles.CertificateProfile;
import dev.holdfast.protocol.cms.KeyEnvelope;
import dev.holdfast.protocol.est.CsrAttributes;
import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.protocol.x509.Crypto;
import dev.holdfast.protocol.x509.KeyKind;
import dev.holdfast.protocol.x509.ServerKeyRequest;
import dev.holdfast.tls.PeerIdentity;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.Arrays;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.cert.bc.BcX509ExtensionUtils;

/// Keys for devices that can't make their own (RFC 7030 section 4.4): made, sent, forgotten. Nothing stores
/// or logs one; a device whose answer was lost asks again and gets another.
final class ServerKeys {
    private static final int AT_ONCE = 2; // an RSA key takes a second of a core
    private final SharedSecrets secrets;
    private final SecureRandom random;
    private final Semaphore places = new Semaphore(AT_ONCE);

    ServerKeys(SharedSecrets secrets, SecureRandom random) {
        this.secrets = secrets;
        this.random = random;
    }

    SecureRandom random() {
        return random;
    }

    /// The kind that it was asked with, where the profile takes that; else the profile's first choice.
    static KeyKind kind(ServerKeyRequest request, CertificateProfile profile) {
        return request.kind()
                .filter(kind -> profile.keys().kinds().contains(kind))
                .orElseGet(() -> CsrAttributes.preferred(profile.keys().kinds()));
    }

    /// @return empty when too many are being made at this moment
    Optional<KeyPair> make(KeyKind kind) {
        if (!places.tryAcquire()) {
            return Optional.empty();
        }
        try {
            return Optional.of(Crypto.generate(kind, random));
        } finally {
            places.release();
        }
    }

    /// To whom the key goes.
    sealed interface Protection {
        /// TLS alone protects it.
        record Channel() implements Protection {}

        record Envelope(KeyEnvelope.Recipient recipient) implements Protection {}

        record Unknown(String why) implements Protection {}
    }

    /// 1. A secret that both sides know (section 4.4.1.1): one of [SharedSecrets], this device's, still good;
    ///    it is not used up, because it gives nothing here.
    /// 2. A public key (section 4.4.1.2), by its identifier: that of the connection's certificate, or the one
    ///    that the request was made with.
    Protection protection(ServerKeyRequest request, Optional<DeviceRef> device, PeerIdentity peer, Instant now) {
        if (request.symmetricKeyId().isPresent() && request.asymmetricKeyId().isPresent()) {
            return new Protection.Unknown("encrypt by a secret or by a public key, not both");
        }
        if (request.symmetricKeyId().isPresent()) {
            byte[] id = request.symmetricKeyId().get();
            return secrets.find(new String(id, StandardCharsets.US_ASCII))
                    .filter(s ->
                            device.equals(Optional.of(s.device())) && !s.withdrawn() && now.isBefore(s.expiresAt()))
                    .<Protection>map(s -> new Protection.Envelope(new KeyEnvelope.Recipient.Secret(id, s.octets())))
                    .orElseGet(() -> new Protection.Unknown("no such shared secret of this device"));
        }
        if (request.asymmetricKeyId().isPresent()) {
            byte[] id = request.asymmetricKeyId().get();
            return peer.leaf()
                    .filter(leaf -> leaf.getExtensionValue(Extension.subjectKeyIdentifier.getId()) != null
                            && Arrays.equals(Certificates.subjectKeyId(leaf), id))
                    .map(X509Certificate::getPublicKey)
                    .or(() -> own(request.askedWith(), id))
                    .filter(KeyEnvelope::canEncryptTo)
                    .<Protection>map(key -> new Protection.Envelope(new KeyEnvelope.Recipient.Key(id, key)))
                    .orElseGet(() -> new Protection.Unknown(
                            "no EC or RSA key with this identifier: use that of the client certificate, or of the"
                                    + " request's own key (RFC 5280 section 4.2.1.2, method 1)"));
        }
        return new Protection.Channel();
    }

    private static Optional<PublicKey> own(SubjectPublicKeyInfo asked, byte[] id) {
        try {
            byte[] usual =
                    new BcX509ExtensionUtils().createSubjectKeyIdentifier(asked).getKeyIdentifier();
            return !Arrays.equals(usual, id)
                    ? Optional.empty()
                    : Crypto.algorithm(asked.getAlgorithm()).flatMap(name -> key(name, asked));
        } catch (RuntimeException malformed) {
            return Optional.empty();
        }
    }

    private static Optional<PublicKey> key(String algorithm, SubjectPublicKeyInfo info) {
        try {
            return Optional.of(Crypto.publicKey(algorithm, info.getEncoded()));
        } catch (GeneralSecurityException | java.io.IOException e) {
            return Optional.empty();
        }
    }
}
