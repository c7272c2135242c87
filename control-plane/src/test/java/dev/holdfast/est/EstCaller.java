package dev.holdfast.est;

import dev.holdfast.TestServer;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.protocol.cms.CertificatesOnly;
import dev.holdfast.protocol.x509.CertificationRequest;
import dev.holdfast.protocol.x509.Crypto;
import java.io.IOException;
import java.math.BigInteger;
import java.net.InetAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.Date;
import java.util.List;
import java.util.Optional;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.cert.X509v3CertificateBuilder;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;

/// An EST client for tests, with whatever certificate and body one wants to try.
public final class EstCaller {
    static final SecureRandom RANDOM = new SecureRandom();

    /// Who calls: a key with its chain.
    public record Caller(PrivateKey key, List<X509Certificate> chain) {}

    private EstCaller() {}

    public static HttpClient client(TestServer server, Optional<Caller> caller) throws IOException {
        return client(server, caller, "127.0.0.1");
    }

    /// @param from an address of this machine
    static HttpClient client(TestServer server, Optional<Caller> caller, String from) throws IOException {
        try {
            KeyStore trusted = KeyStore.getInstance("PKCS12");
            trusted.load(null, null);
            trusted.setCertificateEntry(
                    "root", server.server().ca().authorities().root().certificate());
            TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
            trust.init(trusted);
            KeyManagerFactory keys = KeyManagerFactory.getInstance("PKIX");
            KeyStore own = KeyStore.getInstance("PKCS12");
            own.load(null, null);
            if (caller.isPresent()) {
                own.setKeyEntry(
                        "own",
                        caller.get().key(),
                        new char[] {'x'},
                        caller.get().chain().toArray(X509Certificate[]::new));
            }
            keys.init(own, new char[] {'x'});
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(keys.getKeyManagers(), trust.getTrustManagers(), RANDOM);
            return HttpClient.newBuilder()
                    .sslContext(context)
                    .version(HttpClient.Version.HTTP_1_1)
                    .connectTimeout(Duration.ofSeconds(10))
                    .localAddress(InetAddress.getByName(from))
                    .build();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    public static HttpResponse<String> enrol(TestServer server, byte[] request, String credential) throws Exception {
        return post(server, "simpleenroll", Base64.getEncoder().encode(request), credential, Optional.empty());
    }

    /// Enrols the device by its token.
    public static X509Certificate enrolled(TestServer server, DeviceRef device, KeyPair key, String credential)
            throws Exception {
        return certificate(enrol(server, CertificationRequest.create(device.id().value(), key), credential));
    }

    static HttpResponse<String> enrolFrom(String address, TestServer server, byte[] request, String credential)
            throws Exception {
        HttpRequest.Builder call =
                request(server, "simpleenroll", Base64.getEncoder().encode(request), credential);
        try (HttpClient client = client(server, Optional.empty(), address)) {
            return client.send(call.build(), HttpResponse.BodyHandlers.ofString());
        }
    }

    public static HttpResponse<String> renew(TestServer server, byte[] request, Caller caller) throws Exception {
        return post(server, "simplereenroll", Base64.getEncoder().encode(request), "", Optional.of(caller));
    }

    public static HttpResponse<String> post(
            TestServer server, String operation, byte[] body, String credential, Optional<Caller> caller)
            throws Exception {
        HttpRequest.Builder request = request(server, operation, body, credential);
        try (HttpClient client = client(server, caller)) {
            return client.send(request.build(), HttpResponse.BodyHandlers.ofString());
        }
    }

    private static HttpRequest.Builder request(TestServer server, String operation, byte[] body, String credential) {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(
                        "https://localhost:" + server.server().devicePort() + "/.well-known/est/" + operation))
                .timeout(Duration.ofSeconds(30))
                .header("content-type", "application/pkcs10")
                .POST(HttpRequest.BodyPublishers.ofByteArray(body));
        if (!credential.isEmpty()) {
            request.header(
                    "authorization",
                    "Basic "
                            + Base64.getEncoder()
                                    .encodeToString(credential.getBytes(java.nio.charset.StandardCharsets.UTF_8)));
        }
        return request;
    }

    public static X509Certificate certificate(HttpResponse<String> answer) throws Exception {
        if (answer.statusCode() != 200) {
            throw new AssertionError(answer.statusCode() + " " + answer.body());
        }
        return CertificatesOnly.decode(Base64.getMimeDecoder().decode(answer.body()))
                .getFirst();
    }

    /// An authority that is none of ours: a stranger, or a manufacturer.
    public record Maker(KeyPair pair, X509Certificate certificate) {
        public static Maker named(String name) {
            KeyPair pair = Crypto.generateP256(RANDOM);
            return new Maker(pair, issue(new X500Name(name), pair, new X500Name(name), pair, true, Duration.ofDays(1)));
        }

        public X509Certificate device(String subject, KeyPair key) {
            return issue(
                    X500Name.getInstance(certificate.getSubjectX500Principal().getEncoded()),
                    pair,
                    new X500Name(subject),
                    key,
                    false,
                    Duration.ofDays(1));
        }

        static X509Certificate issue(
                X500Name issuer, KeyPair signer, X500Name subject, KeyPair key, boolean authority, Duration life) {
            try {
                Instant now = Instant.now();
                X509v3CertificateBuilder builder = new X509v3CertificateBuilder(
                        issuer,
                        new BigInteger(100, RANDOM).setBit(90),
                        Date.from(now.minus(Duration.ofHours(1))),
                        Date.from(now.plus(life)),
                        subject,
                        SubjectPublicKeyInfo.getInstance(key.getPublic().getEncoded()));
                builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(authority));
                builder.addExtension(
                        Extension.keyUsage,
                        true,
                        new KeyUsage(authority ? KeyUsage.keyCertSign : KeyUsage.digitalSignature));
                byte[] der = builder.build(new JcaContentSignerBuilder("SHA256withECDSA")
                                .setProvider(Crypto.provider())
                                .build(signer.getPrivate()))
                        .getEncoded();
                return dev.holdfast.protocol.x509.Certificates.parse(der);
            } catch (IOException | OperatorCreationException | dev.holdfast.protocol.x509.X509FormatException e) {
                throw new IllegalStateException(e);
            }
        }
    }
}
