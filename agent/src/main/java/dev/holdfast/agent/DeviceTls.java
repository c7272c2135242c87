package dev.holdfast.agent;

import io.netty.handler.ssl.OpenSsl;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import java.net.Socket;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.time.InstantSource;
import java.util.Collection;
import java.util.Optional;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;
import javax.net.ssl.X509ExtendedKeyManager;
import org.jspecify.annotations.Nullable;

/// TLS 1.3 (1.2 where the server has no more) with native code where it is there, one context per identity.
///
/// The key goes in through a key manager of one key: a PKCS #12 store in memory, as Netty makes of a bare key, costs
/// a password derivation for each device.
public final class DeviceTls {
    private DeviceTls() {}

    /// @param identity what the device shows; empty before it has one
    public static SslContext context(
            Optional<DeviceIdentity> identity, Collection<X509Certificate> anchors, InstantSource clock) {
        return context(identity, new ServerTrust(anchors, clock));
    }

    /// @param trust whom the device takes for its server, asked at each handshake
    static SslContext context(Optional<DeviceIdentity> identity, ServerTrust trust) {
        SslContextBuilder builder = SslContextBuilder.forClient()
                .sslProvider(OpenSsl.isAvailable() ? SslProvider.OPENSSL : SslProvider.JDK)
                .protocols("TLSv1.3", "TLSv1.2")
                .endpointIdentificationAlgorithm(null)
                .trustManager(trust);
        identity.ifPresent(own -> builder.keyManager(new OneKey(own)));
        try {
            return builder.build();
        } catch (SSLException e) {
            throw new IllegalStateException("TLS can't be set up on this machine", e);
        }
    }

    private static final class OneKey extends X509ExtendedKeyManager {
        private static final String ALIAS = "device";
        private final DeviceIdentity identity;

        OneKey(DeviceIdentity identity) {
            this.identity = identity;
        }

        @Override
        public String chooseEngineClientAlias(
                String[] keyTypes, Principal @Nullable [] issuers, @Nullable SSLEngine engine) {
            return ALIAS;
        }

        @Override
        public String chooseClientAlias(String[] keyTypes, Principal @Nullable [] issuers, @Nullable Socket socket) {
            return ALIAS;
        }

        @Override
        public String[] getClientAliases(String keyType, Principal @Nullable [] issuers) {
            return new String[] {ALIAS};
        }

        @Override
        public X509Certificate[] getCertificateChain(String alias) {
            return identity.chain().toArray(X509Certificate[]::new);
        }

        @Override
        public PrivateKey getPrivateKey(String alias) {
            return identity.key();
        }

        @Override
        public @Nullable String chooseServerAlias(
                String keyType, Principal @Nullable [] issuers, @Nullable Socket socket) {
            return null;
        }

        @Override
        public String @Nullable [] getServerAliases(String keyType, Principal @Nullable [] issuers) {
            return null;
        }
    }
}
