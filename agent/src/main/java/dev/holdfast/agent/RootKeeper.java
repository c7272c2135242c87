package dev.holdfast.agent;

import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.protocol.cms.CertificatesOnly;
import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.protocol.x509.RootSuccession;
import dev.holdfast.protocol.x509.X509FormatException;
import io.netty.handler.codec.http.HttpHeaders;
import java.io.IOException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Keeps the device's roots up to date: asks the server for its authorities (RFC 7030 section 4.1) with each
/// new certificate, when it is told that there is a root to learn, and now and then.
///
/// It asks over the device's own authenticated connection, and even so believes in a new root only when one
/// that it trusts carries it in ([RootSuccession]).
final class RootKeeper {
    private static final String PATH = "/.well-known/est/cacerts";
    private static final int MOST_OCTETS = 262_144;

    private final AgentSettings settings;
    private final DeviceStore store;
    private final Life life;
    private final InstantSource clock;
    private final Lifeline device;
    private final Changes changes;
    private TrustedRoots trusted;
    private @Nullable DeviceHttpClient https;
    private boolean asking;
    private boolean askAgain;
    private int turn;

    /// Hears what has become of the roots.
    interface Changes {
        void learned();

        /// Connections that were made under it must not go on.
        void withdrawn();
    }

    RootKeeper(
            AgentSettings settings,
            DeviceStore store,
            Life life,
            InstantSource clock,
            Lifeline device,
            Changes changes) {
        this.settings = settings;
        this.store = store;
        this.life = life;
        this.clock = clock;
        this.device = device;
        this.changes = changes;
        this.trusted = TrustedRoots.given(settings.anchors());
    }

    /// A new life begins.
    void start() throws IOException {
        trusted = TrustedRoots.read(store, settings.anchors());
    }

    TrustedRoots trusted() {
        return trusted;
    }

    /// The device has a certificate, and asks with it from now on.
    void open(DeviceHttpClient client) {
        https = client;
        asking = false;
        askAgain = false;
        askLater(settings.pace().firstPoll());
    }

    void close() {
        https = null;
    }

    /// Desired state: `{"roots":["SHA-256", ...]}`. A hint to ask, and no more than that.
    void wanted(JsonNode trust) {
        for (JsonNode root : trust.path("roots")) {
            if (!trusted.has(root.asText())) {
                if (asking) {
                    askAgain = true; // the answer under way may be older than the wish
                } else {
                    askLater(settings.pace().firstPoll());
                }
                return;
            }
        }
    }

    /// There is one next time: a later wish takes its place.
    private void askLater(Duration pause) {
        DeviceHttpClient client = https;
        if (client != null) {
            int mine = ++turn;
            life.later(life.jittered(pause), () -> {
                if (https == client && turn == mine) {
                    ask(client);
                }
            });
        }
    }

    private void ask(DeviceHttpClient client) {
        asking = true;
        askAgain = false;
        client.send(DeviceHttpClient.Request.get(PATH, Map.of()), new Heard(client, life.number()));
    }

    /// The answer, and the chain that the server showed on the connection it came over.
    private final class Heard implements DeviceHttpClient.Receiver {
        private final DeviceHttpClient client;
        private final WholeAnswer whole;
        private List<X509Certificate> chain = List.of();

        Heard(DeviceHttpClient client, int mine) {
            this.client = client;
            this.whole = new WholeAnswer(MOST_OCTETS, result -> {
                if (life.is(mine) && https == client) {
                    asking = false;
                    conclude(result, chain);
                }
            });
        }

        @Override
        public boolean head(int status, HttpHeaders headers) {
            chain = client.serverChain();
            return whole.head(status, headers);
        }

        @Override
        public boolean body(byte[] piece) {
            return whole.body(piece);
        }

        @Override
        public void end() {
            whole.end();
        }

        @Override
        public void failed(String reason) {
            whole.failed(reason);
        }
    }

    private void conclude(WholeAnswer.Result result, List<X509Certificate> chain) {
        switch (result) {
            case WholeAnswer.Result.Failed failed -> again("roots-not-heard", failed.reason());
            case WholeAnswer.Result.Answer answer
            when answer.status() == 200 -> {
                try {
                    heard(CertificatesOnly.decode(Base64.getMimeDecoder().decode(answer.body())), chain);
                    askLater(
                            askAgain
                                    ? settings.pace().firstPoll()
                                    : settings.pace().roots());
                } catch (X509FormatException | IllegalArgumentException e) {
                    again("roots-not-heard", "the answer is not a list of certificates: " + e.getMessage());
                } catch (IOException e) {
                    device.storeFailed(e);
                }
            }
            case WholeAnswer.Result.Answer answer -> again("roots-not-heard", "the server answered " + answer.status());
        }
    }

    private void again(String event, String why) {
        device.noted(event, why);
        askLater(settings.pace().retryMost());
    }

    /// 1. What the list changes. 2. It is on stable storage before it is used. 3. The server hears of it.
    private void heard(List<X509Certificate> listed, List<X509Certificate> chain) throws IOException {
        RootSuccession.Outcome outcome = trusted.hear(listed, chain, clock.instant());
        TrustedRoots next = trusted.after(outcome);
        if (!next.equals(trusted)) {
            next.write(store);
            trusted = next;
        }
        outcome.learned().forEach(root -> device.noted("root-learned", Certificates.fingerprint(root)));
        outcome.withdrawn().forEach(root -> device.noted("root-withdrawn", Certificates.fingerprint(root)));
        outcome.refused()
                .forEach(no -> device.noted("root-refused", Certificates.fingerprint(no.root()) + ": " + no.why()));
        if (!outcome.withdrawn().isEmpty()) {
            changes.withdrawn();
        } else if (!outcome.learned().isEmpty()) {
            changes.learned();
        }
    }
}
