package dev.holdfast;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.database.Database;
import dev.holdfast.database.EmbeddedPostgresStore;
import dev.holdfast.database.TestDatabase;
import dev.holdfast.mqtt.RawMqtt;
import dev.holdfast.testkit.RealClient;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// A revocation cuts the live session, on the node where it was entered and on another, as the device itself
/// sees it: to the last message that was accepted. Two server processes on one database.
class RevokedSessionTest {
    private static final int DEVICES = 4;
    /// What is promised is 100 ms on a quiet machine, which `./bench identity` measures; here others work as
    /// well.
    private static final Duration BOUND = Duration.ofSeconds(2);

    private static Path folder;
    private static ServerProcess first;
    private static ServerProcess second;

    @BeforeAll
    static void start() throws Exception {
        folder = Files.createTempDirectory("holdfast-revoked");
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx--x--x"));
        Path data = folder.resolve("first");
        first = ServerProcess.start(data, Map.of());
        Path password = data.resolve("secrets/postgres-password");
        Database.Address address = EmbeddedPostgresStore.running(
                        data.resolve("postgres"), TestDatabase.binaries(), Files.readString(password))
                .orElseThrow();
        copy(data.resolve("ca"), folder.resolve("second/ca"));
        second = ServerProcess.start(
                folder.resolve("second"),
                Map.of(
                        "HOLDFAST_DATABASE_URL", address.url(),
                        "HOLDFAST_DATABASE_USER", address.user(),
                        "HOLDFAST_DATABASE_PASSWORD_FILE", password.toString()));
    }

    @AfterAll
    static void stop() {
        if (second != null) {
            second.close();
        }
        first.close();
        RealClient.of("rm", "-rf", folder.toString()).run();
    }

    private static void copy(Path from, Path to) throws IOException {
        Files.createDirectories(to);
        try (Stream<Path> files = Files.list(from)) {
            for (Path file : files.toList()) {
                Files.copy(file, to.resolve(file.getFileName()), StandardCopyOption.COPY_ATTRIBUTES);
            }
        }
    }

    /// A session that says something as soon as the last was acknowledged, until it is ended.
    private static final class Talker implements AutoCloseable {
        private final ProcessDevice device;
        private final RawMqtt session;
        private final Thread thread;
        private final CountDownLatch begun = new CountDownLatch(20);
        private volatile long lastAccepted;
        private volatile int accepted;
        private volatile boolean ended;

        Talker(ProcessDevice device, ServerProcess node) throws IOException {
            this.device = device;
            SSLSocket socket = device.connect(node, "mqtt");
            session = new RawMqtt(socket).enter(4, device.id());
            thread = Thread.ofPlatform().start(this::talk);
        }

        private void talk() {
            try {
                for (int i = 1; i < 60_000; i++) {
                    session.send(
                            RawMqtt.publish(4, "d/" + device.id() + "/event", i, "{\"v\":1,\"name\":\"e" + i + "\"}"));
                    if (session.read().type() == 4) {
                        lastAccepted = System.nanoTime();
                        accepted = i;
                        begun.countDown();
                    }
                }
            } catch (UncheckedIOException | AssertionError cut) {
                ended = true;
            }
        }

        @Override
        public void close() {
            session.close();
        }
    }

    private static Duration cut(String id, ServerProcess entered, ServerProcess connected) throws Exception {
        ProcessDevice device = ProcessDevice.enrolled(first, id);
        awaitKnown(device, connected);
        try (Talker talker = new Talker(device, connected)) {
            assertThat(talker.begun.await(30, TimeUnit.SECONDS)).as("it talks").isTrue();
            long act = System.nanoTime();
            assertThat(entered.ask("revoke " + id)).isEqualTo("1");
            talker.thread.join(20_000);
            assertThat(talker.ended).as("the session was ended").isTrue();
            int stored = first.ask("events " + id).split(" ", -1).length;
            assertThat(stored)
                    .as("what was accepted is what was acknowledged, but for the last on its way")
                    .isBetween(talker.accepted, talker.accepted + 1);
            for (ServerProcess node : List.of(first, second)) {
                assertRefused(device, node);
            }
            return Duration.ofNanos(Math.max(0, talker.lastAccepted - act));
        }
    }

    private static void awaitKnown(ProcessDevice device, ServerProcess node) throws Exception {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
        while (!node.ask("admits " + device.id()).equals("true")) {
            assertThat(System.nanoTime())
                    .as("the other node hears of the certificate")
                    .isLessThan(deadline);
            TimeUnit.MILLISECONDS.sleep(10);
        }
    }

    private static void assertRefused(ProcessDevice device, ServerProcess node) {
        try (SSLSocket socket = device.connect(node, "mqtt");
                RawMqtt session = new RawMqtt(socket)) {
            session.send(RawMqtt.connect(4, device.id(), 60));
            assertThat(session.read().body()[1]).as("refused").isNotZero();
        } catch (IOException | UncheckedIOException | AssertionError refused) {
            assertThat(refused).isNotNull();
        }
    }

    @Test
    void theSessionIsCutOnTheNodeWhereTheRevocationWasEnteredAndOnAnother() throws Exception {
        List<Long> same = new ArrayList<>();
        List<Long> other = new ArrayList<>();
        for (int i = 0; i < DEVICES; i++) {
            same.add(cut("same-" + i, first, first).toMillis());
            other.add(cut("other-" + i, second, first).toMillis());
            other.add(cut("another-" + i, first, second).toMillis());
        }
        System.out.printf(
                "revoke -> last message accepted: same node %s ms, another node %s ms%n",
                same.stream().sorted().toList(), other.stream().sorted().toList());
        assertThat(same).allMatch(millis -> millis < BOUND.toMillis());
        assertThat(other).allMatch(millis -> millis < BOUND.toMillis());
    }
}
