package dev.holdfast.mqtt;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.TestServer;
import dev.holdfast.ca.RevocationReason;
import dev.holdfast.core.Actor;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.journal.Freeze;
import dev.holdfast.telemetry.Observation;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Who may come in, and stay.
class MqttStandingTest {
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

    private static <T extends Observation> void awaitSeen(
            Class<T> type, DeviceRef device, java.util.function.Predicate<T> which) {
        TestServer.await(
                type.getSimpleName() + " of " + device,
                () -> SEEN.stream()
                        .filter(type::isInstance)
                        .map(type::cast)
                        .anyMatch(o -> o.device().equals(device) && which.test(o)));
    }

    private static int refusedAtConnect(EnrolledDevice device, int version) {
        return refusedAtConnect(server, device, version);
    }

    private static int refusedAtConnect(TestServer server, EnrolledDevice device, int version) {
        try (RawMqtt client = new RawMqtt(server, device)) {
            client.send(RawMqtt.connect(version, device.ref().id().value(), 60));
            RawMqtt.Packet answer = client.read();
            assertThat(answer.type()).isEqualTo(2);
            client.awaitClose();
            return answer.body()[1] & 0xff;
        }
    }

    private static void active(EnrolledDevice device) {
        try (RawMqtt client = new RawMqtt(server, device)) {
            client.enter(4, device.ref().id().value());
            TestServer.await(
                    "active",
                    () -> server.server()
                            .inventory()
                            .find(device.ref())
                            .filter(d -> d.state() == dev.holdfast.inventory.Lifecycle.ACTIVE)
                            .isPresent());
        }
    }

    @Test
    void nobodyIsLetInUntilARestoreIsSettled() {
        try (TestServer restored = TestServer.start()) {
            EnrolledDevice device = EnrolledDevice.of(restored, "s-frozen");
            Freeze freeze = restored.server().freeze();
            freeze.freeze("restored from a backup", 1, TestServer.TESTER);
            assertThat(refusedAtConnect(restored, device, 4)).isEqualTo(3);
            assertThat(refusedAtConnect(restored, device, 5)).isEqualTo(0x88);
            String statement = "what was revoked since may be lost, and we know it";
            freeze.acceptLoss(new Actor.Operator("ada"), statement);
            assertThat(refusedAtConnect(restored, device, 4)).isEqualTo(3);
            freeze.acceptLoss(new Actor.Operator("ben"), statement);
            try (RawMqtt client = new RawMqtt(restored, device)) {
                client.enter(4, device.ref().id().value());
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {4, 5})
    void aSuspendedDeviceIsCutAndThenRefused(int version) {
        EnrolledDevice device = EnrolledDevice.of(server, "s-suspend-" + version);
        active(device);
        try (RawMqtt client =
                new RawMqtt(server, device).enter(version, device.ref().id().value())) {
            server.server().identity().suspend(device.ref(), "test", Optional.empty(), TestServer.TESTER);
            if (version == 5) {
                assertThat(client.awaitDisconnect()).isEqualTo(0x87);
            }
            client.awaitClose();
        }
        assertThat(server.server().sessions().of(device.ref())).isEmpty();
        assertThat(refusedAtConnect(device, version)).isEqualTo(version == 5 ? 0x8A : 5);
        awaitSeen(
                Observation.RefusedCertificate.class,
                device.ref(),
                r -> r.refusal().equals("DEVICE_SUSPENDED"));
    }

    @Test
    void aRetiredDeviceIsCutAndThenRefused() {
        EnrolledDevice device = EnrolledDevice.of(server, "s-retire");
        active(device);
        try (RawMqtt client =
                new RawMqtt(server, device).enter(4, device.ref().id().value())) {
            server.server().identity().retire(device.ref(), "test", TestServer.TESTER);
            client.awaitClose();
        }
        assertThat(refusedAtConnect(device, 5)).isIn(0x87, 0x8A);
    }

    @Test
    void aRevokedCertificateIsCutAndThenRefused() {
        EnrolledDevice device = EnrolledDevice.of(server, "s-revoke");
        active(device);
        try (RawMqtt client =
                new RawMqtt(server, device).enter(5, device.ref().id().value())) {
            server.server()
                    .identity()
                    .revoke(device.serial(), RevocationReason.KEY_COMPROMISE, "test", TestServer.TESTER);
            assertThat(client.awaitDisconnect()).isEqualTo(0x87);
        }
        assertThat(refusedAtConnect(device, 5)).isEqualTo(0x87);
    }

    @Test
    void aSupersededCertificateIsCutAndThenRefusedWhenItsSuccessorIsUsed() {
        EnrolledDevice old = EnrolledDevice.of(server, "s-renew");
        active(old);
        EnrolledDevice renewed = EnrolledDevice.of(server, "s-renew");
        try (RawMqtt first = new RawMqtt(server, old).enter(4, "s-renew/a");
                RawMqtt second = new RawMqtt(server, renewed).enter(4, "s-renew/b")) {
            first.awaitClose();
            second.send(RawMqtt.publish(4, topic(renewed, "telemetry"), 1, "{\"kwh\":1}"));
            assertThat(second.read().type()).isEqualTo(4);
        }
        assertThat(refusedAtConnect(old, 5)).isEqualTo(0x87);
        awaitSeen(
                Observation.RefusedCertificate.class,
                old.ref(),
                r -> r.refusal().equals("CERTIFICATE_SUPERSEDED")
                        && r.certificate().equals(old.serial())
                        && r.keyProven());
    }

    @Test
    void aQuarantinedDeviceIsCutComesBackAndReachesOnlyWhatHealsIt() {
        EnrolledDevice device = EnrolledDevice.of(server, "s-quarantine");
        active(device);
        server.server()
                .commands()
                .desire(
                        device.ref(),
                        dev.holdfast.core.Json.mapper().createObjectNode().put("heal", true),
                        "test",
                        TestServer.TESTER);
        try (RawMqtt client =
                new RawMqtt(server, device).enter(5, device.ref().id().value())) {
            server.server().identity().quarantine(device.ref(), "test", Optional.empty(), TestServer.TESTER);
            assertThat(client.awaitDisconnect()).isEqualTo(0x98);
        }
        try (RawMqtt client =
                new RawMqtt(server, device).enter(5, device.ref().id().value())) {
            client.send(RawMqtt.publish(5, topic(device, "telemetry"), 1, "{\"kwh\":1}"));
            RawMqtt.Packet refused = client.read();
            assertThat(refused.type()).isEqualTo(4);
            assertThat(refused.body()[2] & 0xff).isEqualTo(0x87);
            client.send(RawMqtt.publish(5, topic(device, "event"), 2, "{\"v\":1,\"name\":\"healing\"}"));
            assertThat(client.read().body()).containsExactly(0, 2);
            client.send(RawMqtt.subscribe(5, 3, topic(device, "cmd")));
            assertThat(client.read().type()).isEqualTo(9);
            assertThat(new String(client.read().body(), java.nio.charset.StandardCharsets.UTF_8))
                    .contains("\"heal\":true");
        }
        awaitSeen(
                Observation.Violation.class,
                device.ref(),
                v -> v.rule() == Observation.Violation.Rule.REFUSED_IN_QUARANTINE);
        assertThat(SEEN)
                .noneMatch(o ->
                        o instanceof Observation.Measurement m && m.device().equals(device.ref()));
    }

    @Test
    void aDeviceThatDoesNotExistAnyMoreHereIsNobody() {
        EnrolledDevice device = EnrolledDevice.of(server, "s-foreign");
        try (TestServer other = TestServer.start()) {
            // Another installation's certificate: the handshake itself fails.
            assertThat(org.assertj.core.api.Assertions.catchThrowable(() -> {
                        try (RawMqtt client = new RawMqtt(server, EnrolledDevice.of(other, "s-foreign"))) {
                            client.enter(5, "s-foreign");
                        }
                    }))
                    .isNotNull();
        }
        assertThat(server.server().sessions().of(device.ref())).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(ints = {4, 5})
    void anotherDevicesClientIdIsRefusedAndAProvenViolation(int version) {
        EnrolledDevice device = EnrolledDevice.of(server, "s-id-" + version);
        try (RawMqtt client = new RawMqtt(server, device)) {
            client.send(RawMqtt.connect(version, "s-other", 60));
            assertThat(client.read().body()[1] & 0xff).isEqualTo(version == 5 ? 0x85 : 2);
            client.awaitClose();
        }
        awaitSeen(
                Observation.Violation.class,
                device.ref(),
                v -> v.rule() == Observation.Violation.Rule.FOREIGN_IDENTITY);
        assertThat(server.server().sessions().of(device.ref())).isEmpty();
    }

    @Test
    void anEmptyClientIdIsAssignedOne() {
        EnrolledDevice device = EnrolledDevice.of(server, "s-assigned");
        try (RawMqtt five = new RawMqtt(server, device);
                RawMqtt four = new RawMqtt(server, device)) {
            five.send(RawMqtt.connect(5, "", 60));
            assertThat(new String(five.read().body(), java.nio.charset.StandardCharsets.UTF_8))
                    .contains("s-assigned/");
            four.enter(4, "");
        }
    }

    @Test
    void theNewerSessionOfAClientIdTakesOverAndBothAreSeen() {
        EnrolledDevice device = EnrolledDevice.of(server, "s-takeover");
        try (RawMqtt older = new RawMqtt(server, device).enter(5, "s-takeover");
                RawMqtt newer = new RawMqtt(server, device).enter(5, "s-takeover")) {
            assertThat(older.awaitDisconnect()).isEqualTo(0x8E);
            newer.send(RawMqtt.publish(5, topic(device, "telemetry"), 1, "{\"kwh\":1}"));
            assertThat(newer.read().type()).isEqualTo(4);
            assertThat(server.server().sessions().of(device.ref())).hasSize(1);
        }
        awaitSeen(
                Observation.SessionActivity.class,
                device.ref(),
                a -> a.kind() == Observation.SessionActivity.Kind.USED);
        assertThat(SEEN.stream()
                        .filter(o -> o instanceof Observation.SessionActivity a
                                && a.device().equals(device.ref())
                                && a.kind() == Observation.SessionActivity.Kind.OPENED)
                        .map(o -> ((Observation.SessionActivity) o).sessionId())
                        .distinct())
                .hasSize(2);
        List<Observation.SessionActivity.Kind> order = SEEN.stream()
                .filter(o -> o.device().equals(device.ref()))
                .flatMap(o -> o instanceof Observation.SessionActivity a ? Stream.of(a.kind()) : Stream.empty())
                .filter(kind -> kind != Observation.SessionActivity.Kind.USED)
                .limit(2)
                .toList();
        assertThat(order)
                .as("a take-over: the newer is there before the older ends")
                .containsExactly(Observation.SessionActivity.Kind.OPENED, Observation.SessionActivity.Kind.OPENED);
    }

    @Test
    void sessionsThatTakeTurnsAreSeenToTakeTurns() {
        EnrolledDevice device = EnrolledDevice.of(server, "s-turns");
        try (RawMqtt one = new RawMqtt(server, device).enter(4, "s-turns/a");
                RawMqtt two = new RawMqtt(server, device).enter(4, "s-turns/b")) {
            TestServer.await("turns are seen", () -> {
                for (RawMqtt client : List.of(one, two)) {
                    client.send(RawMqtt.publish(4, topic(device, "telemetry"), 1, "{\"kwh\":1}"));
                    client.read();
                }
                return turns(device) >= 6;
            });
        }
    }

    private static long turns(EnrolledDevice device) {
        long turns = 0;
        long last = 0;
        for (Observation o : SEEN) {
            if (o instanceof Observation.SessionActivity a
                    && a.device().equals(device.ref())
                    && a.kind() == Observation.SessionActivity.Kind.USED) {
                turns += last != a.sessionId() ? 1 : 0;
                last = a.sessionId();
            }
        }
        return turns;
    }

    @Test
    void aWillIsSaidWhenTheDeviceGoesWithoutGoodbyeAndOnlyOnItsOwnTopics() {
        EnrolledDevice device = EnrolledDevice.of(server, "s-will");
        java.io.ByteArrayOutputStream will = new java.io.ByteArrayOutputStream();
        RawMqtt.text(will, topic(device, "event"));
        RawMqtt.text(will, "{\"v\":1,\"name\":\"power-lost\"}");
        try (RawMqtt client = new RawMqtt(server, device)) {
            client.send(RawMqtt.connect(4, "s-will", 60, 2 | 4 | 8, will.toByteArray()));
            assertThat(client.read().body()[1]).isZero();
        }
        awaitSeen(Observation.Event.class, device.ref(), e -> e.name().equals("power-lost"));
        java.io.ByteArrayOutputStream foreign = new java.io.ByteArrayOutputStream();
        RawMqtt.text(foreign, "d/s-other/event");
        RawMqtt.text(foreign, "{}");
        try (RawMqtt client = new RawMqtt(server, device)) {
            client.send(RawMqtt.connect(4, "s-will", 60, 2 | 4 | 8, foreign.toByteArray()));
            assertThat(client.read().body()[1]).isEqualTo((byte) 5);
        }
        awaitSeen(
                Observation.Violation.class, device.ref(), v -> v.rule() == Observation.Violation.Rule.FORBIDDEN_TOPIC);
    }
}
