package dev.holdfast.mqtt;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.TestServer;
import dev.holdfast.config.Configuration;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.database.Database;
import dev.holdfast.database.TestDatabase;
import dev.holdfast.telemetry.Observation;
import dev.holdfast.telemetry.Telemetry;
import dev.holdfast.testkit.FaultyLink;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// What is full stops the socket that fills it, and no other: over real TCP, with queues made small.
class MqttPressureTest {
    private static final int CAPACITY = 50;
    /// More than the kernel's buffers between the device and a server that does not read.
    private static final int MESSAGES = 24_000;

    private static final String PADDING = " ".repeat(1_000);

    private final CountDownLatch released = new CountDownLatch(1);
    private final List<DeviceRef> held = new CopyOnWriteArrayList<>();
    private final List<Observation.Measurement> seen = new CopyOnWriteArrayList<>();
    private TestServer server;
    private FaultyLink toDatabase;
    private FaultyLink fromFlooder;
    private Database database;
    private Telemetry telemetry;
    private MqttEndpoint listener;
    private MqttRooms rooms;

    /// A second listener of the same server, with rooms of its own.
    @BeforeEach
    void open() throws Exception {
        server = TestServer.start();
        toDatabase = TestDatabase.link(server.database());
        database = Database.open(TestDatabase.through(toDatabase, server.database()), 2);
        telemetry = new Telemetry(
                database,
                server.server().journal(),
                InstantSource.system(),
                new Telemetry.Settings(
                        2,
                        CAPACITY,
                        CAPACITY,
                        1_000,
                        Duration.ofSeconds(2),
                        Telemetry.Settings.defaults().retention()));
        telemetry.subscribe((_, observation) -> observe(observation));
        telemetry.start();
        rooms = MqttEndpoint.rooms(
                new MqttLimits(1_000_000, 1_000_000, 65_536, Duration.ofSeconds(10), Duration.ofSeconds(60), 8, 20),
                server.server().identity(),
                server.server().inventory(),
                server.server().sessions(),
                telemetry,
                server.server().commands(),
                server.server().journal(),
                InstantSource.system());
        listener = new MqttEndpoint(
                server.server().plane(),
                server.server().deviceTls(),
                Configuration.load(
                        Optional.empty(),
                        Map.of("HOLDFAST_LISTENERS_MQTT_PORT", "0", "HOLDFAST_LISTENERS_MQTT_HOST", "127.0.0.1")),
                rooms);
        listener.listen();
        fromFlooder = FaultyLink.to("127.0.0.1", listener.port());
    }

    @AfterEach
    void close() {
        released.countDown();
        toDatabase.heal();
        fromFlooder.close();
        server.close();
        telemetry.close();
        database.close();
        toDatabase.close();
    }

    private void observe(Observation observation) {
        if (observation instanceof Observation.Measurement measurement) {
            seen.add(measurement);
            if (held.contains(measurement.device())) {
                try {
                    released.await();
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            }
        }
    }

    /// Two devices whose observations wait in different queues.
    private List<EnrolledDevice> neighbours(String name) {
        EnrolledDevice first = EnrolledDevice.of(server, name);
        for (int i = 0; ; i++) {
            DeviceRef ref = TestServer.device(name + "-other-" + i);
            if (telemetry.shardOf(ref) != telemetry.shardOf(first.ref())) {
                return List.of(first, EnrolledDevice.of(server, ref.id().value()));
            }
        }
    }

    private static byte[] publish(EnrolledDevice device, String topic, int packetId, String payload) {
        return RawMqtt.publish(4, "d/" + device.ref().id() + "/" + topic, packetId, payload);
    }

    private static void roundTrips(RawMqtt client, EnrolledDevice device, int from, int count) {
        for (int id = from; id < from + count; id++) {
            client.send(publish(device, "telemetry", id, "{\"kwh\":" + id + "}"));
            assertThat(client.read().body()).containsExactly(id >> 8, id & 0xff);
        }
    }

    private static Thread flood(RawMqtt client, EnrolledDevice device, String topic, String payload) {
        return Thread.ofPlatform().start(() -> {
            for (int id = 1; id <= MESSAGES; id++) {
                client.send(publish(device, topic, id, payload));
            }
        });
    }

    /// All acknowledged, each once, in the order in which they were sent.
    private static void allAcknowledged(RawMqtt client) {
        for (int id = 1; id <= MESSAGES; id++) {
            byte[] body = client.read().body();
            assertThat(((body[0] & 0xff) << 8) | (body[1] & 0xff)).isEqualTo(id);
        }
    }

    @Test
    void aFullQueueOfMeasurementsPausesItsSocketAndNoOther() throws Exception {
        List<EnrolledDevice> devices = neighbours("full");
        EnrolledDevice flooder = devices.get(0);
        EnrolledDevice other = devices.get(1);
        held.add(flooder.ref());
        try (RawMqtt client = new RawMqtt(server, flooder, fromFlooder.port())
                        .enter(4, flooder.ref().id().value());
                RawMqtt honest = new RawMqtt(server, other, listener.port())
                        .enter(4, other.ref().id().value())) {
            Thread flood = flood(client, flooder, "telemetry", "{\"kwh\":1" + PADDING + "}");
            TestServer.await("the queue is full", () -> rooms.counts().stalls.sum() > 0);
            roundTrips(honest, other, 1, 300);
            assertThat(rooms.counts().messages(UpTopic.TELEMETRY).sum() - 300)
                    .as("no more is looked at than there is room for")
                    .isLessThanOrEqualTo(2 * CAPACITY + 2);
            assertThat(fromFlooder.sent())
                    .as("and no more is read: the rest waits at the device")
                    .isLessThan((long) MESSAGES * PADDING.length());
            assertThat(flood.isAlive()).isTrue();
            released.countDown();
            allAcknowledged(client);
            flood.join();
        }
        TestServer.await(
                "every measurement came through, once",
                () -> seen.stream()
                                .filter(m -> m.device().equals(flooder.ref()))
                                .count()
                        == MESSAGES);
    }

    @Test
    void aFullQueueOfLogLinesPausesWhoeverLogsAndNobodyElse() throws Exception {
        EnrolledDevice flooder = EnrolledDevice.of(server, "chatty");
        EnrolledDevice logs = EnrolledDevice.of(server, "logs");
        EnrolledDevice measures = EnrolledDevice.of(server, "measures");
        String line = "{\"v\":1,\"severity\":\"info\",\"text\":\"x\"" + PADDING + "}";
        try (RawMqtt client = new RawMqtt(server, flooder, fromFlooder.port()).enter(4, "chatty");
                RawMqtt second = new RawMqtt(server, logs, listener.port()).enter(4, "logs");
                RawMqtt third = new RawMqtt(server, measures, listener.port()).enter(4, "measures")) {
            toDatabase.pause();
            Thread flood = flood(client, flooder, "log", line);
            TestServer.await(
                    "one device has as many in the queue as one may",
                    () -> rooms.counts().messages(UpTopic.LOG).sum() >= 48);
            for (int id = 1; id <= 40; id++) {
                second.send(publish(logs, "log", id, line));
            }
            TestServer.await("the queue is full", () -> rooms.counts().stalls.sum() > 0);
            roundTrips(third, measures, 1, 300);
            assertThat(rooms.counts().messages(UpTopic.LOG).sum()).isLessThanOrEqualTo(48 + 40);
            assertThat(fromFlooder.sent()).isLessThan((long) MESSAGES * PADDING.length());
            assertThat(flood.isAlive()).isTrue();
            toDatabase.heal();
            for (int id = 1; id <= 40; id++) {
                assertThat(second.read().body()).containsExactly(0, id);
            }
            allAcknowledged(client);
            flood.join();
        }
        long kept = database.read(sql -> sql.fetchSingle("select count(*) from log_line where device = ?", "chatty")
                .get(0, Long.class));
        assertThat(kept).isEqualTo(MESSAGES);
    }
}
