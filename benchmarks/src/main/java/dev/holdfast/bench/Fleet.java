package dev.holdfast.bench;

import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import io.netty.handler.ssl.util.InsecureTrustManagerFactory;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.X509ExtendedKeyManager;
import org.jspecify.annotations.Nullable;

/// The devices that [FleetMain] prepared, and how they speak TLS. They trust any server, because what they talk to
/// is on this machine, and whose CPU is measured is the server.
final class Fleet {
    private final List<Meter> meters;
    private final List<Meter> hostile;
    private final List<Newcomer> newcomers;
    private final X509Certificate issuer;
    private final Path folder;
    private final SslContext tls;

    private Fleet(Path folder) throws IOException, GeneralSecurityException {
        this.folder = folder;
        try (InputStream in = Files.newInputStream(folder.resolve("issuer.pem"))) {
            issuer = (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(in);
        }
        meters = read("meter");
        hostile = read("hostile");
        newcomers = new ArrayList<>();
        for (String line : Files.readAllLines(folder.resolve("newcomer"))) {
            newcomers.add(Newcomer.parse(line, newcomers.size()));
        }
        Map<String, Meter> byId = new HashMap<>();
        List.of(meters, hostile).forEach(some -> some.forEach(meter -> byId.put(meter.id(), meter)));
        tls = SslContextBuilder.forClient()
                .sslProvider(SslProvider.OPENSSL)
                .protocols("TLSv1.3")
                .endpointIdentificationAlgorithm(null)
                .trustManager(InsecureTrustManagerFactory.INSTANCE)
                .keyManager(new Keys(byId, issuer))
                .build();
    }

    static Fleet read(Path folder) throws IOException {
        try {
            return new Fleet(folder);
        } catch (GeneralSecurityException e) {
            throw new IOException(e);
        }
    }

    private List<Meter> read(String kind) throws IOException, GeneralSecurityException {
        List<Meter> all = new ArrayList<>();
        for (String line : Files.readAllLines(folder.resolve(kind))) {
            all.add(Meter.parse(line, all.size()));
        }
        return all;
    }

    Path folder() {
        return folder;
    }

    Path data() {
        return folder.resolve("data");
    }

    /// Of a model that is heard every ten minutes.
    List<Meter> meters(int count) {
        return meters.subList(0, count);
    }

    /// Apart from the others, because they will be quarantined.
    List<Meter> hostile() {
        return hostile;
    }

    List<Newcomer> newcomers() {
        return newcomers;
    }

    X509Certificate issuer() {
        return issuer;
    }

    SslContext tls() {
        return tls;
    }

    /// Every device's key in one context: which one is meant is the name given as the peer's.
    private static final class Keys extends X509ExtendedKeyManager {
        private final Map<String, Meter> byId;
        private final X509Certificate issuer;

        Keys(Map<String, Meter> byId, X509Certificate issuer) {
            this.byId = byId;
            this.issuer = issuer;
        }

        @Override
        public @Nullable String chooseEngineClientAlias(
                String[] types, Principal @Nullable [] issuers, @Nullable SSLEngine engine) {
            String name = engine == null ? null : engine.getPeerHost();
            return name != null && byId.containsKey(name) ? name : null;
        }

        @Override
        public X509Certificate @Nullable [] getCertificateChain(String alias) {
            Meter meter = byId.get(alias);
            return meter == null ? null : new X509Certificate[] {meter.certificate(), issuer};
        }

        @Override
        public @Nullable PrivateKey getPrivateKey(String alias) {
            Meter meter = byId.get(alias);
            return meter == null ? null : meter.key();
        }

        @Override
        public @Nullable String chooseClientAlias(
                String[] types, Principal @Nullable [] issuers, @Nullable Socket socket) {
            return null;
        }

        @Override
        public String @Nullable [] getClientAliases(String type, Principal @Nullable [] issuers) {
            return null;
        }

        @Override
        public @Nullable String chooseServerAlias(
                String type, Principal @Nullable [] issuers, @Nullable Socket socket) {
            return null;
        }

        @Override
        public String @Nullable [] getServerAliases(String type, Principal @Nullable [] issuers) {
            return null;
        }
    }
}
