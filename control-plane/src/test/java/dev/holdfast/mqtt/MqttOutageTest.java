package dev.holdfast.mqtt;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.TestServer;
import dev.holdfast.database.Database;
import dev.holdfast.database.TestDatabase;
import dev.holdfast.inventory.Lifecycle;
import dev.holdfast.telemetry.LogQuery;
import dev.holdfast.telemetry.Observation;
import dev.holdfast.testkit.FaultyLink;
import dev.holdfast.testkit.RealClient;
import java.io.IOException;
import java.nio.file.Files;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// The database goes away and comes back under a whole server, while devices are connected to it.
class MqttOutageTest {
    private static final Instant END = Instant.parse("9999-01-01T00:00:00Z");
    private static final long SEED = Long.getLong("holdfast.seed", 20260302L);
    private static FaultyLink link;
    private static TestServer server;

    @BeforeAll
    static void start() throws IOException {
        Database.Address direct = TestDatabase.freshAddress();
        link = TestDatabase.link(direct);
        server = TestServer.start(
                Files.createTempDirectory("holdfast-test-server"),
                TestDatabase.through(link, direct),
                Map.of("HOLDFAST_LIMITS_DATABASE_SILENCE", "PT3S"),
                InstantSource.system());
    }

    @AfterAll
    static void stop() {
        link.heal();
        server.close();
        link.close();
    }

    @AfterEach
    void heal() {
        link.heal();
        TestServer.await(
                "the database is heard", () -> !server.server().identity().blind());
    }

    private static byte[] event(String device, int packetId, String name) {
        return RawMqtt.publish(5, "d/" + device + "/event", packetId, "{\"v\":1,\"name\":\"" + name + "\"}");
    }

    private static byte[] log(String device, int packetId, String text) {
        return RawMqtt.publish(
                5, "d/" + device + "/log", packetId, "{\"v\":1,\"severity\":\"info\",\"text\":\"" + text + "\"}");
    }

    private static byte[] measurement(String device, int packetId) {
        return RawMqtt.publish(5, "d/" + device + "/telemetry", packetId, "{\"kwh\":" + packetId + "}");
    }

    private static int acknowledged(RawMqtt client) {
        RawMqtt.Packet packet = client.read();
        assertThat(packet.type()).as("an acknowledgement").isEqualTo(4);
        return ((packet.body()[0] & 0xff) << 8) | (packet.body()[1] & 0xff);
    }

    private static List<String> events(EnrolledDevice device) {
        return server.server().telemetry().events(device.ref(), END, 10_000).stream()
                .map(Observation.Event::name)
                .toList();
    }

    private static List<String> lines(EnrolledDevice device) {
        LogQuery query = new LogQuery(
                TestServer.ENVIRONMENT,
                Optional.of(device.ref().id()),
                Optional.empty(),
                "",
                Instant.EPOCH,
                END,
                Optional.empty(),
                1_000);
        return server.server().telemetry().logs(query).stream()
                .map(LogQuery.Line::text)
                .toList();
    }

    @Test
    void measurementsAreTakenEventsAndLinesWaitAndNothingAcknowledgedIsLost() {
        EnrolledDevice device = EnrolledDevice.of(server, "away-1");
        try (RawMqtt client = new RawMqtt(server, device).enter(5, "away-1")) {
            client.send(event("away-1", 1, "before"));
            assertThat(acknowledged(client)).isEqualTo(1);
            link.cut();
            client.send(measurement("away-1", 2));
            assertThat(acknowledged(client)).as("a measurement is in memory").isEqualTo(2);
            client.send(event("away-1", 3, "during-3"));
            client.send(log("away-1", 4, "during-4"));
            client.send(event("away-1", 5, "during-5"));
            client.send(RawMqtt.packet(0xC0, new byte[0]));
            assertThat(client.read().type())
                    .as("the session lives, and nothing was acknowledged before it was committed")
                    .isEqualTo(13);
            link.heal();
            for (int id = 3; id <= 5; id++) {
                assertThat(acknowledged(client)).isEqualTo(id);
            }
        }
        assertThat(events(device)).containsExactlyInAnyOrder("before", "during-3", "during-5");
        assertThat(lines(device)).containsExactly("during-4");
        TestServer.await("the measurement is kept, too", () -> {
            server.server().telemetry().flush();
            return server.server().telemetry().latest(device.ref()).containsKey("kwh");
        });
    }

    /// Cuts fall where they may, in the middle of commits too.
    @Test
    void whateverTheMomentOfTheCutEveryAcknowledgedEventIsThereOnce() throws Exception {
        EnrolledDevice device = EnrolledDevice.of(server, "away-2");
        Random random = new Random(SEED);
        System.out.println("seed: database cut under events " + SEED);
        List<String> acknowledged = new ArrayList<>();
        Thread cutter = Thread.ofVirtual().start(() -> {
            for (int i = 0; i < 6; i++) {
                LockSupport.parkNanos(random.nextInt(250_000_000));
                link.cut();
                LockSupport.parkNanos(random.nextInt(400_000_000));
                link.heal();
            }
        });
        int next = 1;
        try (RawMqtt client = new RawMqtt(server, device).enter(5, "away-2")) {
            while (cutter.isAlive() || next < 200) {
                client.send(event("away-2", next, "e" + next));
                assertThat(acknowledged(client)).isEqualTo(next);
                acknowledged.add("e" + next);
                next++;
                LockSupport.parkNanos(8_000_000); // within the rate a device has
            }
        }
        cutter.join();
        assertThat(events(device)).containsExactlyInAnyOrderElementsOf(acknowledged);
    }

    /// DESIGN: a node that has not heard the database takes no new sessions, and lets existing ones send
    /// telemetry.
    @Test
    void whoCannotKnowWhoWasSuspendedTakesNobodyNew() {
        EnrolledDevice inside = EnrolledDevice.of(server, "blind-1");
        EnrolledDevice outside = EnrolledDevice.of(server, "blind-2");
        try (RawMqtt client = new RawMqtt(server, inside).enter(5, "blind-1")) {
            link.cut();
            TestServer.await(
                    "nothing was heard for 3 s",
                    () -> server.server().identity().blind());
            for (int version : new int[] {4, 5}) {
                try (RawMqtt refused = new RawMqtt(server, outside)) {
                    refused.send(RawMqtt.connect(version, "blind-2", 60));
                    assertThat(refused.read().body()[1] & 0xff)
                            .as("server unavailable")
                            .isEqualTo(version == 5 ? 0x88 : 3);
                    refused.awaitClose();
                }
            }
            assertThat(poll(outside)).isEqualTo(503);
            client.send(measurement("blind-1", 9));
            assertThat(acknowledged(client)).isEqualTo(9);
        }
        assertThat(server.server().sessions().of(outside.ref())).isEmpty();
        link.heal();
        TestServer.await(
                "the database is heard again", () -> !server.server().identity().blind());
        try (RawMqtt client = new RawMqtt(server, outside).enter(5, "blind-2")) {
            client.send(measurement("blind-2", 1));
            assertThat(acknowledged(client)).isEqualTo(1);
        }
        assertThat(poll(outside)).isEqualTo(200);
    }

    /// What was known of a session stays true while the node is cut off.
    @Test
    void aQuarantinedSessionStaysQuarantinedWhileTheDatabaseIsAway() {
        EnrolledDevice device = EnrolledDevice.of(server, "blind-3");
        try (RawMqtt first = new RawMqtt(server, device).enter(5, "blind-3")) {
            first.send(measurement("blind-3", 1));
            assertThat(acknowledged(first)).isEqualTo(1);
        }
        TestServer.await("it is active", () -> state(device) == Lifecycle.ACTIVE);
        server.server().identity().quarantine(device.ref(), "in doubt", Optional.empty(), TestServer.TESTER);
        TestServer.await("it is quarantined", () -> state(device) == Lifecycle.QUARANTINED);
        try (RawMqtt client = new RawMqtt(server, device).enter(5, "blind-3")) {
            link.cut();
            TestServer.await(
                    "nothing was heard for 3 s",
                    () -> server.server().identity().blind());
            client.send(measurement("blind-3", 2));
            RawMqtt.Packet answer = client.read();
            assertThat(answer.type()).isEqualTo(4);
            assertThat(answer.body()[2] & 0xff).as("not authorised").isEqualTo(0x87);
        }
    }

    private static Lifecycle state(EnrolledDevice device) {
        return server.server()
                .inventory()
                .directory()
                .find(device.ref())
                .orElseThrow()
                .state();
    }

    private static int poll(EnrolledDevice device) {
        return Integer.parseInt(RealClient.of(
                        "curl",
                        "-s",
                        "-o",
                        "/dev/null",
                        "-w",
                        "%{http_code}",
                        "--cacert",
                        server.rootPem().toString(),
                        "--cert",
                        device.certificateFile().toString(),
                        "--key",
                        device.keyFile().toString(),
                        "https://localhost:" + server.server().devicePort() + "/DEFAULT/controller/v1/"
                                + device.ref().id())
                .run()
                .text()
                .strip());
    }
}
