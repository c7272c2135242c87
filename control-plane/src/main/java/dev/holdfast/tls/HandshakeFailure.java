package dev.holdfast.tls;

import java.time.Instant;

/// A TLS handshake that did not succeed, for the operator who asks why a device does not come in.
///
/// @param remoteAddress as our socket saw it
/// @param detail in a sentence, safe to show
/// @param subject of the certificate presented, as far as it could be read; else empty. It proves nothing.
/// @param serial of that certificate, lower-case hexadecimal; else empty
public record HandshakeFailure(
        Instant at, String remoteAddress, Cause cause, String detail, String subject, String serial) {
    public enum Cause {
        /// The chain does not lead to an authority of ours or to a registered manufacturer.
        ISSUER_UNKNOWN,
        /// It names an authority that we know, which never signed it.
        SIGNATURE_WRONG,
        /// Not for clients, a CA's, or with critical extensions that we don't know.
        CERTIFICATE_NOT_FOR_THIS_USE,
        CERTIFICATE_UNREADABLE,
        /// The client did not like our certificate: it does not know our root, or calls us by another name.
        CLIENT_REJECTED_OUR_CERTIFICATE,
        /// No common protocol version, cipher or signature scheme, or a malformed message.
        PROTOCOL_ERROR,
        /// The handshake went well, but the client showed no certificate where nobody comes in without.
        NO_CERTIFICATE,
        NOT_TLS,
        TIMED_OUT,
        CLOSED_BY_CLIENT
    }
}
