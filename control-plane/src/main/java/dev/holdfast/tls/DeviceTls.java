package dev.holdfast.tls;

import dev.holdfast.ca.Authority;
import dev.holdfast.ca.Ca;
import dev.holdfast.ca.ServerCertificateStore;
import dev.holdfast.config.Configuration;
import io.netty.handler.ssl.OpenSsl;
import io.netty.handler.ssl.OpenSslX509KeyManagerFactory;
import io.vertx.core.http.ClientAuth;
import io.vertx.core.net.JdkSSLEngineOptions;
import io.vertx.core.net.KeyCertOptions;
import io.vertx.core.net.NetServerOptions;
import io.vertx.core.net.OpenSSLEngineOptions;
import io.vertx.core.net.ServerSSLOptions;
import io.vertx.core.net.TrustOptions;
import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.function.Supplier;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLSession;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// TLS as the device plane speaks it: 1.2 and 1.3 by BoringSSL, a client certificate asked for but not
/// required, our own trust manager, our own certificate, which is renewed in place.
///
/// A resumed session carries the client's certificate but had no check of it: [#peer] checks the chain again,
/// and
/// every edge asks `identity` about the certificate at every connect and request, so resumption skips nothing.
public final class DeviceTls {
    private static final Logger LOG = LoggerFactory.getLogger(DeviceTls.class);
    private static final char[] IN_MEMORY = "in-memory".toCharArray();

    private final Ca ca;
    private final Configuration configuration;
    private final InstantSource clock;
    private final ClassifyingTrustManager trust;
    private final List<Renewed> listeners = new CopyOnWriteArrayList<>();
    private volatile ServerCertificateStore.Credential credential;
    private volatile BiConsumer<X509Certificate, String> unknown = (_, _) -> {};

    /// Who computes TLS.
    enum Engine {
        /// BoringSSL: fast, but it can't export keying material.
        NATIVE,
        /// The platform's own, which can (RFC 5705).
        PLATFORM;

        boolean isNative() {
            return this == NATIVE && OpenSsl.isAvailable();
        }
    }

    private record Renewed(Engine engine, Consumer<ServerSSLOptions> listener) {}

    /// @param manufacturers the registered manufacturers' anchors, now
    /// @param claims whether a batch of devices has the claim certificate with this fingerprint
    public DeviceTls(
            Ca ca,
            Supplier<List<X509Certificate>> manufacturers,
            Predicate<String> claims,
            Configuration configuration,
            InstantSource clock)
            throws IOException {
        this.ca = ca;
        this.configuration = configuration;
        this.clock = clock;
        this.trust = new ClassifyingTrustManager(this::issuers, manufacturers, claims, clock);
        this.credential = ca.serverCertificates()
                .credential("device", ServerCertificateStore.names(configuration), clock.instant());
    }

    private volatile List<Authority> seen = List.of();
    private volatile List<X509Certificate> issuers = List.of();

    private List<X509Certificate> issuers() {
        List<Authority> all = ca.authorities().all();
        if (!all.equals(seen)) {
            issuers = all.stream()
                    .filter(a -> a.purpose() == Authority.Purpose.DEVICE
                            && a.standing().isTrusted())
                    .map(Authority::certificate)
                    .toList();
            seen = all;
        }
        return issuers;
    }

    /// Makes the options of any Vert.x server (HTTP, MQTT, plain TCP) those of the device plane. The server is
    /// told of a renewed certificate if it gives its `updateSSLOptions` to [#onRenewal].
    public <T extends NetServerOptions> T secure(T options) {
        return secure(options, Engine.NATIVE);
    }

    <T extends NetServerOptions> T secure(T options, Engine engine) {
        options.setSsl(true)
                .setSslEngineOptions(engine.isNative() ? new OpenSSLEngineOptions() : new JdkSSLEngineOptions())
                .setUseAlpn(false)
                .setClientAuth(ClientAuth.REQUEST)
                .setEnabledSecureTransportProtocols(DevicePlane.PROTOCOLS)
                .setKeyCertOptions(KeyCertOptions.wrap(keys(credential, engine)))
                .setTrustOptions(TrustOptions.wrap(trust))
                .setSslHandshakeTimeout(
                        configuration.limits().handshakeTimeout().toMillis())
                .setSslHandshakeTimeoutUnit(TimeUnit.MILLISECONDS);
        return options;
    }

    /// Called with the new options when our certificate was renewed.
    public void onRenewal(Consumer<ServerSSLOptions> listener) {
        onRenewal(Engine.NATIVE, listener);
    }

    void onRenewal(Engine engine, Consumer<ServerSSLOptions> listener) {
        listeners.add(new Renewed(engine, listener));
    }

    /// Our listeners' key, for what else is signed in this server's name.
    public ServerCertificateStore.Credential credential() {
        return credential;
    }

    /// Called for each connection with a certificate that one of our authorities has signed and whose serial is
    /// not known in memory; must not block.
    public void onUnknownCertificate(BiConsumer<X509Certificate, String> listener) {
        unknown = listener;
    }

    private PeerIdentity looked(PeerIdentity peer) {
        if (peer.peerClass() != PeerClass.CLAIM
                && peer.anchor().isEmpty()
                && peer.leaf().isPresent()
                && !ca.hasIssued(peer.leaf().get())) {
            unknown.accept(peer.leaf().get(), peer.remoteAddress());
        }
        return peer;
    }

    /// Who is at the other end of a session whose handshake has succeeded.
    ///
    /// @param session null where the connection is not TLS, which is nobody
    public PeerIdentity peer(@Nullable SSLSession session, String remoteAddress) {
        if (session == null) {
            return PeerIdentity.none(remoteAddress);
        }
        try {
            return looked(trust.identify(session, remoteAddress));
        } catch (ClassifyingTrustManager.UnknownChain e) {
            // Only after resumption, when its authority has been withdrawn meanwhile.
            return PeerIdentity.none(remoteAddress);
        }
    }

    /// Who signed a message that carries its own certificates (CMP): the same classes as at the door.
    ///
    /// @param chain the certificate whose key has signed, which has been verified, then those above it in any
    ///     order
    /// @return empty when they lead nowhere we know
    public Optional<PeerIdentity> signer(List<X509Certificate> chain, String remoteAddress) {
        try {
            return Optional.of(trust.identify(chain, remoteAddress));
        } catch (ClassifyingTrustManager.UnknownChain e) {
            return Optional.empty();
        }
    }

    /// Renews our certificate when its time has come, or its issuer has changed; called now and then, and when
    /// there is news of that.
    public synchronized void renewWhenDue() {
        Instant now = clock.instant();
        boolean sameIssuer = credential.chain().size() > 1
                && credential.chain().get(1).equals(ca.authorities().server().certificate());
        if (sameIssuer && now.isBefore(ServerCertificateStore.renewAt(credential))) {
            return;
        }
        try {
            credential = ca.serverCertificates().credential("device", ServerCertificateStore.names(configuration), now);
            for (Renewed renewed : listeners) {
                renewed.listener()
                        .accept(new ServerSSLOptions()
                                .setKeyCertOptions(KeyCertOptions.wrap(keys(credential, renewed.engine())))
                                .setTrustOptions(TrustOptions.wrap(trust))
                                .setClientAuth(ClientAuth.REQUEST)
                                .setEnabledSecureTransportProtocols(DevicePlane.PROTOCOLS));
            }
            LOG.info("the device listeners' certificate was renewed");
        } catch (IOException | RuntimeException e) {
            LOG.error("the device listeners' certificate could not be renewed; it will be tried again", e);
        }
    }

    /// Key and chain; in BoringSSL's own form parsed once and not at each handshake.
    private static KeyManagerFactory keys(ServerCertificateStore.Credential credential, Engine engine) {
        try {
            KeyStore store = KeyStore.getInstance("PKCS12");
            store.load(null, IN_MEMORY);
            store.setKeyEntry(
                    "device", credential.key(), IN_MEMORY, credential.chain().toArray(X509Certificate[]::new));
            KeyManagerFactory factory = engine.isNative()
                    ? new OpenSslX509KeyManagerFactory()
                    : KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
            factory.init(store, IN_MEMORY);
            return factory;
        } catch (GeneralSecurityException | IOException e) {
            throw new IllegalStateException("our own certificate can't be used", e);
        }
    }

    /// The root's fingerprint, which a person compares when a device is enrolled for the first time.
    public String rootFingerprint() {
        return dev.holdfast.protocol.x509.Certificates.printedFingerprint(
                ca.authorities().server().anchor());
    }
}
