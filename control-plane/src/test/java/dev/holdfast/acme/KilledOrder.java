package dev.holdfast.acme;

import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.core.Json;
import dev.holdfast.protocol.acme.ChallengeType;
import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.protocol.x509.Crypto;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.security.KeyPair;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/// A gateway that wants one certificate by ACME from a server that dies under it, and goes on by the rules of RFC
/// 8555 where it knows itself to be: what was not answered is asked again.
public final class KilledOrder implements AutoCloseable {
    /// What it is about to do.
    public enum Step {
        ACCOUNT,
        ORDER,
        CHALLENGE,
        AUTHORIZATION,
        FINALIZE,
        VALID,
        DOWNLOAD
    }

    /// Told before each step.
    @FunctionalInterface
    public interface Watcher {
        void before(Step step);
    }

    private static final Duration PATIENCE = Duration.ofSeconds(100);
    private final AcmeCaller caller;
    private final LoopbackNames names;
    private final String secretId;
    private final String secret;
    private final String name;
    private final byte[] request;
    private Optional<String> order = Optional.empty();
    private Optional<X509Certificate> certificate = Optional.empty();
    private Optional<Sent> acknowledged = Optional.empty();

    /// The names of the DNS, which outlives the server.
    public static final class Names implements AutoCloseable {
        private final LoopbackNames names = new LoopbackNames();

        public String hostAndPort() {
            return names.hostAndPort();
        }

        @Override
        public void close() {
            names.close();
        }
    }

    private record Sent(String url, Map<String, Object> message) {}

    /// @param secretId the id of the secret that binds the account to the device
    public KilledOrder(int port, X509Certificate root, Names names, String secretId, String secret, String name)
            throws Exception {
        this.caller = new AcmeCaller(port, root, "gateway");
        this.names = names.names;
        this.secretId = secretId;
        this.secret = secret;
        this.name = name;
        KeyPair key = Crypto.generateP256(AcmeCaller.RANDOM);
        this.request = AcmeOrdersTest.request("", key, name);
    }

    /// Goes on from where it is to the certificate.
    ///
    /// @throws IOException when the server is gone
    /// @throws AssertionError when it answers what it must not, or nothing comes of it in time
    public X509Certificate goOn(Watcher watcher) throws Exception {
        if (caller.kid.isEmpty()) {
            watcher.before(Step.ACCOUNT);
            expect(caller.open(secretId, secret), 200, 201);
        }
        if (order.isEmpty()) {
            watcher.before(Step.ORDER);
            HttpResponse<String> created = post(
                    caller.root + "new-order",
                    Map.of("identifiers", java.util.List.of(Map.of("type", "dns", "value", name))));
            expect(created, 201);
            order = Optional.of(AcmeCaller.location(created));
        }
        JsonNode now = caller.asked(order.get());
        Instant end = Instant.now().plus(PATIENCE);
        while (!now.path("status").asText().equals("valid")) {
            switch (now.path("status").asText()) {
                case "pending" -> prove(now, watcher);
                case "ready" -> {
                    watcher.before(Step.FINALIZE);
                    expect(post(now.path("finalize").asText(), Map.of("csr", AcmeCaller.encode(request))), 200);
                }
                case "processing" -> watcher.before(Step.VALID);
                default -> throw new AssertionError("an order that can't become valid: " + now);
            }
            if (Instant.now().isAfter(end)) {
                throw new AssertionError("stuck: " + now);
            }
            TimeUnit.MILLISECONDS.sleep(20);
            now = caller.asked(order.get());
        }
        watcher.before(Step.DOWNLOAD);
        HttpResponse<String> downloaded = caller.ask(now.path("certificate").asText());
        expect(downloaded, 200);
        certificate = Optional.of(Certificates.parsePem(downloaded.body()).getFirst());
        return certificate.get();
    }

    /// Section 7.5.1: an answer that may not have arrived is given again.
    private void prove(JsonNode now, Watcher watcher) throws Exception {
        watcher.before(Step.AUTHORIZATION);
        JsonNode authorization = caller.asked(now.path("authorizations").path(0).asText());
        for (JsonNode challenge : authorization.path("challenges")) {
            if (challenge.path("type").asText().equals("dns-01")
                    && challenge.path("status").asText().equals("pending")) {
                names.texts.put(
                        "_acme-challenge." + name,
                        Set.of(ChallengeType.dnsValue(
                                challenge.path("token").asText() + "." + AcmeCaller.thumbprint(caller.key))));
                watcher.before(Step.CHALLENGE);
                expect(post(challenge.path("url").asText(), Map.of()), 200);
            }
        }
    }

    private HttpResponse<String> post(String url, Object payload) throws Exception {
        Map<String, Object> message = AcmeCaller.signed(caller.header(url), Json.bytes(payload), caller.key);
        HttpResponse<String> answer = caller.send(url, message);
        acknowledged = Optional.of(new Sent(url, new LinkedHashMap<>(message)));
        return answer;
    }

    private static void expect(HttpResponse<String> answer, int... statuses) {
        for (int status : statuses) {
            if (answer.statusCode() == status) {
                return;
            }
        }
        throw new AssertionError(answer.statusCode() + " " + answer.body());
    }

    /// The last message that was answered, once more.
    ///
    /// @return the problem that it meets; empty when nothing was answered yet
    public Optional<String> replay() throws Exception {
        if (acknowledged.isEmpty()) {
            return Optional.empty();
        }
        HttpResponse<String> answer =
                caller.send(acknowledged.get().url(), acknowledged.get().message());
        return Optional.of(Json.tree(answer.body()).path("type").asText("taken: " + answer.statusCode()));
    }

    /// The states of all orders of the account, the one that it went on with and those it does not know of.
    public Map<String, String> orders() throws Exception {
        Map<String, String> all = new LinkedHashMap<>();
        JsonNode account = Json.tree(caller.post(caller.kid, Map.of()).body());
        for (JsonNode url : caller.asked(account.path("orders").asText()).path("orders")) {
            all.put(url.asText(), caller.asked(url.asText()).path("status").asText());
        }
        return all;
    }

    @Override
    public void close() {
        caller.close();
    }
}
