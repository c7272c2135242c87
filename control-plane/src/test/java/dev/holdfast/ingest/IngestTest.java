package dev.holdfast.ingest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.TestServer;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Labels;
import dev.holdfast.inventory.Inventory;
import dev.holdfast.inventory.Lifecycle;
import dev.holdfast.mqtt.EnrolledDevice;
import dev.holdfast.telemetry.LogQuery;
import dev.holdfast.telemetry.Observation;
import dev.holdfast.telemetry.Provenance;
import dev.holdfast.testkit.RealClient;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Flows by curl and by softflowd, syslog by `openssl s_client`.
class IngestTest {
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

    private static String flows(String device, String destination) {
        return "{\"v\":1,\"flows\":[{\"device\":\"" + device + "\",\"start\":\"2026-03-02T06:00:00Z\","
                + "\"end\":\"2026-03-02T06:00:09Z\",\"destination\":\"" + destination
                + "\",\"port\":443,\"protocol\":\"tcp\",\"octets\":1200,\"packets\":9}]}";
    }

    /// @return the status
    private static int post(EnrolledDevice reporter, String body) {
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
                        reporter.certificateFile().toString(),
                        "--key",
                        reporter.keyFile().toString(),
                        "--data-binary",
                        "@-",
                        "https://localhost:" + server.server().devicePort() + "/ingest/v1/flows")
                .input(body)
                .run()
                .succeeded()
                .text());
    }

    private static void awaitFlow(DeviceRef device, Provenance provenance, String destination) {
        TestServer.await(
                "a flow of " + device,
                () -> SEEN.stream()
                        .anyMatch(o -> o instanceof Observation.Flow f
                                && f.device().equals(device)
                                && f.provenance() == provenance
                                && f.destination().equals(destination)));
    }

    private static DeviceRef child(String id, EnrolledDevice gateway) {
        server.register("unused-" + id);
        DeviceRef child = TestServer.device(id);
        server.server()
                .inventory()
                .register(
                        new Inventory.Registration(
                                child,
                                TestServer.MODEL,
                                Labels.NONE,
                                Optional.of(gateway.ref().id()),
                                Lifecycle.REGISTERED),
                        TestServer.TESTER);
        TestServer.await(
                "it is known",
                () -> server.server().inventory().directory().find(child).isPresent());
        return child;
    }

    private static void label(DeviceRef device, String key, String value) {
        server.server().inventory().setLabels(device, new Labels(Map.of(key, value)), TestServer.TESTER);
        TestServer.await(
                "it is labelled",
                () -> server.server()
                        .inventory()
                        .directory()
                        .find(device)
                        .filter(s -> s.labels().get(key).isPresent())
                        .isPresent());
    }

    @Test
    void aGatewaysWordAboutItsOwnDevicesIsObservedAndAboutOthersRefused() {
        EnrolledDevice gateway = EnrolledDevice.of(server, "g-1");
        DeviceRef child = child("g-1-meter", gateway);
        assertThat(post(gateway, flows("g-1-meter", "10.0.0.9")))
                .as("not labelled as a gateway yet")
                .isEqualTo(403);
        label(gateway.ref(), "role", "gateway");
        assertThat(post(gateway, flows("g-1-meter", "10.0.0.9"))).isEqualTo(200);
        awaitFlow(child, Provenance.OBSERVED, "10.0.0.9");
        EnrolledDevice.of(server, "g-other-meter");
        assertThat(post(gateway, flows("g-other-meter", "10.0.0.9"))).isEqualTo(403);
        TestServer.await(
                "a violation",
                () -> SEEN.stream()
                        .anyMatch(o -> o instanceof Observation.Violation v
                                && v.device().equals(gateway.ref())
                                && v.rule() == Observation.Violation.Rule.FOREIGN_IDENTITY));
    }

    @Test
    void aDevicesWordAboutItselfIsClaimed() {
        EnrolledDevice device = EnrolledDevice.of(server, "f-self");
        assertThat(post(device, flows("f-self", "2001:db8::9"))).isEqualTo(200);
        awaitFlow(device.ref(), Provenance.CLAIMED, "2001:db8:0:0:0:0:0:9");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "[]",
                "{\"v\":2,\"flows\":[]}",
                "{\"v\":1,\"flows\":{}}",
                "{\"v\":1,\"flows\":[{}]}",
                "{\"v\":1,\"flows\":[{\"device\":\"../x\"}]}"
            })
    void aReportThatCantBeReadIsRefused(String body) {
        assertThat(post(EnrolledDevice.of(server, "f-bad"), body)).isEqualTo(400);
    }

    @Test
    void aDestinationIsNeverLookedUpAndABodyIsBounded() {
        EnrolledDevice device = EnrolledDevice.of(server, "f-name");
        assertThat(post(device, flows("f-name", "example.com"))).isEqualTo(400);
        assertThat(post(device, " ".repeat(1 << 21))).isEqualTo(413);
    }

    @Test
    void softflowdsPacketsAreClaimedFlowsOfTheDeviceWithTheirSource() throws IOException {
        DeviceRef device = EnrolledDevice.of(server, "f-udp").ref();
        label(device, "address", "10.77.0.2");
        Path capture = server.folder().resolve("three-flows.pcap");
        try (var in = IngestTest.class.getResourceAsStream("/ingest/three-flows.pcap")) {
            Files.write(capture, java.util.Objects.requireNonNull(in).readAllBytes());
        }
        RealClient.of(
                        "softflowd",
                        "-D",
                        "-c",
                        "none",
                        "-p",
                        server.folder().resolve("softflowd.pid").toString(),
                        "-v",
                        "10",
                        "-r",
                        capture.toString(),
                        "-n",
                        "127.0.0.1:" + server.server().ingest().ipfixPort())
                .timeout(Duration.ofSeconds(30))
                .run();
        awaitFlow(device, Provenance.CLAIMED, "192.0.2.53");
        awaitFlow(device, Provenance.CLAIMED, "10.77.0.9");
        assertThat(server.server().ingest().counts().values().get("of_nobody")).isPositive();
    }

    private static List<LogQuery.Line> logs(DeviceRef device) {
        return server.server()
                .telemetry()
                .logs(new LogQuery(
                        device.environment(),
                        Optional.of(device.id()),
                        Optional.empty(),
                        "",
                        Instant.EPOCH,
                        Instant.now().plusSeconds(60),
                        Optional.empty(),
                        100));
    }

    private static RealClient syslog(EnrolledDevice device, String stream) {
        return RealClient.of(
                        "openssl",
                        "s_client",
                        "-quiet",
                        "-no_ign_eof",
                        "-connect",
                        "localhost:" + server.server().ingest().syslogPort(),
                        "-CAfile",
                        server.rootPem().toString(),
                        "-cert",
                        device.certificateFile().toString(),
                        "-cert_chain",
                        device.certificateFile().toString(),
                        "-key",
                        device.keyFile().toString())
                .input(stream);
    }

    private static String counted(String... messages) {
        StringBuilder stream = new StringBuilder();
        for (String message : messages) {
            stream.append(message.getBytes(StandardCharsets.UTF_8).length)
                    .append(' ')
                    .append(message);
        }
        return stream.toString();
    }

    @Test
    void syslogOverTlsIsTheDevicesLogMadeSafe() {
        EnrolledDevice device = EnrolledDevice.of(server, "f-syslog");
        syslog(device, counted("<34>1 - other-host su 12 - - tamper\u001b[2J", "<14>1 - - - - - - second"))
                .run();
        TestServer.await("both lines", () -> logs(device.ref()).size() == 2);
        assertThat(logs(device.ref()))
                .extracting(LogQuery.Line::text)
                .containsExactlyInAnyOrder("su[12]: tamper\\u{1b}[2J", "second");
    }

    @Test
    void syslogThatCantBeFollowedEndsTheConnectionAndIsAViolation() {
        EnrolledDevice device = EnrolledDevice.of(server, "f-garbage");
        syslog(device, "<34>1 not counted").run();
        TestServer.await(
                "a violation",
                () -> SEEN.stream()
                        .anyMatch(o -> o instanceof Observation.Violation v
                                && v.device().equals(device.ref())
                                && v.rule() == Observation.Violation.Rule.MALFORMED_MESSAGE));
        TestServer.await(
                "no session stays",
                () -> server.server().sessions().of(device.ref()).isEmpty());
    }

    @Test
    void aSuspendedDevicesSyslogAndFlowsAreRefused() {
        EnrolledDevice device = EnrolledDevice.of(server, "f-suspended");
        server.server().identity().suspend(device.ref(), "test", Optional.empty(), TestServer.TESTER);
        TestServer.await(
                "it is known",
                () -> server.server()
                        .inventory()
                        .directory()
                        .find(device.ref())
                        .filter(s -> s.state() == Lifecycle.SUSPENDED)
                        .isPresent());
        assertThat(post(device, flows("f-suspended", "10.0.0.9"))).isEqualTo(403);
        syslog(device, counted("<14>1 - - - - - - refused")).run();
        assertThat(logs(device.ref())).isEmpty();
    }
}
