package dev.holdfast.mqtt;

import dev.holdfast.testkit.fuzz.FuzzTarget;
import dev.holdfast.testkit.fuzz.Fuzzing;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Whatever a device publishes is read or refused, in bounded time and memory.
class MessageFuzzTest {
    private static FuzzTarget target(String name) {
        return new MessageTargets()
                .get().stream()
                        .filter(target -> target.name().equals(name))
                        .findFirst()
                        .orElseThrow();
    }

    @ParameterizedTest
    @ValueSource(strings = {"mqtt-telemetry", "mqtt-log", "mqtt-event", "mqtt-config", "mqtt-topic"})
    void whateverIsPublishedIsReadOrRefused(String name) {
        int taken = Fuzzing.regress(target(name), List.of());
        System.out.println("fuzzed " + name + ": " + target(name).rounds() + " inputs, " + taken + " of them taken");
    }

    @ParameterizedTest
    @ValueSource(strings = {"mqtt-telemetry", "mqtt-log", "mqtt-event", "mqtt-config", "mqtt-topic"})
    @EnabledIfSystemProperty(named = "holdfast.long", matches = "true")
    void aMinuteGuidedByCoverageFindsNothing(String name) throws Exception {
        Fuzzing.soak(
                MessageTargets.class,
                target(name),
                Path.of("target/fuzz"),
                Duration.ofSeconds(Integer.getInteger("holdfast.fuzz.seconds", 60)));
    }
}
