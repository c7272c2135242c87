package dev.holdfast.agent;

import dev.holdfast.protocol.x509.RootSuccession;
import io.netty.util.NetUtil;
import java.net.Socket;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.cert.CertPathValidator;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.PKIXParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Date;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.X509ExtendedTrustManager;

/// Trusts a server whose chain ends at one of our anchors, is meant for servers, is in force and names the host
/// that we meant to reach (RFC 9525: subject alternative names only).
///
/// A chain that held is remembered until its first certificate ends: reconnecting costs no second path
/// validation.
final class ServerTrust extends X509ExtendedTrustManager {
    private static final String SERVER_AUTH = "1.3.6.1.5.5.7.3.1";
    private static final int MOST_REMEMBERED = 64;
    private static final Map<String, Instant> REMEMBERED = new ConcurrentHashMap<>();

    private final Supplier<TrustedRoots> trusted;
    private final InstantSource clock;
    private volatile Known known;

    /// What is trusted, as the check of a path wants it.
    private record Known(TrustedRoots roots, Set<TrustAnchor> anchors, String digest) {
        static Known of(TrustedRoots roots) {
            Set<String> each = new TreeSet<>(roots.withdrawnKeys());
            roots.certificates().forEach(a -> each.add(ServerTrust.digest(List.of(a))));
            return new Known(
                    roots,
                    roots.certificates().stream()
                            .map(a -> new TrustAnchor(a, null))
                            .collect(Collectors.toUnmodifiableSet()),
                    String.join("|", each));
        }
    }

    ServerTrust(Collection<X509Certificate> anchors, InstantSource clock) {
        this(fixed(TrustedRoots.given(anchors)), clock);
    }

    /// @param trusted asked at each handshake: roots come and go while the device lives
    ServerTrust(Supplier<TrustedRoots> trusted, InstantSource clock) {
        this.trusted = trusted;
        this.clock = clock;
        this.known = Known.of(trusted.get());
    }

    private static Supplier<TrustedRoots> fixed(TrustedRoots roots) {
        return () -> roots;
    }

    /// Whether this chain is a server's under this root alone, whatever host it names.
    static boolean leads(List<X509Certificate> chain, X509Certificate root, Set<String> withdrawnKeys, Instant now) {
        TrustedRoots alone = new TrustedRoots(List.of(new RootSuccession.Trusted(root, true)), Set.of(), withdrawnKeys);
        try {
            new ServerTrust(() -> alone, InstantSource.fixed(now)).validate(chain);
            return true;
        } catch (CertificateException elsewhere) {
            return false;
        }
    }

    @SuppressWarnings("ReferenceEquality") // another record is another set
    private Known known() {
        TrustedRoots now = trusted.get();
        Known before = known;
        if (before.roots() == now) {
            return before;
        }
        Known fresh = Known.of(now);
        known = fresh;
        return fresh;
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
            throws CertificateException {
        if (chain == null || chain.length == 0) {
            throw new CertificateException("the server sent no certificate");
        }
        validate(Arrays.asList(chain));
        if (!names(chain[0], engine.getPeerHost())) {
            throw new CertificateException("the server's certificate does not name " + engine.getPeerHost());
        }
    }

    private void validate(List<X509Certificate> chain) throws CertificateException {
        if (chain.isEmpty()) {
            throw new CertificateException("the server sent no certificate");
        }
        Instant now = clock.instant();
        Known current = known();
        Set<TrustAnchor> anchors = current.anchors();
        String key = current.digest() + "<" + digest(chain);
        Instant until = REMEMBERED.get(key);
        if (until != null && now.isBefore(until)) {
            return;
        }
        try {
            List<X509Certificate> path = new ArrayList<>();
            for (X509Certificate certificate : chain) {
                if (anchors.stream().noneMatch(a -> certificate.equals(a.getTrustedCert()))) {
                    path.add(certificate);
                }
                if (isByAnchor(certificate, anchors)) {
                    break; // while a root is replaced, the way back to the one before follows
                }
            }
            for (X509Certificate certificate : path) {
                if (current.roots().withdrawnKeys().contains(TrustedRoots.key(certificate))) {
                    throw new CertificateException("the server's chain leads through a root that was withdrawn");
                }
            }
            if (anchors.isEmpty() || path.isEmpty()) {
                throw new CertificateException("the server's certificate comes from no CA that this device trusts");
            }
            PKIXParameters parameters = new PKIXParameters(anchors);
            parameters.setRevocationEnabled(false);
            parameters.setDate(Date.from(now));
            CertPathValidator.getInstance("PKIX")
                    .validate(CertificateFactory.getInstance("X.509").generateCertPath(path), parameters);
        } catch (CertificateException e) {
            throw e;
        } catch (GeneralSecurityException e) {
            throw new CertificateException("the server's certificate is not trusted: " + e.getMessage(), e);
        }
        List<String> usages = chain.getFirst().getExtendedKeyUsage();
        if (usages == null || !usages.contains(SERVER_AUTH)) {
            throw new CertificateException("the certificate is not meant for a server");
        }
        Instant end = chain.stream()
                .map(c -> c.getNotAfter().toInstant())
                .min(Instant::compareTo)
                .orElse(now);
        if (REMEMBERED.size() >= MOST_REMEMBERED) {
            REMEMBERED.clear();
        }
        REMEMBERED.put(key, end);
    }

    private static boolean isByAnchor(X509Certificate certificate, Set<TrustAnchor> anchors) {
        for (TrustAnchor anchor : anchors) {
            if (anchor.getTrustedCert().getSubjectX500Principal().equals(certificate.getIssuerX500Principal())) {
                if (signed(certificate, anchor.getTrustedCert())) {
                    return true;
                }
            }
        }
        return false;
    }

    private static boolean names(X509Certificate certificate, String host) throws CertificateException {
        Collection<List<?>> names = certificate.getSubjectAlternativeNames();
        if (names == null || host == null) {
            return false;
        }
        boolean address = NetUtil.isValidIpV4Address(host) || NetUtil.isValidIpV6Address(host);
        for (List<?> name : names) {
            int type = (Integer) name.get(0);
            if (address && type == 7 && sameAddress(host, String.valueOf(name.get(1)))) {
                return true;
            }
            if (!address && type == 2 && host.equalsIgnoreCase(String.valueOf(name.get(1)))) {
                return true;
            }
        }
        return false;
    }

    private static boolean sameAddress(String host, String name) {
        byte[] left = NetUtil.createByteArrayFromIpAddressString(host);
        byte[] right = NetUtil.createByteArrayFromIpAddressString(name);
        return left != null && Arrays.equals(left, right);
    }

    private static String digest(List<X509Certificate> certificates) {
        MessageDigest digest = Bootloader.sha256();
        try {
            for (X509Certificate certificate : certificates) {
                digest.update(certificate.getEncoded());
            }
        } catch (CertificateException e) {
            throw new IllegalStateException("a certificate that can't be encoded", e);
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType) throws CertificateException {
        throw new CertificateException("a server is judged by its host name too, and none is known here");
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType, Socket socket)
            throws CertificateException {
        checkServerTrusted(chain, authType);
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType) throws CertificateException {
        throw new CertificateException("an agent serves nobody");
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType, Socket socket)
            throws CertificateException {
        checkClientTrusted(chain, authType);
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
            throws CertificateException {
        checkClientTrusted(chain, authType);
    }

    @Override
    public X509Certificate[] getAcceptedIssuers() {
        return new X509Certificate[0];
    }

    /// False also for another key of that name.
    private static boolean signed(X509Certificate certificate, X509Certificate above) {
        try {
            certificate.verify(above.getPublicKey());
            return true;
        } catch (GeneralSecurityException anotherKey) {
            return false;
        }
    }
}
