package dev.holdfast.mqtt;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.holdfast.TestServer;
import dev.holdfast.core.Environment;
import dev.holdfast.core.Json;
import dev.holdfast.inventory.Lifecycle;
import dev.holdfast.telemetry.LogQuery;
import dev.holdfast.telemetry.Observation;
import dev.holdfast.testkit.RealClient;
import dev.holdfast.testkit.Recipe;
import dev.holdfast.testkit.RunningClient;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Debian's mosquitto clients, over mutual TLS, in both versions of the protocol.
class MosquittoTest {
    private static final Environment DEVELOPMENT = TestServer.ENVIRONMENT;
    private static final Duration SOON = Duration.ofSeconds(20);
    private static TestServer server;

    @BeforeAll
    static void start() {
        // What is judged here is the door; what detection and response make of it is judged in their own tests.
        server = TestServer.start(java.util.Map.of("HOLDFAST_SWITCHES_AUTOMATIC_ISOLATION", "false"));
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private static RealClient client(String program, String version, EnrolledDevice device, String... arguments) {
        List<String> all = new ArrayList<>(List.of(
                "-V",
                version,
                "-h",
                "localhost",
                "-p",
                Integer.toString(server.server().mqttPort()),
                "--cafile",
                server.rootPem().toString(),
                "--cert",
                device.certificateFile().toString(),
                "--key",
                device.keyFile().toString()));
        all.addAll(List.of(arguments));
        return RealClient.of(program, all.toArray(String[]::new));
    }

    private static RealClient publish(String version, EnrolledDevice device, String... arguments) {
        return client("mosquitto_pub", version, device, arguments);
    }

    private static String topic(EnrolledDevice device, String name) {
        return "d/" + device.ref().id() + "/" + name;
    }

    private static ObjectNode desired(String key, int value) {
        return Json.mapper().createObjectNode().put(key, value);
    }

    @ParameterizedTest
    @ValueSource(strings = {"311", "mqttv5"})
    void aMeasurementOfQos0Or1IsTakenInAndRolledUp(String version) {
        EnrolledDevice meter = EnrolledDevice.of(server, "m-measure-" + version);
        for (String qos : List.of("0", "1")) {
            publish(
                            version,
                            meter,
                            "-i",
                            meter.ref().id().value(),
                            "-q",
                            qos,
                            "-t",
                            topic(meter, "telemetry"),
                            "-m",
                            "{\"kwh\":1." + qos + "}")
                    .run()
                    .succeeded();
        }
        TestServer.await("both are rolled up", () -> {
            server.server().telemetry().flush();
            var latest = server.server().telemetry().latest(meter.ref());
            return latest.containsKey("kwh") && latest.get("kwh").value() == 1.1;
        });
        TestServer.await(
                "the device is active",
                () -> server.server()
                        .inventory()
                        .find(meter.ref())
                        .filter(d ->
                                d.state() == Lifecycle.ACTIVE && d.lastContact().isPresent())
                        .isPresent());
    }

    @ParameterizedTest
    @ValueSource(strings = {"311", "mqttv5"})
    void aLogLineIsKeptSafeAndFound(String version) {
        EnrolledDevice meter = EnrolledDevice.of(server, "m-log-" + version);
        publish(
                        version,
                        meter,
                        "-q",
                        "1",
                        "-t",
                        topic(meter, "log"),
                        "-m",
                        "{\"v\":1,\"severity\":\"warn\",\"text\":\"tamper\\r\\nINFO all is well\\u001b[2J\\u202e<script>\"}")
                .run()
                .succeeded();
        // QoS 1 acknowledged means committed: no waiting here.
        assertThat(logs(meter))
                .extracting(LogQuery.Line::text)
                .containsExactly("tamper\\u{d}\\u{a}INFO all is well\\u{1b}[2J\\u{202e}<script>");
    }

    private static List<LogQuery.Line> logs(EnrolledDevice meter) {
        return server.server()
                .telemetry()
                .logs(new LogQuery(
                        DEVELOPMENT,
                        Optional.of(meter.ref().id()),
                        Optional.empty(),
                        "TAMPER",
                        Instant.EPOCH,
                        Instant.now().plusSeconds(60),
                        Optional.empty(),
                        10));
    }

    @ParameterizedTest
    @ValueSource(strings = {"311", "mqttv5"})
    void aBootEventReportsTheFirmware(String version) {
        EnrolledDevice meter = EnrolledDevice.of(server, "m-boot-" + version);
        publish(
                        version,
                        meter,
                        "-q",
                        "1",
                        "-t",
                        topic(meter, "event"),
                        "-m",
                        "{\"v\":1,\"name\":\"boot\",\"details\":{\"firmware\":\"1.2.0\",\"slot\":\"A\",\"counter\":\"3\"}}")
                .run()
                .succeeded();
        assertThat(server.server()
                        .inventory()
                        .find(meter.ref())
                        .orElseThrow()
                        .firmware()
                        .orElseThrow()
                        .value())
                .isEqualTo("1.2.0");
        assertThat(server.server().telemetry().events(meter.ref(), Instant.now().plusSeconds(60), 10))
                .extracting(Observation.Event::name)
                .containsExactly("boot");
    }

    @ParameterizedTest
    @ValueSource(strings = {"311", "mqttv5"})
    void aDeviceThatWakesHearsWhatItShouldBeAndEveryChange(String version) {
        EnrolledDevice meter = EnrolledDevice.of(server, "m-cmd-" + version);
        server.server().commands().desire(meter.ref(), desired("interval", 60), "set up", TestServer.TESTER);
        try (RunningClient subscriber = client("mosquitto_sub", version, meter, "-q", "1", "-t", topic(meter, "cmd"))
                .start()) {
            assertThat(subscriber.awaitLine(line -> line.contains("\"revision\":1"), SOON))
                    .isEqualTo("{\"v\":1,\"revision\":1,\"desired\":{\"interval\":60}}");
            server.server().commands().desire(meter.ref(), desired("interval", 30), "faster", TestServer.TESTER);
            subscriber.awaitLine(line -> line.contains("\"revision\":2") && line.contains("30"), SOON);
        }
        TestServer.await("its acknowledgement is known", () -> {
            server.server().commands().flush();
            return server.server().commands().desired(meter.ref()).orElseThrow().delivered() == 2;
        });
        publish(
                        version,
                        meter,
                        "-q",
                        "1",
                        "-t",
                        topic(meter, "config"),
                        "-m",
                        "{\"v\":1,\"revision\":2,\"settings\":{\"interval\":30}}")
                .run()
                .succeeded();
        assertThat(server.server()
                        .telemetry()
                        .configuration(meter.ref())
                        .orElseThrow()
                        .settings())
                .containsEntry("interval", "30");
        TestServer.await("it is known to have applied it", () -> {
            server.server().commands().flush();
            return server.server().commands().desired(meter.ref()).orElseThrow().applied() == 2;
        });
    }

    @Test
    void aForbiddenTopicIsRefusedByReasonCodeInVersion5AndTheSessionGoesOn() {
        EnrolledDevice meter = EnrolledDevice.of(server, "m-forbidden");
        RealClient.Result result = publish(
                        "mqttv5", meter, "-q", "1", "-d", "-t", "d/m-other/telemetry", "-m", "{\"kwh\":1}")
                .run();
        assertThat(result.errors() + result.text()).contains("Not authorized");
        RealClient.Result subscribed = client(
                        "mosquitto_sub",
                        "mqttv5",
                        meter,
                        "-d",
                        "-E",
                        "-q",
                        "1",
                        "-t",
                        "d/+/cmd",
                        "-t",
                        topic(meter, "cmd"))
                .run();
        assertThat(subscribed.text() + subscribed.errors()).contains("Subscribed (mid: 1): 135, 1");
    }

    @Test
    void theCommandsOfTheRecipeDoWhatItSays() {
        EnrolledDevice meter = EnrolledDevice.of(server, "m-recipe");
        server.server().commands().desire(meter.ref(), desired("interval", 60), "set up", TestServer.TESTER);
        RealClient.Result result = Recipe.read(
                        Path.of(System.getProperty("holdfast.root"), "docs/recipes/telemetry-with-mosquitto.md"))
                .run(
                        server.folder(),
                        Map.of(
                                "DEVICE", meter.ref().id().value(),
                                "MQTT_PORT", Integer.toString(server.server().mqttPort()),
                                "DEVICE_CERT", meter.certificateFile().toString(),
                                "DEVICE_KEY", meter.keyFile().toString(),
                                "ROOT", server.rootPem().toString()),
                        Duration.ofSeconds(60));
        assertThat(result.text()).contains("\"revision\":1").containsIgnoringCase("not authorized");
        TestServer.await(
                "three metrics",
                () -> server.server()
                        .telemetry()
                        .latest(meter.ref())
                        .keySet()
                        .equals(java.util.Set.of("kwh", "volt", "temp")));
        assertThat(server.server()
                        .inventory()
                        .find(meter.ref())
                        .orElseThrow()
                        .firmware()
                        .orElseThrow()
                        .value())
                .isEqualTo("1.2.0");
    }
}
