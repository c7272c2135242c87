package dev.holdfast.detection;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.core.Actor;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Environment;
import dev.holdfast.core.Labels;
import dev.holdfast.core.ModelId;
import dev.holdfast.core.Serial;
import dev.holdfast.database.Database;
import dev.holdfast.database.TestDatabase;
import dev.holdfast.detection.Finding.Cause;
import dev.holdfast.inventory.Inventory;
import dev.holdfast.inventory.Lifecycle;
import dev.holdfast.inventory.Model;
import dev.holdfast.journal.Journal;
import dev.holdfast.sessions.Session;
import dev.holdfast.sessions.Sessions;
import dev.holdfast.telemetry.Observation;
import dev.holdfast.telemetry.Observation.SessionActivity.Kind;
import dev.holdfast.telemetry.Telemetry;
import dev.holdfast.testkit.FakeClock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Two nodes on one real database, and devices that use both.
class DetectionNodesTest {
    private static final Environment ENVIRONMENT = new Environment("development");
    private static final Actor OPERATOR = new Actor.Operator("o-1");
    private static final DeviceRef DEVICE = DeviceRef.of("development", "m-1");
    private static final Duration INTERVAL = Duration.ofSeconds(30);

    private final FakeClock clock = new FakeClock(Instant.parse("2026-03-02T00:00:00Z"));
    private final List<Node> nodes = new ArrayList<>();
    private final AtomicBoolean nobodyIsLetIn = new AtomicBoolean();
    private Database database;
    private Node one;
    private Node two;

    /// The rooms of a node that matter here; what its shards and its upkeep do is done by the test, step by step.
    private final class Node {
        final Journal journal = Journal.open(database, clock);
        final Inventory inventory = new Inventory(database, journal);
        final Telemetry telemetry = new Telemetry(database, journal, clock, Telemetry.Settings.defaults());
        final Sessions sessions = new Sessions();
        final Detection detection;

        Node(String name) {
            detection = new Detection(database, journal, inventory, telemetry, name, nobodyIsLetIn::get, clock);
            nodes.add(this);
        }

        private void see(Session session, Kind kind) {
            detection.observed(
                    telemetry.shardOf(DEVICE),
                    new Observation.SessionActivity(
                            DEVICE,
                            clock.instant(),
                            session.id(),
                            session.certificate(),
                            session.protocol(),
                            session.remoteAddress(),
                            kind));
            inventory.heard(DEVICE, clock.instant());
        }

        Session opened(String from) {
            Session session =
                    sessions.register(DEVICE, new Serial("7"), Instant.MAX, "mqtt", from, clock.instant(), _ -> {});
            see(session, Kind.OPENED);
            return session;
        }

        void used(Session session) {
            see(session, Kind.USED);
        }

        void closed(Session session) {
            sessions.close(session);
            see(session, Kind.CLOSED);
        }

        private void turn() {
            detection.exchange();
            inventory.flushContacts();
        }

        private void tick() {
            detection.sweep();
            detection.tick(telemetry.shardOf(DEVICE), clock.instant());
        }
    }

    @BeforeEach
    void twoNodes() {
        database = TestDatabase.fresh();
        one = new Node("one");
        two = new Node("two");
        one.inventory.putModel(
                new Model(ENVIRONMENT, new ModelId("meter"), "Acme", "hw-1", INTERVAL, Map.of(), List.of(), Map.of()),
                OPERATOR);
        one.inventory.register(
                new Inventory.Registration(
                        DEVICE, new ModelId("meter"), Labels.NONE, Optional.empty(), Lifecycle.ACTIVE),
                OPERATOR);
        nodes.forEach(node -> node.inventory.load());
        for (int i = 0; i < 10; i++) {
            pass(1); // the nodes have heard of each other
        }
    }

    @AfterEach
    void close() {
        nodes.forEach(node -> {
            node.telemetry.close();
            node.journal.close();
        });
        database.close();
    }

    private void pass(int seconds) {
        for (int i = 0; i < seconds; i++) {
            clock.advance(Duration.ofSeconds(1));
            nodes.forEach(Node::turn);
            nodes.forEach(Node::tick);
        }
    }

    private List<Cause> found() {
        return one.detection.findings(DEVICE, Long.MAX_VALUE, 100).stream()
                .map(stored -> stored.finding().cause())
                .toList();
    }

    @Test
    void anIdentityUsedOnTwoNodesAtOnceIsAClone() {
        Session own = one.opened("198.51.100.4:1000");
        pass(20);
        Session cloned = two.opened("203.0.113.9:2000");
        int passed = 0;
        while (found().isEmpty() && passed < 120) {
            one.used(own);
            pass(5);
            two.used(cloned);
            pass(5);
            passed += 10;
        }
        assertThat(found()).contains(Cause.IDENTITY_USED_IN_TWO_PLACES);
        assertThat(passed).isLessThanOrEqualTo(60);
        assertThat(one.detection.findings(DEVICE, Long.MAX_VALUE, 1).getFirst().finding())
                .satisfies(f -> assertThat(f.severity()).isEqualTo(Finding.Severity.CRITICAL));
    }

    @Test
    void aDeviceThatABalancerSendsToOneNodeAndTheOtherIsNone() {
        Session last = one.opened("198.51.100.4:1000");
        for (int i = 0; i < 12; i++) {
            Node from = i % 2 == 0 ? one : two;
            Node to = i % 2 == 0 ? two : one;
            from.used(last);
            pass(6);
            from.used(last); // its last word, told to the other node only after it has reconnected there
            Session next = to.opened("198.51.100.4:" + (1001 + i));
            if (i % 3 > 0) {
                from.closed(last); // else the connection lingers, half open and silent
            }
            to.used(next);
            pass(6);
            last = next;
        }
        assertThat(found()).isEmpty();
    }

    @Test
    void aDeviceThatListensOnOneNodeAndOftenSpeaksBrieflyOnTheOtherIsNone() {
        Session listening = one.opened("198.51.100.4:1000");
        for (int i = 0; i < 20; i++) {
            Session brief = two.opened("198.51.100.4:" + (1001 + i));
            two.used(brief);
            two.closed(brief);
            pass(5);
            one.used(listening);
            pass(5);
        }
        assertThat(found()).isEmpty();
    }

    @Test
    void aDeviceThatMovedToAnotherNodeIsNotSilentAndOneThatNobodyHearsIs() {
        Session before = one.opened("198.51.100.4:1000");
        pass(10);
        one.closed(before);
        Session now = two.opened("198.51.100.4:1001");
        for (int i = 0; i < 30; i++) {
            two.used(now);
            pass(10);
        }
        assertThat(found()).isEmpty();
        pass(200);
        assertThat(found()).contains(Cause.SILENCE);
    }

    @Test
    void whoIsNotLetInIsNotSilent() {
        one.closed(one.opened("198.51.100.4:1000"));
        nobodyIsLetIn.set(true);
        pass(400);
        nobodyIsLetIn.set(false);
        pass(20);
        assertThat(found()).as("it has just been let in again").isEmpty();
        pass(380);
        assertThat(found()).as("and did not come").contains(Cause.SILENCE);
    }
}
