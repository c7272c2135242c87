package dev.holdfast.identity;

import dev.holdfast.core.DeviceId;
import dev.holdfast.profiles.CertificateProfile.CredentialKind;
import java.security.cert.X509Certificate;
import java.util.Optional;

/// By what a request for a certificate says that it may be made.
public sealed interface Credential {
    /// A one-time token, as EST's Basic authentication and SCEP's challenge carry it.
    record Token(DeviceId device, String secret) implements Credential {
        @Override
        public String toString() {
            return "Token[" + device + "]";
        }
    }

    /// A secret of [SharedSecrets]; the protocol has checked the MAC that was made with it.
    ///
    /// @param device whom the request names; the secret must be that device's
    record SharedSecret(DeviceId device, String secretId) implements Credential {}

    /// An account that a shared secret bound to its device before (ACME); the protocol has checked its
    /// signature.
    record Account(DeviceId device, String account) implements Credential {}

    /// A TPM that says it is this device's and that the requested key is in it.
    record Tpm(DeviceId device, TpmEvidence evidence) implements Credential {
        @Override
        public String toString() {
            return "Tpm[" + device + "]";
        }
    }

    /// An initial device identity; its key is proven (by the handshake, or the signature of the message), and
    /// that it
    /// leads to this anchor.
    ///
    /// @param anchor SHA-256 of the anchor's certificate
    record Manufacturer(X509Certificate leaf, String anchor) implements Credential {}

    /// The certificate that a batch of devices shares to claim their own with; its key is proven by the
    /// handshake.
    ///
    /// @param device whom the request names
    record Claim(X509Certificate leaf, DeviceId device) implements Credential {}

    /// A certificate that we issued; its key is proven (by the handshake, or the signature of the message).
    record Operational(X509Certificate leaf) implements Credential {}

    /// Which of those a profile may accept; empty for renewal, which needs no permission.
    default Optional<CredentialKind> kind() {
        return switch (this) {
            case Token _ -> Optional.of(CredentialKind.TOKEN);
            case SharedSecret _ -> Optional.of(CredentialKind.SHARED_SECRET);
            case Account _ -> Optional.of(CredentialKind.ACCOUNT);
            case Tpm _ -> Optional.of(CredentialKind.TPM);
            case Manufacturer _ -> Optional.of(CredentialKind.MANUFACTURER);
            case Claim _ -> Optional.of(CredentialKind.CLAIM);
            case Operational _ -> Optional.empty();
        };
    }

    /// As journal and API write it.
    default String text() {
        return kind().map(CredentialKind::text).orElse("certificate");
    }
}
