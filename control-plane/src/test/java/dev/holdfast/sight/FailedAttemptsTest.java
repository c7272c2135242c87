package dev.holdfast.sight;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.core.Actor;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Environment;
import dev.holdfast.core.Labels;
import dev.holdfast.core.ModelId;
import dev.holdfast.core.Serial;
import dev.holdfast.database.Database;
import dev.holdfast.database.TestDatabase;
import dev.holdfast.inventory.Inventory;
import dev.holdfast.inventory.Lifecycle;
import dev.holdfast.inventory.Model;
import dev.holdfast.journal.Journal;
import dev.holdfast.telemetry.Observation;
import dev.holdfast.testkit.FakeClock;
import java.sql.Connection;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Who did not come in: of every node, over restarts, and bounded whoever causes it. On a real database.
class FailedAttemptsTest {
    private static final Environment ENVIRONMENT = new Environment("development");
    private static final Actor OPERATOR = new Actor.Operator("o-1");
    private static final DeviceRef DEVICE = DeviceRef.of("development", "m-1");
    private static final String HOME = "198.51.100.7";

    private final FakeClock clock = new FakeClock(Instant.parse("2026-03-02T00:00:00Z"));
    private final Random random = new Random(20261127);
    private Database database;
    private Journal journal;
    private Inventory inventory;
    private FailedAttempts one;
    private FailedAttempts two;

    @BeforeEach
    void twoNodes() {
        database = TestDatabase.fresh();
        journal = Journal.open(database, clock);
        inventory = new Inventory(database, journal);
        inventory.putModel(
                new Model(
                        ENVIRONMENT,
                        new ModelId("meter"),
                        "Acme",
                        "hw-1",
                        Duration.ofMinutes(1),
                        Map.of(),
                        List.of(),
                        Map.of()),
                OPERATOR);
        inventory.register(
                new Inventory.Registration(
                        DEVICE, new ModelId("meter"), Labels.NONE, Optional.empty(), Lifecycle.ACTIVE),
                OPERATOR);
        inventory.load();
        one = node();
        two = node();
    }

    @AfterEach
    void close() {
        journal.close();
        database.close();
    }

    private FailedAttempts node() {
        return new FailedAttempts(
                database,
                inventory.directory(),
                serial -> serial.hex().equals("abc7") ? Optional.of(DEVICE) : Optional.empty(),
                ENVIRONMENT,
                clock);
    }

    private void handshake(FailedAttempts node, String cause, String subject, String from) {
        node.handshakeFailed(clock.instant(), cause, "no", subject, "", from);
    }

    private void connected(FailedAttempts node, String from) {
        node.observed(
                0,
                new Observation.SessionActivity(
                        DEVICE,
                        clock.instant(),
                        1,
                        new Serial("7"),
                        "mqtt",
                        from,
                        Observation.SessionActivity.Kind.OPENED));
    }

    private void revoked(FailedAttempts node, String from) {
        node.observed(
                0,
                new Observation.RefusedCertificate(
                        DEVICE, clock.instant(), new Serial("7"), "CERTIFICATE_REVOKED", true, from));
    }

    private List<Attempt> seenBy(FailedAttempts node) {
        return node.of(DEVICE, List.of());
    }

    private String stranger() {
        return (11 + random.nextInt(80)) + "." + random.nextInt(256) + "." + random.nextInt(256) + "."
                + random.nextInt(256) + ":" + (1024 + random.nextInt(60_000));
    }

    private int lines(String where) {
        return database.read(sql -> sql.fetchSingle("select count(*) from failed_attempt where " + where)
                .get(0, Integer.class));
    }

    @Test
    void whatFailedOnOneNodeIsSeenFromAnotherAndAfterARestart() {
        handshake(one, "ISSUER_UNKNOWN", "CN=m-1,O=Elsewhere", HOME + ":4000");
        assertThat(seenBy(one)).as("at once where it happened").hasSize(1);
        one.flush();
        clock.advance(Duration.ofMinutes(1));
        handshake(two, "ISSUER_UNKNOWN", "O=Elsewhere, CN=m-1", HOME + ":4001");
        two.close();
        List<Attempt> after = seenBy(node());
        assertThat(after)
                .containsExactly(new Attempt(
                        clock.instant(), Attempt.Stage.HANDSHAKE, "ISSUER_UNKNOWN", "no", HOME + ":4001", true, 2));
        assertThat(seenBy(one)).isEqualTo(after);
    }

    @Test
    void aHandshakeThatNamesNobodyIsTheDevicesWhereItWasHeardLastAndSaidToBeUnsure() {
        connected(one, HOME + ":2000");
        one.flush();
        handshake(two, "CLIENT_REJECTED_OUR_CERTIFICATE", "", HOME + ":2001");
        handshake(two, "NOT_TLS", "", "203.0.113.77:99");
        two.flush();
        assertThat(seenBy(one))
                .singleElement()
                .satisfies(a -> assertThat(a.cause()).isEqualTo("CLIENT_REJECTED_OUR_CERTIFICATE"))
                .satisfies(a -> assertThat(a.sure()).isFalse());
        connected(two, "192.0.2.1:5");
        two.flush();
        assertThat(seenBy(one)).as("it lives elsewhere now").isEmpty();
    }

    @Test
    void aSerialNumberOfOursNamesItsDeviceAndNonsenseNamesNobody() {
        one.handshakeFailed(clock.instant(), "SIGNATURE_WRONG", "no", "", "abc7", stranger());
        for (String subject : List.of("CN=m-2", "CN=", "CN=../..\u0000\n", ",".repeat(500), "CN=m-1x")) {
            one.handshakeFailed(clock.instant(), "ISSUER_UNKNOWN", "no\u0000", subject, "-1", stranger());
        }
        one.flush();
        assertThat(seenBy(one))
                .singleElement()
                .satisfies(a -> assertThat(a.cause()).isEqualTo("SIGNATURE_WRONG"));
        assertThat(one.last(ENVIRONMENT, Optional.empty(), Optional.empty(), 100))
                .hasSize(6);
    }

    @Test
    void oneHostThatInventsNamesIsOneLineWithHowOften() {
        for (int i = 0; i < 5_000; i++) {
            handshake(one, "ISSUER_UNKNOWN", "CN=x-" + i, "203.0.113.5:" + (1_024 + i));
        }
        one.flush();
        assertThat(one.last(ENVIRONMENT, Optional.empty(), Optional.of("203.0.113.5"), 100))
                .singleElement()
                .satisfies(a -> assertThat(a.times()).isEqualTo(5_000))
                .satisfies(a -> assertThat(a.subject()).isEqualTo("CN=x-4999"));
        assertThat(one.last(ENVIRONMENT, Optional.empty(), Optional.of("203.0.113.6"), 100))
                .isEmpty();
    }

    @Test
    void aFloodPushesOutNeitherWhatTheDeviceHasProvenNorWhatCameFromItsHost() {
        connected(one, HOME + ":2000");
        one.flush();
        revoked(one, stranger());
        handshake(one, "CLIENT_REJECTED_OUR_CERTIFICATE", "", HOME + ":2001");
        handshake(one, "ISSUER_UNKNOWN", "CN=m-1", HOME + ":2002");
        one.flush();
        for (int turn = 0; turn < 25; turn++) {
            clock.advance(Duration.ofSeconds(2));
            int before = lines("true");
            for (int i = 0; i < (turn < 2 ? 6_000 : 300); i++) {
                handshake(one, "TIMED_OUT", "", stranger());
                handshake(one, "ISSUER_UNKNOWN", "CN=m-1", stranger());
            }
            one.flush();
            assertThat(lines("true") - before)
                    .as("what one turn writes")
                    .isLessThanOrEqualTo(Shelf.NAMED.mostWritten + Shelf.STRANGER.mostWritten);
        }
        clock.advance(Duration.ofMinutes(2));
        one.flush();
        assertThat(lines("shelf = " + Shelf.STRANGER.stored)).isEqualTo(Shelf.STRANGER.mostOverAll);
        assertThat(lines("shelf = " + Shelf.NAMED.stored)).isEqualTo(Shelf.NAMED.mostEach);
        assertThat(one.dropped()).isGreaterThan(20_000);
        assertThat(seenBy(two))
                .filteredOn(a -> a.remoteAddress().startsWith(HOME) || a.cause().equals("CERTIFICATE_REVOKED"))
                .extracting(Attempt::cause)
                .containsExactlyInAnyOrder("CERTIFICATE_REVOKED", "CLIENT_REJECTED_OUR_CERTIFICATE", "ISSUER_UNKNOWN");
    }

    @Test
    void aHandshakeNeverWaitsForTheDatabase() throws Exception {
        try (Connection other = database.connection()) {
            other.setAutoCommit(false);
            try (var statement = other.createStatement()) {
                statement.execute("lock table failed_attempt in access exclusive mode");
            }
            Thread writer = Thread.ofVirtual().start(one::flush);
            handshake(one, "NOT_TLS", "", stranger()); // before or after the writer took what there is
            Thread second = Thread.ofVirtual().start(one::flush);
            long began = System.nanoTime();
            for (int i = 0; i < 20_000; i++) {
                handshake(one, "TIMED_OUT", "CN=m-1", stranger());
            }
            Duration took = Duration.ofNanos(System.nanoTime() - began);
            assertThat(took).as("20,000 failures while nothing can be written").isLessThan(Duration.ofSeconds(5));
            other.rollback();
            writer.join();
            second.join();
        }
        one.flush();
        assertThat(lines("cause = 'TIMED_OUT'")).isPositive();
    }

    @Test
    void whatCouldNotBeWrittenIsWrittenLaterAndCountedOnce() {
        database.run(sql -> sql.execute("alter table failed_attempt rename to away"));
        for (int i = 0; i < 3; i++) {
            handshake(one, "ISSUER_UNKNOWN", "CN=m-1", HOME + ":4000");
            assertThatThrownBy(one::flush).isInstanceOf(RuntimeException.class);
        }
        database.run(sql -> sql.execute("alter table away rename to failed_attempt"));
        one.flush();
        assertThat(seenBy(two))
                .singleElement()
                .satisfies(a -> assertThat(a.times()).isEqualTo(3));
    }

    @Test
    void aDeviceOfAnotherEnvironmentIsToldOfThere() {
        DeviceRef elsewhere = DeviceRef.of("staging", "m-1");
        inventory.putModel(
                new Model(
                        elsewhere.environment(),
                        new ModelId("meter"),
                        "Acme",
                        "hw-1",
                        Duration.ofMinutes(1),
                        Map.of(),
                        List.of(),
                        Map.of()),
                OPERATOR);
        inventory.register(
                new Inventory.Registration(
                        elsewhere, new ModelId("meter"), Labels.NONE, Optional.empty(), Lifecycle.ACTIVE),
                OPERATOR);
        inventory.load();
        one.observed(
                0,
                new Observation.RefusedCertificate(
                        elsewhere, clock.instant(), new Serial("9"), "CERTIFICATE_REVOKED", true, stranger()));
        one.flush();
        assertThat(two.of(elsewhere, List.of())).hasSize(1);
        assertThat(seenBy(two)).isEmpty();
    }

    @Test
    void whatIsOlderThanAWeekIsForgotten() {
        revoked(one, stranger());
        one.flush();
        clock.advance(Duration.ofDays(8));
        handshake(two, "NOT_TLS", "", stranger());
        two.flush();
        assertThat(lines("true")).isEqualTo(1);
        assertThat(seenBy(one)).isEmpty();
    }
}
