package dev.holdfast.acme;

import com.fasterxml.jackson.databind.JsonNode;
import com.nimbusds.jose.crypto.impl.ECDSA;
import com.nimbusds.jose.jwk.Curve;
import com.nimbusds.jose.jwk.ECKey;
import dev.holdfast.TestServer;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Json;
import dev.holdfast.identity.SharedSecrets;
import dev.holdfast.protocol.x509.Crypto;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.security.KeyPair;
import java.security.KeyStore;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.security.interfaces.ECPublicKey;
import java.time.Duration;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/// An ACME client for tests: for what the packaged clients lack (device-attest-01, `replaces`, key change of
/// P-256 keys), and for everything that no honest client does. Its key is P-256.
final class AcmeCaller implements AutoCloseable {
    static final SecureRandom RANDOM = new SecureRandom();
    private final HttpClient http;
    final String root;
    KeyPair key = Crypto.generateP256(RANDOM);
    String kid = "";

    AcmeCaller(TestServer server, String profile) {
        this(
                server.server().devicePort(),
                server.server().ca().authorities().root().certificate(),
                profile);
    }

    AcmeCaller(int port, X509Certificate trusted, String profile) {
        root = "https://localhost:" + port + "/acme/" + profile + "/";
        http = client(trusted);
    }

    private static HttpClient client(X509Certificate root) {
        try {
            KeyStore trusted = KeyStore.getInstance("PKCS12");
            trusted.load(null, null);
            trusted.setCertificateEntry("root", root);
            TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
            trust.init(trusted);
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, trust.getTrustManagers(), RANDOM);
            return HttpClient.newBuilder()
                    .sslContext(context)
                    .version(HttpClient.Version.HTTP_1_1)
                    .connectTimeout(Duration.ofSeconds(10))
                    .build();
        } catch (java.security.GeneralSecurityException | java.io.IOException e) {
            throw new IllegalStateException(e);
        }
    }

    /// An account of this device, by a fresh secret.
    static AcmeCaller account(TestServer server, String profile, DeviceRef device) throws Exception {
        AcmeCaller caller = new AcmeCaller(server, profile);
        SharedSecrets.Issued.Secret secret = secret(server, device);
        HttpResponse<String> answer = caller.open(secret.id(), secret.secret());
        if (answer.statusCode() != 201) {
            throw new AssertionError(answer.body());
        }
        return caller;
    }

    static SharedSecrets.Issued.Secret secret(TestServer server, DeviceRef device) {
        return (SharedSecrets.Issued.Secret)
                server.server().identity().issueSharedSecret(device, Duration.ofHours(1), TestServer.TESTER);
    }

    HttpResponse<String> open(String secretId, String secret) throws Exception {
        HttpResponse<String> answer = post(
                root + "new-account",
                Map.of(
                        "termsOfServiceAgreed",
                        true,
                        "externalAccountBinding",
                        binding(secretId, secret, root + "new-account", jwk(key))));
        answer.headers().firstValue("location").ifPresent(at -> kid = at);
        return answer;
    }

    static Map<String, Object> binding(String secretId, String secret, String url, Object jwk) throws Exception {
        String header = encode(Json.bytes(Map.of("alg", "HS256", "kid", secretId, "url", url)));
        String payload = encode(Json.bytes(jwk));
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(Base64.getUrlDecoder().decode(secret), "HmacSHA256"));
        return Map.of(
                "protected",
                header,
                "payload",
                payload,
                "signature",
                encode(mac.doFinal((header + "." + payload).getBytes(StandardCharsets.US_ASCII))));
    }

    static Map<String, Object> jwk(KeyPair key) {
        return new LinkedHashMap<>(new ECKey.Builder(Curve.P_256, (ECPublicKey) key.getPublic())
                .build()
                .toJSONObject());
    }

    static String thumbprint(KeyPair key) {
        try {
            return new ECKey.Builder(Curve.P_256, (ECPublicKey) key.getPublic())
                    .build()
                    .computeThumbprint()
                    .toString();
        } catch (com.nimbusds.jose.JOSEException e) {
            throw new IllegalStateException(e);
        }
    }

    String nonce() throws Exception {
        HttpResponse<String> answer = http.send(
                HttpRequest.newBuilder(URI.create(root + "new-nonce"))
                        .method("HEAD", HttpRequest.BodyPublishers.noBody())
                        .build(),
                HttpResponse.BodyHandlers.ofString());
        return answer.headers().firstValue("replay-nonce").orElseThrow();
    }

    HttpResponse<String> get(String url) throws Exception {
        return http.send(HttpRequest.newBuilder(URI.create(url)).build(), HttpResponse.BodyHandlers.ofString());
    }

    /// The header as it should be, to be spoilt.
    Map<String, Object> header(String url) throws Exception {
        Map<String, Object> header = new LinkedHashMap<>();
        header.put("alg", "ES256");
        header.put("nonce", nonce());
        header.put("url", url);
        if (kid.isEmpty()) {
            header.put("jwk", jwk(key));
        } else {
            header.put("kid", kid);
        }
        return header;
    }

    HttpResponse<String> post(String url, Object payload) throws Exception {
        return send(url, signed(header(url), Json.bytes(payload), key));
    }

    /// POST-as-GET.
    HttpResponse<String> ask(String url) throws Exception {
        return send(url, signed(header(url), new byte[0], key));
    }

    JsonNode asked(String url) throws Exception {
        return Json.tree(ask(url).body());
    }

    static Map<String, Object> signed(Map<String, Object> header, byte[] payload, KeyPair key) throws Exception {
        String head = encode(Json.bytes(header));
        String body = encode(payload);
        byte[] der = Crypto.sign(
                key.getPrivate(), "SHA256withECDSA", (head + "." + body).getBytes(StandardCharsets.US_ASCII));
        return Map.of(
                "protected", head, "payload", body, "signature", encode(ECDSA.transcodeSignatureToConcat(der, 64)));
    }

    HttpResponse<String> send(String url, Object message) throws Exception {
        return send(url, Json.bytes(message), "application/jose+json");
    }

    HttpResponse<String> send(String url, byte[] body, String type) throws Exception {
        return http.send(
                HttpRequest.newBuilder(URI.create(url))
                        .timeout(Duration.ofSeconds(30))
                        .header("content-type", type)
                        .POST(HttpRequest.BodyPublishers.ofByteArray(body))
                        .build(),
                HttpResponse.BodyHandlers.ofString());
    }

    /// @param identifiers `dns:...` or `permanent-identifier:...`
    HttpResponse<String> order(String... identifiers) throws Exception {
        return order(Map.of(), identifiers);
    }

    HttpResponse<String> order(Map<String, ?> more, String... identifiers) throws Exception {
        Map<String, Object> payload = new LinkedHashMap<>(more);
        payload.put(
                "identifiers",
                List.of(identifiers).stream()
                        .map(text -> Map.of(
                                "type", text.substring(0, text.indexOf(':')),
                                "value", text.substring(text.indexOf(':') + 1)))
                        .toList());
        return post(root + "new-order", payload);
    }

    static String location(HttpResponse<String> answer) {
        return answer.headers().firstValue("location").orElseThrow(() -> new AssertionError(answer.body()));
    }

    HttpResponse<String> finish(JsonNode order, byte[] request) throws Exception {
        if (!order.has("finalize")) {
            throw new AssertionError("there is no order: " + order);
        }
        return post(order.path("finalize").asText(), Map.of("csr", encode(request)));
    }

    static String encode(byte[] bytes) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }

    @Override
    public void close() {
        http.close();
    }
}
