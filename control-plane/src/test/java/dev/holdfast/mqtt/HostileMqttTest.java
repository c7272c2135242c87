package dev.holdfast.mqtt;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.TestServer;
import dev.holdfast.telemetry.Observation;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What no honest client sends: nothing of it may cost anybody else anything.
class HostileMqttTest {
    private static final List<Observation> SEEN = new CopyOnWriteArrayList<>();
    private static TestServer server;

    @BeforeAll
    static void start() {
        // What is judged here is the door; what detection and response make of it is judged in their own tests.
        server = TestServer.start(java.util.Map.of("HOLDFAST_SWITCHES_AUTOMATIC_ISOLATION", "false"));
        server.server().telemetry().subscribe((_, observation) -> SEEN.add(observation));
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private static String topic(EnrolledDevice device, String name) {
        return "d/" + device.ref().id() + "/" + name;
    }

    private static void awaitViolation(EnrolledDevice device, Observation.Violation.Rule rule) {
        TestServer.await(rule + " of " + device.ref(), () -> violations(device, rule) > 0);
    }

    private static long violations(EnrolledDevice device, Observation.Violation.Rule rule) {
        return SEEN.stream()
                .filter(o ->
                        o instanceof Observation.Violation v && v.device().equals(device.ref()) && v.rule() == rule)
                .count();
    }

    @ParameterizedTest
    @ValueSource(ints = {4, 5})
    void qos2IsRefused(int version) {
        EnrolledDevice device = EnrolledDevice.of(server, "h-qos2-" + version);
        try (RawMqtt client =
                new RawMqtt(server, device).enter(version, device.ref().id().value())) {
            client.send(RawMqtt.publish(
                    version, topic(device, "telemetry"), 2, 1, "{\"v\":1}".getBytes(StandardCharsets.UTF_8)));
            if (version == 5) {
                assertThat(client.awaitDisconnect()).isEqualTo(0x9B);
            }
            client.awaitClose();
        }
    }

    @Test
    void version5IsToldWhatIsNotAvailable() {
        EnrolledDevice device = EnrolledDevice.of(server, "h-offer");
        try (RawMqtt client = new RawMqtt(server, device)) {
            client.send(RawMqtt.connect(5, "h-offer", 0));
            String body = java.util.HexFormat.of().formatHex(client.read().body());
            assertThat(body)
                    .contains("2401")
                    .contains("2500")
                    .contains("2800")
                    .contains("2900")
                    .contains("2a00");
            assertThat(body).as("server keep alive of 1200 s").contains("1304b0");
        }
    }

    @Test
    void aRetainedMessageIsRefusedInVersion5AndTakenAsAnyOtherIn311() {
        EnrolledDevice device = EnrolledDevice.of(server, "h-retain");
        byte[] payload = "{\"kwh\":1}".getBytes(StandardCharsets.UTF_8);
        try (RawMqtt client = new RawMqtt(server, device).enter(5, "h-retain")) {
            client.send(RawMqtt.publish(5, topic(device, "telemetry"), 3, 1, 1, payload));
            assertThat(client.awaitDisconnect()).isEqualTo(0x9A);
        }
        try (RawMqtt client = new RawMqtt(server, device).enter(4, "h-retain")) {
            client.send(RawMqtt.publish(4, topic(device, "telemetry"), 3, 1, 1, payload));
            assertThat(client.read().body()).containsExactly(0, 1);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "d/other/telemetry",
                "d/h-topic/cmd",
                "d/h-topic/telemetry/x",
                "d/h-topic/",
                "d/h-topicx/telemetry",
                "$SYS/x",
                "d/h-topic/Telemetry"
            })
    void aForbiddenTopicIsAViolationAndTheSessionGoesOn(String forbidden) {
        EnrolledDevice device = EnrolledDevice.of(server, "h-topic");
        long before = violations(device, Observation.Violation.Rule.FORBIDDEN_TOPIC);
        try (RawMqtt client = new RawMqtt(server, device).enter(4, "h-topic")) {
            client.send(RawMqtt.publish(4, forbidden, 1, "{\"kwh\":1}"));
            assertThat(client.read().body()).containsExactly(0, 1);
            client.send(RawMqtt.publish(4, "d/h-topic/telemetry", 2, "{\"kwh\":1}"));
            assertThat(client.read().body()).containsExactly(0, 2);
        }
        TestServer.await(
                "a violation", () -> violations(device, Observation.Violation.Rule.FORBIDDEN_TOPIC) == before + 1);
    }

    @Test
    void tooManyForbiddenTopicsEndTheSession() {
        EnrolledDevice device = EnrolledDevice.of(server, "h-many");
        try (RawMqtt client = new RawMqtt(server, device).enter(5, "h-many")) {
            for (int i = 0; i < 25; i++) {
                client.trySend(RawMqtt.publish(5, "d/m-" + i + "/telemetry", 0, 0, new byte[0]));
            }
            assertThat(client.awaitDisconnect()).isEqualTo(0x87);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"#", "d/+/cmd", "d/h-sub/#", "d/other/cmd", "d/h-sub/telemetry", "$share/g/d/h-sub/cmd"})
    void onlyOnesOwnCommandsCanBeSubscribedTo(String filter) {
        EnrolledDevice device = EnrolledDevice.of(server, "h-sub");
        try (RawMqtt client = new RawMqtt(server, device).enter(4, "h-sub")) {
            client.send(RawMqtt.subscribe(4, 1, filter));
            assertThat(client.read().body()).containsExactly(0, 1, 0x80);
        }
        awaitViolation(device, Observation.Violation.Rule.FORBIDDEN_TOPIC);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "x",
                "{",
                "{}",
                "[]",
                "{\"kwh\":NaN}",
                "{\"kwh\":Infinity}",
                "{\"kwh\":1e309}",
                "{\"kwh\":\"1\"}",
                "{\"kwh\":{}}",
                "{\"k wh\":1}",
                "{\"kwh\":1}{\"kwh\":2}",
                "{\"kwh\":1,\"kwh\":2}",
                "{\"kwh\":1",
                "[{\"n\":\"x\",\"v\":1e999}]",
                "null",
                "{\"\\u202ekwh\":1}"
            })
    void aMeasurementThatIsNoneIsRefusedWithTheReason(String payload) {
        EnrolledDevice device = EnrolledDevice.of(server, "h-payload");
        long before = violations(device, Observation.Violation.Rule.MALFORMED_MESSAGE);
        try (RawMqtt client = new RawMqtt(server, device).enter(5, "h-payload")) {
            client.send(RawMqtt.publish(5, topic(device, "telemetry"), 1, payload));
            RawMqtt.Packet answer = client.read();
            assertThat(answer.type()).isEqualTo(4);
            assertThat(answer.body()[2] & 0xff).isEqualTo(0x99);
        }
        TestServer.await(
                "a violation", () -> violations(device, Observation.Violation.Rule.MALFORMED_MESSAGE) == before + 1);
        assertThat(SEEN)
                .noneMatch(o ->
                        o instanceof Observation.Measurement m && m.device().equals(device.ref()));
    }

    @Test
    void aReadingOf1e308IsTakenForDetectionToJudge() {
        EnrolledDevice device = EnrolledDevice.of(server, "h-1e308");
        try (RawMqtt client = new RawMqtt(server, device).enter(5, "h-1e308")) {
            client.send(RawMqtt.publish(5, topic(device, "telemetry"), 1, "{\"kwh\":1e308}"));
            assertThat(client.read().body()).containsExactly(0, 1);
        }
        TestServer.await(
                "it is seen",
                () -> SEEN.stream()
                        .anyMatch(o -> o instanceof Observation.Measurement m
                                && m.device().equals(device.ref())
                                && Double.valueOf(1e308).equals(m.values().get("kwh"))));
    }

    @Test
    void aFloodEndsTheSessionAndIsAViolationAndOthersDoNotNotice() {
        EnrolledDevice flooder = EnrolledDevice.of(server, "h-flood");
        EnrolledDevice honest = EnrolledDevice.of(server, "h-honest");
        try (RawMqtt client = new RawMqtt(server, flooder).enter(5, "h-flood");
                RawMqtt other = new RawMqtt(server, honest).enter(5, "h-honest")) {
            byte[] one = RawMqtt.publish(
                    5, topic(flooder, "telemetry"), 0, 0, "{\"kwh\":1}".getBytes(StandardCharsets.UTF_8));
            byte[] many = new byte[one.length * 2_000];
            for (int i = 0; i < 2_000; i++) {
                System.arraycopy(one, 0, many, i * one.length, one.length);
            }
            client.trySend(many);
            client.awaitClose();
            other.send(RawMqtt.publish(5, topic(honest, "telemetry"), 1, "{\"kwh\":1}"));
            assertThat(other.read().body()).containsExactly(0, 1);
        }
        awaitViolation(flooder, Observation.Violation.Rule.RATE_EXCEEDED);
        try (RawMqtt again = new RawMqtt(server, flooder)) {
            again.send(RawMqtt.connect(5, "h-flood", 60));
            // Its rate is used up: a new connection wins no new one (it may have recovered a little meanwhile).
            assertThat(again.read().body()[1] & 0xff).isIn(0x9F, 0);
        }
    }

    @Test
    void aPacketThatIsTooLargeEndsTheSession() {
        EnrolledDevice device = EnrolledDevice.of(server, "h-large");
        try (RawMqtt client = new RawMqtt(server, device).enter(5, "h-large")) {
            client.trySend(new byte[] {0x30, (byte) 0xff, (byte) 0xff, (byte) 0xff, 0x7f, 0, 1});
            assertThat(client.awaitDisconnect()).isEqualTo(0x95);
            client.awaitClose();
        }
        awaitViolation(device, Observation.Violation.Rule.MALFORMED_MESSAGE);
    }

    @ParameterizedTest
    @ValueSource(strings = {"20020000", "f000", "82020001", "c001ff", "6202", "50020001"})
    void packetsThatAreNoneForAServerEndTheSession(String hex) {
        EnrolledDevice device = EnrolledDevice.of(server, "h-garbage");
        try (RawMqtt client = new RawMqtt(server, device).enter(4, "h-garbage")) {
            client.trySend(java.util.HexFormat.of().parseHex(hex));
            if (hex.equals("6202")) {
                client.trySend(new byte[] {0, 1});
            }
            client.awaitClose();
        }
    }

    @Test
    void whateverIsSentNothingStaysBehind() {
        EnrolledDevice device = EnrolledDevice.of(server, "h-fuzz");
        long seed = System.nanoTime();
        Random random = new Random(seed);
        for (int i = 0; i < 60; i++) {
            try (RawMqtt client = new RawMqtt(server, device)) {
                if (random.nextBoolean()) {
                    client.send(RawMqtt.connect(random.nextBoolean() ? 4 : 5, "h-fuzz", 60));
                }
                byte[] garbage = new byte[random.nextInt(200)];
                random.nextBytes(garbage);
                client.trySend(garbage);
            }
        }
        TestServer.await(
                "seed " + seed + ": no session stays",
                () -> server.server().sessions().of(device.ref()).isEmpty());
        TestServer.await("no connection stays", () -> server.server().plane().connections() == 0);
    }

    @Test
    void aConnectionThatSaysNothingOrDripsIsClosed() throws Exception {
        EnrolledDevice device = EnrolledDevice.of(server, "h-slow");
        List<Thread> drips = new ArrayList<>();
        // Half-open TLS, TLS without CONNECT, CONNECT octet by octet: all are closed in time.
        try (Socket silent = new Socket(
                        InetAddress.getLoopbackAddress(), server.server().mqttPort());
                RawMqtt idle = new RawMqtt(server, device);
                RawMqtt slow = new RawMqtt(server, device)) {
            byte[] connect = RawMqtt.connect(4, "h-slow", 60);
            drips.add(Thread.ofVirtual().start(() -> {
                for (int i = 0; i < connect.length - 1; i++) {
                    slow.trySend(new byte[] {connect[i]});
                    java.util.concurrent.locks.LockSupport.parkNanos(700_000_000L);
                }
            }));
            silent.setSoTimeout(20_000);
            assertThat(silent.getInputStream().read()).isEqualTo(-1);
            idle.awaitClose();
            slow.awaitClose();
        } finally {
            drips.forEach(Thread::interrupt);
        }
        assertThat(server.server().sessions().of(device.ref())).isEmpty();
    }

    @Test
    void aKeepAliveThatIsNotKeptEndsTheSession() {
        EnrolledDevice device = EnrolledDevice.of(server, "h-keepalive");
        try (RawMqtt client = new RawMqtt(server, device)) {
            client.send(RawMqtt.connect(5, "h-keepalive", 1));
            assertThat(client.read().body()[1]).isZero();
            assertThat(client.awaitDisconnect()).isEqualTo(0x8D);
        }
        assertThat(server.server().sessions().of(device.ref())).isEmpty();
    }

    @Test
    void aDeviceMayHaveOnlySoManySessions() {
        EnrolledDevice device = EnrolledDevice.of(server, "h-sessions");
        List<RawMqtt> open = new ArrayList<>();
        try {
            for (int i = 0; i < 8; i++) {
                open.add(new RawMqtt(server, device).enter(5, "h-sessions/" + i));
            }
            RawMqtt one = new RawMqtt(server, device);
            open.add(one);
            one.send(RawMqtt.connect(5, "h-sessions/9", 60));
            assertThat(one.read().body()[1] & 0xff).isEqualTo(0x97);
        } finally {
            open.forEach(RawMqtt::close);
        }
    }

    @Test
    void mqtt31IsToldThatItsVersionIsNotSpoken() {
        EnrolledDevice device = EnrolledDevice.of(server, "h-v31");
        try (RawMqtt client = new RawMqtt(server, device)) {
            java.io.ByteArrayOutputStream body = new java.io.ByteArrayOutputStream();
            RawMqtt.text(body, "MQIsdp");
            body.writeBytes(new byte[] {3, 2, 0, 60});
            RawMqtt.text(body, "h-v31");
            client.send(RawMqtt.packet(0x10, body.toByteArray()));
            assertThat(client.read().body()[1]).isEqualTo((byte) 1);
        }
    }

    @Test
    void acknowledgementsComeInTheOrderOfTheMessagesAlthoughSomeAreCommitted() {
        EnrolledDevice device = EnrolledDevice.of(server, "h-order");
        try (RawMqtt client = new RawMqtt(server, device).enter(4, "h-order")) {
            java.io.ByteArrayOutputStream all = new java.io.ByteArrayOutputStream();
            for (int id = 1; id <= 40; id++) {
                all.writeBytes(
                        switch (id % 4) {
                            case 0 ->
                                RawMqtt.publish(
                                        4, topic(device, "log"), id, "{\"v\":1,\"severity\":\"info\",\"text\":\"x\"}");
                            case 1 ->
                                RawMqtt.publish(
                                        4,
                                        topic(device, "event"),
                                        id,
                                        "{\"v\":1,\"name\":\"boot\",\"details\":{\"firmware\":\"1." + id + "\"}}");
                            default -> RawMqtt.publish(4, topic(device, "telemetry"), id, "{\"kwh\":1}");
                        });
            }
            client.send(all.toByteArray());
            for (int id = 1; id <= 40; id++) {
                assertThat(client.read().body()).containsExactly(0, id);
            }
        }
    }
}
