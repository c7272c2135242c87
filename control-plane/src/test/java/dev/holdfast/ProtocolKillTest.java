package dev.holdfast;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.acme.KilledOrder;
import dev.holdfast.cmp.KilledTransaction;
import dev.holdfast.core.Serial;
import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.testkit.RealClient;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// kill -9 of the whole server at seeded moments between the messages of ACME orders and of CMP transactions, one
/// of each at a time; each kill waits for a step of one of them and a moment more.
///
/// Whatever the moment, after the restart both go on by their protocol's rules and get their certificate: the only
/// one of their device, counting, also after what is overdue was ended; no order is stuck; what was answered before
/// the kill is refused when it is sent again; the journal verifies. 10 kills, 100 with `-Dholdfast.long=true`.
class ProtocolKillTest {
    private static final long SEED = Long.getLong("holdfast.seed", System.nanoTime() % 1_000_000_000L);
    private static final int KILLS = Boolean.getBoolean("holdfast.long") ? 100 : 10;
    private static final int LONGEST_MOMENT_MICROS = 30_000;
    private static Path folder = Path.of("");
    private static KilledOrder.Names names = new KilledOrder.Names();

    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private final Random random = new Random(SEED);
    private final Map<String, String> settings = new HashMap<>();
    private final Map<String, Integer> killedAt = new TreeMap<>();
    private Duration ahead = Duration.ZERO;
    private int killedInTheMiddle;
    private int replayed;

    /// A device and the certificate that it ended up with.
    private record Outcome(String device, X509Certificate certificate) {}

    @BeforeAll
    static void prepare() throws IOException {
        folder = Files.createTempDirectory("holdfast-protocol-kill");
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx--x--x"));
    }

    @AfterAll
    static void clean() {
        names.close();
        RealClient.of("rm", "-rf", folder.toString()).run();
    }

    /// Below those that the system gives to clients, so that it is free again after each kill.
    private static int port() throws IOException {
        for (int port = 10_000 + (int) (ProcessHandle.current().pid() * 61 % 20_000); port < 32_000; port++) {
            try (ServerSocket free = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
                return free.getLocalPort();
            } catch (IOException taken) {
                // the next one, then
            }
        }
        throw new IOException("no free port");
    }

    /// Each start finds the clock a minute on, after which a challenge that a server died over is looked at again.
    private ServerProcess start() {
        ahead = ahead.plusSeconds(61);
        settings.put(ServerProbe.AHEAD, ahead.toString());
        return ServerProcess.start(folder.resolve("data"), settings);
    }

    @Test
    void afterAnyKillOrdersAndTransactionsGoOnAndEndInOneCertificateEach() throws Exception {
        System.out.println("seed " + SEED + " of " + KILLS + " kills");
        settings.put("HOLDFAST_LISTENERS_DEVICE_PORT", Integer.toString(port()));
        settings.put("HOLDFAST_ACME_RESOLVER", names.hostAndPort());
        List<Outcome> outcomes = new ArrayList<>();
        ServerProcess server = start();
        try {
            server.ask("gateways");
            for (int kill = 0; kill < KILLS; kill++) {
                String as = "seed " + SEED + ", kill " + kill;
                String[] authorities = server.ask("authorities").split(" ", -1);
                try (KilledOrder order = order(server, kill, authorities)) {
                    KilledTransaction transaction = transaction(server, kill, authorities);
                    killInTheMiddle(server, order, transaction);
                    server = start();
                    refused(as, order.replay().orElse("badNonce"), "badNonce");
                    refused(as, transaction.replay().orElse("good once"), "good once");
                    outcomes.add(new Outcome("acme-" + kill, order.goOn(_ -> {})));
                    outcomes.add(new Outcome("cmp-" + kill, transaction.goOn(_ -> {})));
                    assertThat(order.orders().values()).as(as).doesNotContain("processing", "invalid");
                    refused(as, order.replay().orElseThrow(), "badNonce");
                }
                assertThat(server.ask("verify")).as(as).isEqualTo("Optional.empty");
            }
            server.close();
            ahead = ahead.plusMinutes(20); // beyond the time in which CMP wants its confirmations
            server = start();
            server.ask("sweep");
            for (Outcome outcome : outcomes) {
                assertThat(server.ask("standing " + outcome.device()))
                        .as("seed " + SEED + ", " + outcome.device())
                        .matches(Serial.of(outcome.certificate().getSerialNumber())
                                        .hex() + "=(PENDING|ACTIVE)");
            }
            assertThat(server.ask("verify")).isEqualTo("Optional.empty");
        } finally {
            server.close();
        }
        System.out.printf(
                "%d kills, %d in the middle (%s), %d messages sent again and refused, 0 certificates lost or doubled%n",
                KILLS, killedInTheMiddle, killedAt, replayed);
        assertThat(killedInTheMiddle).isPositive();
    }

    private void refused(String as, String said, String expected) {
        assertThat(said).as(as).contains(expected);
        replayed++;
    }

    private static X509Certificate certificate(String base64) throws Exception {
        return Certificates.parse(Base64.getDecoder().decode(base64));
    }

    private static KilledOrder order(ServerProcess server, int kill, String[] authorities) throws Exception {
        String[] secret = server.ask("secret acme-" + kill).split(" ", -1);
        return new KilledOrder(
                server.port("device"),
                certificate(authorities[0]),
                names,
                secret[0],
                secret[1],
                "k" + kill + ".gw.example.test");
    }

    private static KilledTransaction transaction(ServerProcess server, int kill, String[] authorities)
            throws Exception {
        String device = "cmp-" + kill;
        String[] secret = server.ask("secret " + device).split(" ", -1);
        return new KilledTransaction(
                server.port("device"),
                certificate(authorities[0]),
                certificate(authorities[1]),
                secret[0],
                secret[1],
                device);
    }

    /// A step of one of the two is chosen, and a moment after it.
    private void killInTheMiddle(ServerProcess victim, KilledOrder order, KilledTransaction transaction)
            throws Exception {
        List<String> steps = new ArrayList<>();
        for (KilledOrder.Step step : KilledOrder.Step.values()) {
            steps.add("ACME " + step);
        }
        for (KilledTransaction.Step step : KilledTransaction.Step.values()) {
            steps.add("CMP " + step);
        }
        String chosen = steps.get(random.nextInt(steps.size()));
        int moment = random.nextInt(LONGEST_MOMENT_MICROS);
        CountDownLatch reached = new CountDownLatch(1);
        Future<Boolean> ordering = threads.submit(() -> isWhole(() -> order.goOn(step -> {
            if (chosen.equals("ACME " + step)) {
                reached.countDown();
            }
        })));
        Future<Boolean> asking = threads.submit(() -> isWhole(() -> transaction.goOn(step -> {
            if (chosen.equals("CMP " + step)) {
                reached.countDown();
            }
        })));
        reached.await(5, TimeUnit.SECONDS); // VALID is reached only where finalizing takes its time
        TimeUnit.MICROSECONDS.sleep(moment);
        victim.kill();
        boolean ordered = ordering.get();
        boolean asked = asking.get();
        if (!ordered || !asked) {
            killedInTheMiddle++;
            killedAt.merge(chosen, 1, Integer::sum);
        }
    }

    @FunctionalInterface
    private interface Trying {
        Object run() throws Exception;
    }

    /// Whether it came to its end before the server came to its own; an answer that must not be is a failure
    /// also then.
    private static boolean isWhole(Trying trying) throws Exception {
        try {
            return trying.run() != null;
        } catch (IOException killed) {
            return false;
        } catch (AssertionError e) {
            if (e.getCause() instanceof IOException) {
                return false;
            }
            throw e;
        }
    }
}
