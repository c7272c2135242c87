package dev.holdfast.notify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.standardwebhooks.Webhook;
import com.sun.net.httpserver.HttpServer;
import dev.holdfast.config.Configuration;
import dev.holdfast.config.ConfigurationException;
import dev.holdfast.core.Actor;
import dev.holdfast.core.Environment;
import dev.holdfast.core.Json;
import dev.holdfast.database.Database;
import dev.holdfast.database.TestDatabase;
import dev.holdfast.journal.Entry;
import dev.holdfast.journal.Journal;
import dev.holdfast.notify.Channel.Severity;
import dev.holdfast.testkit.RealClient;
import io.vertx.core.Vertx;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.OffsetDateTime;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class NotifyTest {
    private static final Environment ENVIRONMENT = new Environment("development");
    private static final Actor OPERATOR = new Actor.Operator("o-1");
    private static final Outbox.Patience QUICK =
            new Outbox.Patience(Duration.ofMillis(50), Duration.ofMillis(200), 3, Duration.ofDays(7));

    private Database database;
    private Journal journal;
    private Vertx vertx;
    private Channels channels;

    private record Received(String body, Map<String, List<String>> headers) {
        String reason() {
            try {
                return Json.tree(body).path("data").path("reason").asText();
            } catch (IOException e) {
                throw new IllegalStateException(e);
            }
        }
    }

    @BeforeEach
    void open() throws IOException, ConfigurationException {
        database = TestDatabase.fresh();
        journal = Journal.open(database, InstantSource.system());
        journal.startTail();
        vertx = Vertx.vertx();
        channels = channels(0);
        channels.start();
    }

    /// @param smtpPort 0 for no mail server
    private Channels channels(int smtpPort) throws IOException, ConfigurationException {
        return channels(smtpPort, QUICK);
    }

    private Channels channels(int smtpPort, Outbox.Patience patience) throws IOException, ConfigurationException {
        Map<String, String> settings = new HashMap<>(Map.of("HOLDFAST_NOTIFICATIONS_LOOPBACK_WEBHOOKS", "true"));
        if (smtpPort > 0) {
            settings.put("HOLDFAST_SMTP_HOST", "127.0.0.1");
            settings.put("HOLDFAST_SMTP_PORT", Integer.toString(smtpPort));
            settings.put("HOLDFAST_SMTP_START_TLS", "false");
        }
        return new Channels(
                database,
                journal,
                vertx,
                Configuration.load(Optional.empty(), settings),
                KEY,
                new SecureRandom(),
                InstantSource.system(),
                patience);
    }

    @AfterEach
    void close() throws Exception {
        channels.close();
        vertx.close().toCompletionStage().toCompletableFuture().get(20, TimeUnit.SECONDS);
        journal.close();
        database.close();
    }

    private static final byte[] KEY = new SecureRandom().generateSeed(32);

    private String stored() {
        return database.read(
                sql -> sql.fetchSingle("select secret from notify_channel").get(0, String.class));
    }

    @Test
    void aSecretLiesSealedInTheDatabaseAlsoOneThatAnEarlierVersionLeftInClear() throws Exception {
        List<Received> received = new CopyOnWriteArrayList<>();
        HttpServer server = receiver(0, 204, received);
        try {
            Channels.Made made = webhook("shift", server.getAddress().getPort());
            String secret = made.secret().orElseThrow();
            assertThat(stored()).doesNotContain(secret).startsWith("sealed:v1:");
            channels.close();
            database.run(sql -> sql.execute("update notify_channel set secret = ?", secret));
            channels = channels(0);
            channels.start();
            assertThat(stored()).doesNotContain(secret).startsWith("sealed:v1:");
            happens(1);
            await(() -> received.size() == 1);
            assertThatCode(() -> new Webhook(secret)
                            .verify(
                                    received.getFirst().body(),
                                    lowerCase(received.getFirst().headers())))
                    .doesNotThrowAnyException();
        } finally {
            server.stop(0);
        }
    }

    @Test
    void aSecretIsReadWithItsOwnKeyAndForItsOwnChannelOnly() {
        SecretBox box = new SecretBox(KEY, new SecureRandom());
        String sealed = box.seal("whsec_abc", "development/shift");
        assertThat(box.open(sealed, "development/shift")).isEqualTo("whsec_abc");
        assertThat(box.seal("whsec_abc", "development/shift")).isNotEqualTo(sealed);
        assertThatThrownBy(() -> box.open(sealed, "development/other"))
                .isInstanceOf(SecretBox.UnreadableException.class)
                .hasMessageContaining("notification-key");
        SecretBox another = new SecretBox(new byte[32], new SecureRandom());
        assertThatThrownBy(() -> another.open(sealed, "development/shift"))
                .isInstanceOf(SecretBox.UnreadableException.class);
        assertThatThrownBy(() -> box.open("sealed:v1:AAAA", "development/shift"))
                .isInstanceOf(SecretBox.UnreadableException.class);
    }

    private void happens(int number) {
        journal.run(tx -> tx.record(new Entry(
                "incident.opened",
                ENVIRONMENT,
                "device:m-" + number,
                new Actor.Holdfast("response"),
                "incident " + number,
                Map.of("incident", number, "severity", "HIGH"))));
    }

    private static HttpServer receiver(int port, int status, List<Received> received) throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 50);
        server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        server.createContext("/hook", exchange -> {
            String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
            received.add(new Received(body, Map.copyOf(exchange.getRequestHeaders())));
            exchange.sendResponseHeaders(status, -1);
            exchange.close();
        });
        server.start();
        return server;
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    private Channels.Made webhook(String name, int port) {
        Channels.Added added = channels.add(
                ENVIRONMENT,
                name,
                new Channel.Target.Webhook(URI.create("http://127.0.0.1:" + port + "/hook")),
                List.of(),
                Severity.LOW,
                OPERATOR);
        return ((Channels.Added.Done) added).made();
    }

    private static void await(BooleanSupplier condition) {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime() - deadline).isNegative();
            LockSupport.parkNanos(5_000_000);
        }
    }

    @Test
    void aWebhookIsSignedSoThatAnyStandardWebhooksLibraryVerifiesIt() throws Exception {
        List<Received> received = new CopyOnWriteArrayList<>();
        HttpServer server = receiver(0, 204, received);
        try {
            Channels.Made made = webhook("shift", server.getAddress().getPort());
            happens(1);
            await(() -> received.size() == 1);
            Received one = received.getFirst();
            Webhook verifier = new Webhook(made.secret().orElseThrow());
            assertThatCode(() -> verifier.verify(one.body(), lowerCase(one.headers())))
                    .doesNotThrowAnyException();
            assertThatCode(() -> verifier.verify(one.body().replace("m-1", "m-2"), lowerCase(one.headers())))
                    .isInstanceOf(Exception.class);
            assertThat(Json.tree(one.body()).path("type").asText()).isEqualTo("incident.opened");
            assertThat(one.reason()).isEqualTo("incident 1");
            assertThat(channels.list(ENVIRONMENT).toString())
                    .doesNotContain(made.secret().orElseThrow());
            await(() -> channels.list(ENVIRONMENT)
                    .getFirst()
                    .health()
                    .lastDeliveredAt()
                    .isPresent());
        } finally {
            server.stop(0);
        }
    }

    private static Map<String, List<String>> lowerCase(Map<String, List<String>> headers) {
        Map<String, List<String>> lower = new java.util.HashMap<>();
        headers.forEach((name, values) -> lower.put(name.toLowerCase(java.util.Locale.ROOT), values));
        return lower;
    }

    @Test
    void aReceiverThatIsDownLosesNothingAndGetsAllInOrderAlsoAfterARestart() throws Exception {
        channels.close();
        // Longer than the restart takes, so that the first message's turn has not come again when the receiver is back.
        Duration patient = Duration.ofSeconds(2);
        channels = channels(0, new Outbox.Patience(patient, patient, 3, Duration.ofDays(7)));
        channels.start();
        int port = freePort();
        webhook("shift", port);
        for (int i = 1; i <= 15; i++) {
            happens(i);
        }
        await(() -> !channels.list(ENVIRONMENT).getFirst().health().lastError().isEmpty());
        channels.close();
        for (int i = 16; i <= 30; i++) {
            happens(i); // while nobody tails the journal
        }
        List<Received> received = new CopyOnWriteArrayList<>();
        HttpServer server = receiver(port, 200, received);
        try {
            channels = channels(0);
            channels.start();
            await(() -> received.size() >= 30);
            await(() -> channels.list(ENVIRONMENT).getFirst().health().waiting() == 0);
            assertThat(received.stream().map(Received::reason).distinct()).containsExactlyElementsOf(incidents(30));
        } finally {
            server.stop(0);
        }
    }

    @Test
    void aMessageOverWhichTheReceiverFailsDoesNotHoldUpTheOthersForEver() throws Exception {
        List<String> taken = new CopyOnWriteArrayList<>();
        AtomicBoolean mended = new AtomicBoolean();
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 50);
        server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        server.createContext("/hook", exchange -> {
            String reason = new Received(
                            new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8), Map.of())
                    .reason();
            boolean fails = reason.equals("incident 2") && !mended.get();
            if (!fails) {
                taken.add(reason);
            }
            exchange.sendResponseHeaders(fails ? 500 : 200, -1);
            exchange.close();
        });
        server.start();
        try {
            webhook("shift", server.getAddress().getPort());
            for (int i = 1; i <= 4; i++) {
                happens(i);
            }
            await(() -> taken.contains("incident 4"));
            assertThat(taken.stream().distinct()).containsExactly("incident 1", "incident 3", "incident 4");
            mended.set(true);
            await(() -> taken.contains("incident 2"));
        } finally {
            server.stop(0);
        }
    }

    @Test
    void whatADeadNodeHeldIsTakenAfterItsLeaseAndIsItsOwnNoMore() throws Exception {
        webhook("shift", freePort());
        long channel = channels.list(ENVIRONMENT).getFirst().id();
        channels.close();
        database.run(sql -> {
            sql.execute("delete from notify_outbox");
            for (int entry = 1; entry <= 3; entry++) {
                NotifyStore.enqueue(sql, channel, 1_000 + entry, "incident.opened", "{}", Instant.now());
            }
        });
        Duration lease = Duration.ofMinutes(1);
        List<NotifyStore.Taken> dead = database.transact(sql -> NotifyStore.take(sql, channel, lease, 2));
        assertThat(dead).hasSize(2);
        assertThat(database.<List<NotifyStore.Taken>>transact(sql -> NotifyStore.take(sql, channel, lease, 2)))
                .as("not even the third, which nobody holds: it comes after them")
                .isEmpty();
        database.run(sql -> sql.execute("update notify_outbox set lease_until = lease_until - interval '2 minutes'"
                + " where lease_until is not null"));
        List<NotifyStore.Taken> other = database.transact(sql -> NotifyStore.take(sql, channel, lease, 3));
        assertThat(other).hasSize(3);

        List<Long> ids = dead.stream().map(NotifyStore.Taken::id).toList();
        OffsetDateTime old = dead.getFirst().lease();
        assertThat(database.<Optional<OffsetDateTime>>transact(sql -> NotifyStore.hold(sql, ids, old, lease)))
                .isEmpty();
        database.run(sql -> NotifyStore.release(sql, ids, old));
        assertThat(database.<Boolean>transact(sql -> NotifyStore.dead(sql, dead.getFirst(), channel, "no")))
                .isFalse();
        assertThat(database.<List<NotifyStore.Taken>>transact(sql -> NotifyStore.take(sql, channel, lease, 3)))
                .as("what the other holds is held on")
                .isEmpty();
    }

    @Test
    void twoNodesBringAChannelsMessagesInTheirOrder() throws Exception {
        List<Received> received = new CopyOnWriteArrayList<>();
        HttpServer server = receiver(0, 200, received);
        try (Channels other = channels(0)) {
            other.start();
            webhook("shift", server.getAddress().getPort());
            for (int i = 1; i <= 100; i++) {
                happens(i);
            }
            await(() -> channels.list(ENVIRONMENT).getFirst().health().waiting() == 0 && received.size() >= 100);
            assertThat(received.stream().map(Received::reason).distinct()).containsExactlyElementsOf(incidents(100));
        } finally {
            server.stop(0);
        }
    }

    private static List<String> incidents(int count) {
        return java.util.stream.IntStream.rangeClosed(1, count)
                .mapToObj(i -> "incident " + i)
                .toList();
    }

    @Test
    void whatAReceiverKeepsRejectingIsDeadVisibleAndCanBeSentAgain() throws Exception {
        List<Received> received = new CopyOnWriteArrayList<>();
        HttpServer server = receiver(0, 400, received);
        Channels.Made made = webhook("shift", server.getAddress().getPort());
        int port = server.getAddress().getPort();
        try {
            happens(1);
            await(() -> channels.list(ENVIRONMENT).getFirst().health().dead() >= 1);
            Delivery dead = channels.deliveries(ENVIRONMENT, made.channel().id(), Long.MAX_VALUE, 10).stream()
                    .filter(d -> d.status() == Delivery.Status.DEAD && d.kind().equals("incident.opened"))
                    .findFirst()
                    .orElseThrow();
            assertThat(dead.attempts()).isEqualTo(3);
            assertThat(dead.lastError()).contains("400");
            assertThat(received.stream()
                            .filter(r -> r.reason().equals("incident 1"))
                            .map(r -> r.headers().get("Webhook-id"))
                            .distinct())
                    .hasSize(1);
        } finally {
            server.stop(0);
        }
        List<Received> better = new CopyOnWriteArrayList<>();
        HttpServer mended = receiver(port, 200, better);
        try {
            assertThat(channels.redeliver(ENVIRONMENT, made.channel().id(), OPERATOR))
                    .isPositive();
            await(() -> better.stream().anyMatch(r -> r.reason().equals("incident 1")));
        } finally {
            mended.stop(0);
        }
    }

    @Test
    void aReceiverThatHangsDelaysNobodyElse() throws Exception {
        CountDownLatch release = new CountDownLatch(1);
        CountDownLatch hanging = new CountDownLatch(1);
        HttpServer slow = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 5);
        slow.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        slow.createContext("/hook", exchange -> {
            hanging.countDown();
            try {
                release.await(60, TimeUnit.SECONDS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            exchange.sendResponseHeaders(200, -1);
            exchange.close();
        });
        slow.start();
        List<Received> received = new CopyOnWriteArrayList<>();
        HttpServer quick = receiver(0, 200, received);
        try {
            webhook("slow", slow.getAddress().getPort());
            happens(1);
            assertThat(hanging.await(20, TimeUnit.SECONDS)).isTrue();
            webhook("quick", quick.getAddress().getPort());
            happens(2);
            await(() -> received.stream().anyMatch(r -> r.reason().equals("incident 2")));
        } finally {
            release.countDown();
            slow.stop(0);
            quick.stop(0);
        }
    }

    @Test
    void tellsOnlyWhatAChannelWantsAndTestsOneAtWill() throws Exception {
        List<Received> received = new CopyOnWriteArrayList<>();
        HttpServer server = receiver(0, 200, received);
        try {
            Channels.Added added = channels.add(
                    ENVIRONMENT,
                    "only the worst",
                    new Channel.Target.Webhook(
                            URI.create("http://127.0.0.1:" + server.getAddress().getPort() + "/hook")),
                    List.of("incident.*"),
                    Severity.CRITICAL,
                    OPERATOR);
            happens(1); // HIGH is less than CRITICAL
            long id = ((Channels.Added.Done) added).made().channel().id();
            assertThat(channels.test(ENVIRONMENT, id, OPERATOR)).isTrue();
            await(() -> !received.isEmpty());
            assertThat(received.getFirst().reason()).contains("This is a test");
            assertThat(channels.test(ENVIRONMENT, id + 99, OPERATOR)).isFalse();
        } finally {
            server.stop(0);
        }
    }

    @Test
    void refusesAddressesThatOnlyThisServerCanReach() throws Exception {
        for (String url : List.of(
                "http://example.org/hook",
                "ftp://example.org/",
                "https://user:secret@example.org/",
                "https://169.254.169.254/latest/meta-data",
                "https://[fe80::1]/",
                "https://0.0.0.0/",
                "https://127.0.0.1/",
                "https://[::1]/",
                "https://[::ffff:127.0.0.1]/",
                "https://224.0.0.1/",
                "file:///etc/passwd",
                "https:///nohost")) {
            assertThat(WebhookAddress.refusal(URI.create(url), false)).as(url).isPresent();
        }
        assertThat(WebhookAddress.refusal(URI.create("https://10.1.2.3/hook"), false))
                .isEmpty();
        assertThat(WebhookAddress.refusal(URI.create("http://10.1.2.3/hook"), true))
                .isPresent();
        assertThat(WebhookAddress.refusal(URI.create("http://127.0.0.1:9/hook"), true))
                .isEmpty();
    }

    @Test
    void mailArrivesAtARealServerAsPlainTextWithNoHeaderOfADevicesMaking() throws Exception {
        int port = freePort();
        try (var server = RealClient.of(
                        "aiosmtpd", "-n", "-l", "127.0.0.1:" + port, "-c", "aiosmtpd.handlers.Debugging", "stdout")
                .with("PYTHONUNBUFFERED", "1")
                .start()) {
            channels.close();
            channels = channels(port);
            channels.start();
            Channels.Added added = channels.add(
                    ENVIRONMENT,
                    "mail",
                    new Channel.Target.Mail(List.of("shift@example.org"), ""),
                    List.of(),
                    Severity.LOW,
                    OPERATOR);
            assertThat(added).isInstanceOf(Channels.Added.Done.class);
            journal.run(tx -> tx.record(new Entry(
                    "incident.opened",
                    ENVIRONMENT,
                    "device:m-7",
                    new Actor.Holdfast("response"),
                    "seen \r\nBcc: everybody@example.org\r\n\r\n<b>evil</b>",
                    Map.of("severity", "HIGH"))));
            server.awaitLine(
                    line -> line.contains("Subject: [HIGH] Incident opened: m-7 (development)"),
                    Duration.ofSeconds(30));
            // One line of the body: neither a header nor a line of its own.
            server.awaitLine(
                    line -> line.equals("seen  Bcc: everybody@example.org <b>evil</b>"), Duration.ofSeconds(30));
            server.awaitLine(line -> line.contains("END MESSAGE"), Duration.ofSeconds(30));
            await(() -> channels.list(ENVIRONMENT)
                    .getFirst()
                    .health()
                    .lastDeliveredAt()
                    .isPresent());
        }
    }

    @Test
    void aMailServerThatIsDownLosesNothing() throws Exception {
        int port = freePort();
        channels.close();
        channels = channels(port);
        channels.start();
        channels.add(
                ENVIRONMENT,
                "mail",
                new Channel.Target.Mail(List.of("shift@example.org"), "holdfast@example.org"),
                List.of(),
                Severity.LOW,
                OPERATOR);
        happens(8);
        await(() -> channels.list(ENVIRONMENT).getFirst().health().lastError().contains("mail server"));
        try (var server = RealClient.of(
                        "aiosmtpd", "-n", "-l", "127.0.0.1:" + port, "-c", "aiosmtpd.handlers.Debugging", "stdout")
                .with("PYTHONUNBUFFERED", "1")
                .start()) {
            server.awaitLine(line -> line.contains("incident 8"), Duration.ofSeconds(30));
        }
    }
}
