package dev.holdfast.notify;

import com.standardwebhooks.Webhook;
import com.standardwebhooks.exceptions.EmptyWebhookSecretException;
import com.standardwebhooks.exceptions.WebhookSigningException;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.RequestOptions;
import io.vertx.core.net.SocketAddress;
import java.net.InetAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/// Posts a message as Standard Webhooks say: `webhook-id`, `webhook-timestamp`, `webhook-signature`
/// (HMAC-SHA-256 over
/// the three, versioned `v1`). Redirects are not followed, the answer's body is not read, every step has a time
/// limit.
final class WebhookClient implements AutoCloseable {
    private static final Duration MOST = Duration.ofSeconds(10);

    private final HttpClient client;
    private final boolean loopback;

    WebhookClient(Vertx vertx, boolean loopback) {
        this.loopback = loopback;
        client = vertx.createHttpClient(new HttpClientOptions()
                .setKeepAlive(false)
                .setVerifyHost(true)
                .setConnectTimeout((int) MOST.toMillis())
                .setMaxHeaderSize(16_384)
                .setDecompressionSupported(false));
    }

    /// Blocks: for virtual threads.
    ///
    /// @param id the same for every attempt at this message, so that the receiver can tell a repetition
    Sent send(URI url, String secret, String id, String payload, Instant now) {
        try {
            InetAddress address = WebhookAddress.resolve(url, loopback);
            String signature = new Webhook(secret).sign(id, now.getEpochSecond(), payload);
            int status = post(url, address, id, now, signature, payload);
            if (status >= 200 && status < 300) {
                return new Sent.Accepted();
            }
            String why = "the receiver answered " + status;
            return switch (status) {
                case 408, 425, 429, 502, 503, 504 -> new Sent.Away(why);
                default -> status >= 500 ? new Sent.Failed(why) : new Sent.Rejected(why);
            };
        } catch (UnknownHostException e) {
            return new Sent.Away("no address to connect to: " + e.getMessage());
        } catch (ExecutionException e) {
            return new Sent.Away("not reached: " + e.getMessage());
        } catch (TimeoutException e) {
            return new Sent.Away("no answer within " + MOST.toSeconds() + " s");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return new Sent.Away("the server is stopping");
        } catch (EmptyWebhookSecretException | WebhookSigningException e) {
            return new Sent.Rejected("can't be signed: " + e.getMessage());
        }
    }

    private int post(URI url, InetAddress address, String id, Instant now, String signature, String payload)
            throws ExecutionException, InterruptedException, TimeoutException {
        boolean tls = url.getScheme().equals("https");
        int port = url.getPort() > 0 ? url.getPort() : tls ? 443 : 80;
        String path = url.getRawPath() == null || url.getRawPath().isEmpty() ? "/" : url.getRawPath();
        RequestOptions options = new RequestOptions()
                .setMethod(HttpMethod.POST)
                .setServer(SocketAddress.inetSocketAddress(port, address.getHostAddress()))
                .setHost(url.getHost())
                .setPort(port)
                .setSsl(tls)
                .setURI(url.getRawQuery() == null ? path : path + "?" + url.getRawQuery())
                .setFollowRedirects(false)
                .setTimeout(MOST.toMillis())
                .putHeader("content-type", "application/json")
                .putHeader("user-agent", "holdfast")
                .putHeader("webhook-id", id)
                .putHeader("webhook-timestamp", Long.toString(now.getEpochSecond()))
                .putHeader("webhook-signature", signature);
        HttpClientRequest request = client.request(options)
                .toCompletionStage()
                .toCompletableFuture()
                .get(MOST.toMillis(), TimeUnit.MILLISECONDS);
        try {
            return request.send(Buffer.buffer(payload))
                    .toCompletionStage()
                    .toCompletableFuture()
                    .get(MOST.toMillis(), TimeUnit.MILLISECONDS)
                    .statusCode();
        } finally {
            request.connection().close(); // whatever else it would say is of no interest
        }
    }

    @Override
    public void close() {
        client.close();
    }
}
