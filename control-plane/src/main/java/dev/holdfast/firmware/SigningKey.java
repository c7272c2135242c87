package dev.holdfast.firmware;

import java.time.Instant;
import java.util.Locale;
import java.util.Optional;

/// A release-signing key that an operator has registered as trusted. The private key was never here.
///
/// @param id SHA-256 of the public key's (manifest) or the certificate's (swu) DER, in hexadecimal
/// @param pem a public key or a certificate
public record SigningKey(
        String id, Kind kind, String name, String pem, Instant registeredAt, Optional<Instant> retiredAt) {
    public enum Kind {
        /// EC P-256, for our DSSE manifests.
        MANIFEST,
        /// The certificate that signs `sw-description` of SWUpdate images by CMS.
        SWU;

        public String text() {
            return name().toLowerCase(Locale.ROOT);
        }

        public static Kind of(String text) {
            return valueOf(text.toUpperCase(Locale.ROOT));
        }
    }
}
