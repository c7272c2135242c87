package dev.holdfast.tls;

import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.protocol.x509.Crypto;
import io.netty.handler.ssl.OpenSslCertificateException;
import io.netty.handler.ssl.ReferenceCountedOpenSslEngine;
import io.netty.internal.tcnative.CertificateVerifier;
import java.net.Socket;
import java.security.GeneralSecurityException;
import java.security.PublicKey;
import java.security.cert.CertificateEncodingException;
import java.security.cert.CertificateException;
import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.function.Supplier;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLSession;
import javax.net.ssl.X509ExtendedTrustManager;
import javax.security.auth.x500.X500Principal;
import org.jspecify.annotations.Nullable;

/// Says what sort of certificate a client has, and fails only chains that lead nowhere we know.
///
/// Narrow on purpose: our issuers are trusted as they are, so an operational certificate costs one signature
/// check; a claim certificate is known by itself and by nothing above it, so that it can never pass as another
/// sort; a manufacturer's may have up to three certificates between leaf and anchor. No path building over the
/// network, no name constraints (a critical extension that we don't know fails the chain), no revocation by
/// list: whether a certificate still counts is looked up by `identity`, at connect and during the session.
///
/// RFC 5280 section 6.1, as far as it applies here: signature, issuer name, validity (reported, not failed),
/// basicConstraints and its path length, keyUsage, extendedKeyUsage, unknown critical extensions.
final class ClassifyingTrustManager extends X509ExtendedTrustManager {
    private static final String VERIFIED = "holdfast.verified";
    private static final int LONGEST_CHAIN = 5;
    private static final String CLIENT_AUTH = "1.3.6.1.5.5.7.3.2";
    private static final String ANY_USAGE = "2.5.29.37.0";
    private static final Set<String> SCHEMES = Set.of(
            "SHA256withECDSA", "SHA384withECDSA", "SHA512withECDSA", "SHA256withRSA", "SHA384withRSA", "SHA512withRSA");

    private final Supplier<List<X509Certificate>> issuers;
    private final Supplier<List<X509Certificate>> manufacturers;
    private final Predicate<String> claims;
    private final InstantSource clock;
    private volatile Known known = new Known(List.of(), List.of(), Map.of(), Map.of());

    /// @param issuers our authorities for devices
    /// @param manufacturers the registered anchors
    /// @param claims whether a batch has the claim certificate with this fingerprint
    ClassifyingTrustManager(
            Supplier<List<X509Certificate>> issuers,
            Supplier<List<X509Certificate>> manufacturers,
            Predicate<String> claims,
            InstantSource clock) {
        this.issuers = issuers;
        this.manufacturers = manufacturers;
        this.claims = claims;
        this.clock = clock;
    }

    private record Signer(PublicKey key, String fingerprint) {}

    private record Known(
            List<X509Certificate> issuers,
            List<X509Certificate> manufacturers,
            Map<X500Principal, List<Signer>> byIssuer,
            Map<X500Principal, List<Signer>> byManufacturer) {}

    /// What the chain leads to: one of our issuers, or the manufacturer's anchor with this fingerprint.
    private record Verified(X509Certificate leaf, Optional<String> anchor, boolean claim) {}

    /// The chain leads nowhere we know.
    static final class UnknownChain extends CertificateException {
        private static final long serialVersionUID = 1L;
        private final HandshakeFailure.Cause reason;
        private final String subject;
        private final String serial;

        /// @param leaf null where there was none that could be taken
        UnknownChain(HandshakeFailure.Cause reason, String message, @Nullable X509Certificate leaf) {
            super(message);
            this.reason = reason;
            this.subject = leaf == null ? "" : ClassifyingTrustManager.subject(leaf);
            this.serial = leaf == null ? "" : leaf.getSerialNumber().toString(16);
        }

        String serial() {
            return serial;
        }

        /// OpenSSL's verification error, from which the alert follows that the client sees: unknown_ca,
        /// bad_certificate, unsupported_certificate.
        int error() {
            return switch (reason) {
                case ISSUER_UNKNOWN -> CertificateVerifier.X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT;
                case SIGNATURE_WRONG -> CertificateVerifier.X509_V_ERR_CERT_SIGNATURE_FAILURE;
                case CERTIFICATE_NOT_FOR_THIS_USE -> CertificateVerifier.X509_V_ERR_INVALID_PURPOSE;
                case CERTIFICATE_UNREADABLE,
                        CLIENT_REJECTED_OUR_CERTIFICATE,
                        PROTOCOL_ERROR,
                        NO_CERTIFICATE,
                        NOT_TLS,
                        TIMED_OUT,
                        CLOSED_BY_CLIENT -> CertificateVerifier.X509_V_ERR_CERT_REJECTED;
            };
        }

        HandshakeFailure.Cause reason() {
            return reason;
        }

        String subject() {
            return subject;
        }
    }

    /// Who is at the other end of this session. What the handshake verified is taken from the session; a
    /// resumed session, which had no handshake of certificates, is verified here.
    PeerIdentity identify(SSLSession session, String remoteAddress) throws UnknownChain {
        if (session.getValue(VERIFIED) instanceof Verified verified) {
            return identity(verified, remoteAddress);
        }
        X509Certificate[] chain;
        try {
            chain = java.util.Arrays.stream(session.getPeerCertificates())
                    .map(X509Certificate.class::cast)
                    .toArray(X509Certificate[]::new);
        } catch (javax.net.ssl.SSLPeerUnverifiedException noCertificate) {
            return PeerIdentity.none(remoteAddress);
        }
        return identity(verify(chain), remoteAddress);
    }

    /// Who a message is of, whose signature by the first certificate's key is verified already.
    PeerIdentity identify(List<X509Certificate> chain, String remoteAddress) throws UnknownChain {
        return identity(verify(chain.stream().limit(LONGEST_CHAIN).toArray(X509Certificate[]::new)), remoteAddress);
    }

    private PeerIdentity identity(Verified verified, String remoteAddress) {
        Instant now = clock.instant();
        PeerClass peerClass;
        if (verified.claim()) {
            peerClass = PeerClass.CLAIM; // until when it counts, its batch says
        } else if (now.isAfter(verified.leaf().getNotAfter().toInstant())) {
            peerClass = PeerClass.EXPIRED;
        } else if (now.isBefore(verified.leaf().getNotBefore().toInstant())) {
            peerClass = PeerClass.NOT_YET_VALID;
        } else {
            peerClass = verified.anchor().isPresent() ? PeerClass.MANUFACTURER : PeerClass.OPERATIONAL;
        }
        return new PeerIdentity(peerClass, Optional.of(verified.leaf()), verified.anchor(), remoteAddress);
    }

    private Verified verify(X509Certificate[] presented) throws UnknownChain {
        if (presented.length == 0 || presented.length > LONGEST_CHAIN) {
            throw new UnknownChain(
                    HandshakeFailure.Cause.CERTIFICATE_UNREADABLE,
                    "a chain of " + presented.length + " certificates is not accepted",
                    null);
        }
        X509Certificate leaf = presented[0];
        Known now = known();
        requireClient(leaf);
        List<Signer> ours = now.byIssuer().getOrDefault(leaf.getIssuerX500Principal(), List.of());
        if (ours.stream().anyMatch(signer -> signed(leaf, signer.key()))) {
            return new Verified(leaf, Optional.empty(), false);
        }
        if (ours.isEmpty() && claims.test(Certificates.fingerprint(leaf))) {
            return new Verified(leaf, Optional.empty(), true);
        }
        Optional<String> anchor = anchor(presented, now);
        if (anchor.isPresent()) {
            return new Verified(leaf, anchor, false);
        }
        if (!ours.isEmpty()) {
            throw new UnknownChain(
                    HandshakeFailure.Cause.SIGNATURE_WRONG, "it names an authority of ours that did not sign it", leaf);
        }
        throw new UnknownChain(
                HandshakeFailure.Cause.ISSUER_UNKNOWN,
                "its issuer is neither an authority of ours nor a registered manufacturer: "
                        + safe(leaf.getIssuerX500Principal().getName()),
                leaf);
    }

    /// Walks from the leaf up through what was presented until a registered anchor has signed.
    private Optional<String> anchor(X509Certificate[] presented, Known now) throws UnknownChain {
        X509Certificate current = presented[0];
        for (int below = 0; below < LONGEST_CHAIN - 1; below++) {
            X509Certificate child = current;
            for (Signer signer : now.byManufacturer().getOrDefault(child.getIssuerX500Principal(), List.of())) {
                if (signed(child, signer.key())) {
                    return Optional.of(signer.fingerprint());
                }
            }
            X509Certificate parent = null;
            for (X509Certificate candidate : presented) {
                if (!candidate.equals(child)
                        && candidate.getSubjectX500Principal().equals(child.getIssuerX500Principal())
                        && mayCertify(candidate, below)
                        && signed(child, candidate.getPublicKey())) {
                    parent = candidate;
                }
            }
            if (parent == null) {
                return Optional.empty();
            }
            current = parent;
        }
        return Optional.empty();
    }

    private boolean mayCertify(X509Certificate authority, int authoritiesBelow) {
        boolean @Nullable [] usage = authority.getKeyUsage();
        Instant now = clock.instant();
        return authority.getBasicConstraints() >= authoritiesBelow
                && usage != null
                && usage[5]
                && !authority.hasUnsupportedCriticalExtension()
                && !now.isBefore(authority.getNotBefore().toInstant())
                && !now.isAfter(authority.getNotAfter().toInstant());
    }

    private static void requireClient(X509Certificate leaf) throws UnknownChain {
        boolean @Nullable [] usage = leaf.getKeyUsage();
        boolean fit = leaf.getBasicConstraints() < 0
                && (usage == null || usage[0])
                && !leaf.hasUnsupportedCriticalExtension();
        try {
            List<String> purposes = leaf.getExtendedKeyUsage();
            fit &= purposes == null || purposes.contains(CLIENT_AUTH) || purposes.contains(ANY_USAGE);
        } catch (CertificateParsingException e) {
            fit = false;
        }
        if (!fit) {
            throw new UnknownChain(
                    HandshakeFailure.Cause.CERTIFICATE_NOT_FOR_THIS_USE,
                    "it is a CA's, not for TLS clients, or has critical extensions that are not known here",
                    leaf);
        }
    }

    private static boolean signed(X509Certificate child, PublicKey key) {
        if (!SCHEMES.contains(child.getSigAlgName())) {
            return false;
        }
        try {
            return Crypto.verify(key, child.getSigAlgName(), child.getTBSCertificate(), child.getSignature());
        } catch (CertificateEncodingException e) {
            return false;
        }
    }

    private Known known() {
        Known current = known;
        List<X509Certificate> issuersNow = issuers.get();
        List<X509Certificate> manufacturersNow = manufacturers.get();
        if (!issuersNow.equals(current.issuers()) || !manufacturersNow.equals(current.manufacturers())) {
            current = new Known(issuersNow, manufacturersNow, index(issuersNow), index(manufacturersNow));
            known = current;
        }
        return current;
    }

    private static Map<X500Principal, List<Signer>> index(List<X509Certificate> authorities) {
        Map<X500Principal, List<Signer>> index = new HashMap<>();
        for (X509Certificate authority : authorities) {
            index.computeIfAbsent(authority.getSubjectX500Principal(), _ -> new ArrayList<>())
                    .add(new Signer(fastKey(authority.getPublicKey()), Certificates.fingerprint(authority)));
        }
        return index;
    }

    /// As our own provider holds keys, so that it need not translate it at every check.
    private static PublicKey fastKey(PublicKey key) {
        try {
            return Crypto.publicKey(key.getAlgorithm(), key.getEncoded());
        } catch (GeneralSecurityException e) {
            return key;
        }
    }

    static String subject(X509Certificate certificate) {
        return safe(certificate.getSubjectX500Principal().getName());
    }

    /// Names come from strangers: printable ASCII only, and not long.
    static String safe(String text) {
        String printable = text.replaceAll("[^\\x20-\\x7e]", "?");
        return printable.length() > 200 ? printable.substring(0, 200) + "..." : printable;
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
            throws CertificateException {
        try {
            Verified verified = verify(chain);
            SSLSession session = engine.getHandshakeSession();
            if (session != null) {
                session.putValue(VERIFIED, verified);
            }
        } catch (UnknownChain e) {
            if (engine instanceof ReferenceCountedOpenSslEngine) {
                throw new OpenSslCertificateException(e.getMessage(), e, e.error());
            }
            throw e;
        }
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType, Socket socket)
            throws CertificateException {
        verify(chain);
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType) throws CertificateException {
        verify(chain);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType, Socket socket)
            throws CertificateException {
        throw new CertificateException("this is a server's trust manager");
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
            throws CertificateException {
        throw new CertificateException("this is a server's trust manager");
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType) throws CertificateException {
        throw new CertificateException("this is a server's trust manager");
    }

    /// None: clients then offer whatever certificate they have (RFC 8446 section 4.2.4), and handshakes stay
    /// small
    /// with any number of manufacturers.
    @Override
    public X509Certificate[] getAcceptedIssuers() {
        return new X509Certificate[0];
    }
}
