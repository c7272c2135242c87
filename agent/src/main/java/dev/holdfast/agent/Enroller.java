package dev.holdfast.agent;

import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.agent.AgentSettings.Credential;
import io.netty.channel.EventLoop;
import io.netty.handler.codec.http.HttpMethod;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.security.spec.X509EncodedKeySpec;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cms.CMSException;
import org.bouncycastle.cms.CMSSignedData;
import org.jspecify.annotations.Nullable;

/// Gets the device its certificates by EST (RFC 7030).
///
/// The key of a request is stored before the request leaves, and the certificate with it before the key is
/// used: a power cut between the two asks again with the same key, and never leaves a certificate whose key is
/// lost.
final class Enroller {
    private static final String IDENTITY = "identity.pem";
    private static final String PENDING_KEY = "pending-key";
    private static final int MOST_OCTETS = 65_536;
    private static final Duration LONGEST_WAIT = Duration.ofHours(1);

    private final AgentSettings settings;
    private final DeviceStore store;
    private final EventLoop loop;
    private final SecureRandom random;
    private final ServerTrust trust;

    sealed interface Result {
        /// @param renewAfter when the server would like to be asked for the next one
        record Issued(DeviceIdentity identity, Optional<Instant> renewAfter) implements Result {}

        /// The server wants to think (202, section 4.2.3), or can't now.
        record Later(Duration after, String why) implements Result {}

        record Refused(String reason) implements Result {}
    }

    Enroller(AgentSettings settings, DeviceStore store, EventLoop loop, ServerTrust trust, SecureRandom random) {
        this.settings = settings;
        this.store = store;
        this.loop = loop;
        this.trust = trust;
        this.random = random;
    }

    @Nullable
    DeviceIdentity stored() throws IOException {
        byte[] pem = store.read(IDENTITY);
        return pem == null ? null : DeviceIdentity.fromPem(pem);
    }

    /// `simpleenroll` (section 4.2.1) with the token or the manufacturer's certificate.
    void enrol(Credential credential, Consumer<Result> then) throws IOException {
        KeyPair pair = pendingKey();
        byte[] request = DeviceIdentity.request(DeviceIdentity.named(settings.deviceId()), pair);
        switch (credential) {
            case Credential.Token token -> {
                String basic = settings.deviceId() + ":" + token.value();
                String header = "Basic " + Base64.getEncoder().encodeToString(basic.getBytes(StandardCharsets.UTF_8));
                send(Optional.empty(), "simpleenroll", request, Map.of("authorization", header), pair, then);
            }
            case Credential.Manufacturer maker ->
                send(Optional.of(maker.identity()), "simpleenroll", request, Map.of(), pair, then);
        }
    }

    /// `simplereenroll` (section 4.2.2) with a new key, under the certificate in force; the subject is
    /// unchanged.
    void renew(DeviceIdentity current, Consumer<Result> then) throws IOException {
        KeyPair pair = pendingKey();
        X500Name subject = current.subject();
        send(Optional.of(current), "simplereenroll", DeviceIdentity.request(subject, pair), Map.of(), pair, then);
    }

    private void send(
            Optional<DeviceIdentity> shown,
            String operation,
            byte[] request,
            Map<String, String> headers,
            KeyPair pair,
            Consumer<Result> then) {
        DeviceHttpClient client = new DeviceHttpClient(
                loop,
                settings.route(),
                settings.https(),
                DeviceTls.context(shown, trust),
                settings.pace().timeout(),
                Duration.ZERO);
        Map<String, String> all = new java.util.TreeMap<>(headers);
        all.put("content-type", "application/pkcs10");
        all.put("content-transfer-encoding", "base64");
        byte[] body = Base64.getMimeEncoder().encode(request);
        client.send(
                new DeviceHttpClient.Request(HttpMethod.POST, "/.well-known/est/" + operation, all, body),
                new WholeAnswer(MOST_OCTETS, result -> {
                    client.close();
                    then.accept(conclude(result, pair));
                }));
    }

    private Result conclude(WholeAnswer.Result result, KeyPair pair) {
        return switch (result) {
            case WholeAnswer.Result.Failed failed ->
                new Result.Later(settings.pace().retry(), failed.reason());
            case WholeAnswer.Result.Answer answer
            when answer.status() == 200 -> take(answer.body(), renewAfter(answer), pair);
            case WholeAnswer.Result.Answer answer
            when answer.status() == 202 || answer.status() == 429 || answer.status() >= 500 ->
                new Result.Later(retryAfter(answer), "the server answered " + answer.status());
            case WholeAnswer.Result.Answer answer ->
                new Result.Refused("the server answered " + answer.status() + ": " + printable(answer.body()));
        };
    }

    /// The server's `renew-after`, RFC 3339; what can't be read is not there.
    private static Optional<Instant> renewAfter(WholeAnswer.Result.Answer answer) {
        String header = answer.headers().get("renew-after");
        try {
            return header == null ? Optional.empty() : Optional.of(Instant.parse(header));
        } catch (DateTimeException e) {
            return Optional.empty();
        }
    }

    private Duration retryAfter(WholeAnswer.Result.Answer answer) {
        String header = answer.headers().get("retry-after");
        if (header != null && header.matches("\\d{1,6}")) {
            Duration asked = Duration.ofSeconds(Long.parseLong(header));
            return asked.compareTo(LONGEST_WAIT) > 0 ? LONGEST_WAIT : asked;
        }
        return settings.pace().retry();
    }

    /// 1. The answer is a certs-only CMS (section 4.2.3). 2. Ours is the one with our key; it must carry our
    ///    name.
    /// 3. Key and chain become the identity in one write.
    private Result take(byte[] body, Optional<Instant> renewAfter, KeyPair pair) {
        try {
            List<X509Certificate> all = new ArrayList<>();
            for (X509CertificateHolder holder : new CMSSignedData(
                            Base64.getMimeDecoder().decode(body))
                    .getCertificates()
                    .getMatches(null)) {
                all.add(DeviceIdentity.certificate(holder.getEncoded()));
            }
            List<X509Certificate> chain = new ArrayList<>();
            all.stream()
                    .filter(c -> c.getPublicKey().equals(pair.getPublic())
                            || java.util.Arrays.equals(
                                    c.getPublicKey().getEncoded(),
                                    pair.getPublic().getEncoded()))
                    .forEach(chain::add);
            if (chain.size() != 1) {
                return new Result.Refused("the answer holds no certificate for the key that was sent");
            }
            String subject = chain.getFirst().getSubjectX500Principal().getName();
            if (!subject.contains("CN=" + settings.deviceId())) {
                return new Result.Refused("the certificate names another device: " + subject);
            }
            all.stream().filter(c -> !c.equals(chain.getFirst())).forEach(chain::add);
            DeviceIdentity identity = new DeviceIdentity(pair.getPrivate(), chain);
            store.write(IDENTITY, identity.toPem());
            store.delete(PENDING_KEY);
            return new Result.Issued(identity, renewAfter);
        } catch (CMSException | IOException | IllegalArgumentException e) {
            return new Result.Refused("the answer is not a certificate: " + e.getMessage());
        }
    }

    private KeyPair pendingKey() throws IOException {
        byte[] stored = store.read(PENDING_KEY);
        if (stored != null) {
            JsonNode note = AgentJson.tree(stored);
            try {
                return new KeyPair(
                        KeyFactory.getInstance("EC")
                                .generatePublic(new X509EncodedKeySpec(
                                        note.path("public").binaryValue())),
                        DeviceIdentity.privateKey(note.path("private").binaryValue()));
            } catch (GeneralSecurityException e) {
                throw new IOException("the pending key can't be read", e);
            }
        }
        KeyPair fresh = DeviceIdentity.freshKey(random);
        store.write(
                PENDING_KEY,
                AgentJson.bytes(AgentJson.object()
                        .put("public", fresh.getPublic().getEncoded())
                        .put("private", fresh.getPrivate().getEncoded())));
        return fresh;
    }

    static String printable(byte[] body) {
        String text = new String(body, 0, Math.min(body.length, 300), StandardCharsets.UTF_8);
        return text.replaceAll("[^\\x20-\\x7e]", " ").strip();
    }
}
