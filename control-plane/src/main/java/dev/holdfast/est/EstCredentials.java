package dev.holdfast.est;

import dev.holdfast.core.DeviceId;
import dev.holdfast.identity.Credential;
import dev.holdfast.protocol.x509.ServerKeyRequest;
import dev.holdfast.tls.PeerIdentity;
import io.vertx.core.http.HttpServerRequest;
import java.nio.charset.StandardCharsets;
import java.security.cert.X509Certificate;
import java.util.Base64;
import java.util.Optional;

/// By what a request of EST asks: HTTP Basic with a one-time token, or the certificate of its connection.
final class EstCredentials {
    private EstCredentials() {}

    /// For what the certificate is to be used.
    enum Purpose {
        /// `simpleenroll`: a token, a manufacturer's certificate, or a batch's claim certificate.
        FIRST,
        /// `simplereenroll`: the certificate that is renewed, and nothing else.
        RENEWAL,
        /// `serverkeygen`: either, but no claim.
        SERVER_KEY
    }

    /// Basic first, because a device that has a token means it; else the client certificate.
    ///
    /// @param der the request, which says for whom a claim is
    static Optional<Credential> of(HttpServerRequest request, PeerIdentity peer, Purpose purpose, byte[] der) {
        return switch (purpose) {
            case RENEWAL -> certificate(peer, purpose, der);
            case FIRST, SERVER_KEY ->
                request.getHeader("authorization") == null
                        ? certificate(peer, purpose, der)
                        : token(request.getHeader("authorization"));
        };
    }

    /// What a certificate is good for. Whether it is in time, and counts, the policy says.
    private static Optional<Credential> certificate(PeerIdentity peer, Purpose purpose, byte[] der) {
        if (peer.leaf().isEmpty()) {
            return Optional.empty();
        }
        X509Certificate leaf = peer.leaf().get();
        return switch (peer.peerClass()) {
            case NONE -> Optional.empty();
            case CLAIM ->
                purpose == Purpose.FIRST
                        ? ServerKeyRequest.unprovenName(der)
                                .flatMap(DeviceId::parse)
                                .map(device -> new Credential.Claim(leaf, device))
                        : Optional.empty();
            case MANUFACTURER, OPERATIONAL, EXPIRED, NOT_YET_VALID ->
                peer.anchor().isPresent()
                        ? Optional.of(new Credential.Manufacturer(
                                        leaf, peer.anchor().get()))
                                .filter(_ -> purpose != Purpose.RENEWAL)
                                .map(Credential.class::cast)
                        : Optional.of(new Credential.Operational(leaf))
                                .filter(_ -> purpose != Purpose.FIRST)
                                .map(Credential.class::cast);
        };
    }

    private static Optional<Credential> token(String header) {
        if (header.length() > 400 || !header.regionMatches(true, 0, "Basic ", 0, 6)) {
            return Optional.empty();
        }
        try {
            String pair =
                    new String(Base64.getDecoder().decode(header.substring(6).trim()), StandardCharsets.UTF_8);
            int colon = pair.indexOf(':');
            return colon < 0
                    ? Optional.empty()
                    : DeviceId.parse(pair.substring(0, colon))
                            .map(id -> new Credential.Token(id, pair.substring(colon + 1)));
        } catch (IllegalArgumentException notBase64) {
            return Optional.empty();
        }
    }
}
