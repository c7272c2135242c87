package dev.holdfast.identity;

import dev.holdfast.core.DeviceId;
import java.security.cert.X509Certificate;

/// By what a request for a certificate says that it may be made.
public sealed interface Credential {
    /// A one-time token, as EST's Basic authentication carries it.
    record Token(DeviceId device, String secret) implements Credential {
        @Override
        public String toString() {
            return "Token[" + device + "]";
        }
    }

    /// An initial device identity; the handshake has proven its key and that it leads to this anchor.
    ///
    /// @param anchor SHA-256 of the anchor's certificate
    record Manufacturer(X509Certificate leaf, String anchor) implements Credential {}

    /// A certificate that we issued; the handshake has proven its key.
    record Operational(X509Certificate leaf) implements Credential {}
}
