package dev.holdfast.mqtt;

import dev.holdfast.core.DeviceId;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.testkit.fuzz.FuzzTarget;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import java.util.function.Supplier;

/// What devices publish, and where. The packets themselves are read by Netty's codec.
public final class MessageTargets implements Supplier<List<FuzzTarget>> {
    private static final DeviceRef METER = DeviceRef.of("development", "m-1");
    private static final Instant NOW = Instant.parse("2026-03-02T06:00:00Z");
    private static final DeviceTopics TOPICS = new DeviceTopics(new DeviceId("m-1"));

    private static byte[] octets(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    @Override
    public List<FuzzTarget> get() {
        return List.of(
                new FuzzTarget(
                        "mqtt-telemetry",
                        3_000,
                        input -> isTaken(() -> MessageCodec.telemetry(METER, input, NOW)),
                        List.of(
                                octets("{\"kwh\":1.2,\"volt\":230}"),
                                octets("[{\"bn\":\"urn:dev:ops:m-1:\",\"n\":\"kwh\",\"v\":1.2,\"t\":-5}]"),
                                HexFormat.of().parseHex("81a200636b776802fb3ff3333333333333"))),
                new FuzzTarget(
                        "mqtt-log",
                        2_000,
                        input -> isTaken(() -> MessageCodec.log(METER, input, NOW)),
                        List.of(octets("{\"v\":1,\"severity\":\"info\",\"text\":\"all is well\"}"))),
                new FuzzTarget(
                        "mqtt-event",
                        2_000,
                        input -> isTaken(() -> MessageCodec.event(METER, input, NOW)),
                        List.of(octets("{\"v\":1,\"name\":\"boot\",\"details\":{\"firmware\":\"1.2.0\"}}"))),
                new FuzzTarget(
                        "mqtt-config",
                        2_000,
                        input -> isTaken(() -> MessageCodec.config(METER, input, NOW)),
                        List.of(octets("{\"v\":1,\"revision\":7,\"settings\":{\"interval\":\"60\"}}"))),
                new FuzzTarget(
                        "mqtt-topic",
                        3_000,
                        MessageTargets::topic,
                        List.of(octets("d/m-1/telemetry"), octets("d/m-1/cmd"), octets("d/m-1/config"))));
    }

    @FunctionalInterface
    private interface Reading {
        Object read() throws MalformedMessageException;
    }

    private static boolean isTaken(Reading reading) {
        try {
            return reading.read() != null;
        } catch (MalformedMessageException expected) {
            return false;
        }
    }

    /// A device has its own topics, letter by letter, and no pattern.
    private static boolean topic(byte[] input) {
        String topic = new String(input, StandardCharsets.UTF_8);
        boolean up = TOPICS.up(topic).isPresent();
        boolean down = TOPICS.maySubscribe(topic);
        boolean own = List.of("d/m-1/telemetry", "d/m-1/log", "d/m-1/config", "d/m-1/event")
                .contains(topic);
        if (up != own || down != topic.equals("d/m-1/cmd")) {
            throw new AssertionError("another's topic: " + topic);
        }
        return up || down;
    }
}
