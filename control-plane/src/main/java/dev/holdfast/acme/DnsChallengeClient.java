package dev.holdfast.acme;

import dev.holdfast.protocol.acme.AcmeException;
import dev.holdfast.protocol.acme.AcmeProblem;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.dns.DnsClient;
import io.vertx.core.dns.DnsClientOptions;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/// Asks the DNS: by the resolver that the configuration names, or by the machine's own. Answers are not
/// DNSSEC-checked here; a resolver that checks is worth naming.
final class DnsChallengeClient {
    private static final Duration PATIENCE = Duration.ofSeconds(5);
    private static final int MOST_ANSWERS = 32;
    private static final String PREFIX = "_acme-challenge.";

    private final DnsClient client;
    private final boolean configured;

    /// @param resolver `host:port`; empty for the machine's own
    DnsChallengeClient(Vertx vertx, Optional<HostAndPort> resolver) {
        DnsClientOptions options = new DnsClientOptions().setQueryTimeout(PATIENCE.toMillis());
        resolver.ifPresent(at -> options.setHost(at.host()).setPort(at.port()));
        this.client = vertx.createDnsClient(options);
        this.configured = resolver.isPresent();
    }

    record HostAndPort(String host, int port) {
        /// @throws IllegalArgumentException when it is not `host:port`
        static HostAndPort parse(String text) {
            int colon = text.lastIndexOf(':');
            if (colon < 1 || !text.substring(colon + 1).matches("[0-9]{1,5}")) {
                throw new IllegalArgumentException("acme.resolver is not host:port, such as 10.0.0.53:53");
            }
            return new HostAndPort(
                    text.substring(0, colon).replaceAll("[\\[\\]]", ""), Integer.parseInt(text.substring(colon + 1)));
        }
    }

    /// The name's addresses; none when it has none. Blocks.
    List<InetAddress> addresses(String name) throws AcmeException {
        try {
            if (!configured) {
                return Arrays.asList(InetAddress.getAllByName(name));
            }
            List<InetAddress> all = new ArrayList<>();
            for (Future<List<String>> asked : List.of(client.resolveA(name), client.resolveAAAA(name))) {
                for (String address : answers(asked, name)) {
                    all.add(InetAddress.ofLiteral(address));
                }
            }
            return all;
        } catch (UnknownHostException | IllegalArgumentException e) {
            return List.of();
        }
    }

    /// Returns when the name's TXT records hold the digest (RFC 8555 section 8.4). Blocks.
    ///
    /// @param value base64url of the SHA-256 of the key authorization
    void check(String name, String value) throws AcmeException {
        if (!answers(client.resolveTXT(PREFIX + name), name).contains(value)) {
            throw new AcmeException(
                    AcmeProblem.UNAUTHORIZED,
                    "no TXT record of " + PREFIX + name + " has the digest of the key authorization");
        }
    }

    /// A name without such records answers with an error, as one that can't be asked about does.
    private static List<String> answers(Future<List<String>> asked, String name) throws AcmeException {
        try {
            List<String> answers = asked.toCompletionStage()
                    .exceptionally(_ -> List.of())
                    .toCompletableFuture()
                    .get(PATIENCE.toMillis() * 2, TimeUnit.MILLISECONDS);
            return answers == null ? List.of() : answers.subList(0, Math.min(answers.size(), MOST_ANSWERS));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AcmeException(AcmeProblem.DNS, name + ": interrupted while asking");
        } catch (java.util.concurrent.ExecutionException | TimeoutException e) {
            throw new AcmeException(AcmeProblem.DNS, name + ": the DNS did not answer");
        }
    }
}
