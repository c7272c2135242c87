package dev.holdfast.tls;

import java.security.cert.X509Certificate;
import java.util.Optional;

/// Who a connection says it is, as far as cryptography goes: the key was proven in the handshake and the chain
/// leads
/// to an authority we know. Whether it may come in is another question, which `identity` answers.
///
/// @param leaf parsed once per connection; empty exactly for [PeerClass#NONE]
/// @param anchor fingerprint (SHA-256, hexadecimal) of the manufacturer's anchor, for those who came under one
/// @param remoteAddress as our socket sees it
public record PeerIdentity(
        PeerClass peerClass, Optional<X509Certificate> leaf, Optional<String> anchor, String remoteAddress) {

    public static PeerIdentity none(String remoteAddress) {
        return new PeerIdentity(PeerClass.NONE, Optional.empty(), Optional.empty(), remoteAddress);
    }
}
