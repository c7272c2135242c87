package dev.holdfast.mqtt;

import dev.holdfast.testkit.fuzz.FuzzTarget;
import dev.holdfast.testkit.fuzz.Fuzzing;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
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

    /// Of `./check --long`.
    @TestFactory
    Stream<DynamicTest> aMinuteGuidedByCoverageFindsNothing() {
        return Boolean.getBoolean("holdfast.long")
                ? new MessageTargets()
                        .get().stream()
                                .map(target -> DynamicTest.dynamicTest(
                                        target.name(),
                                        () -> Fuzzing.soak(
                                                MessageTargets.class,
                                                target,
                                                Path.of("target/fuzz"),
                                                Duration.ofSeconds(Integer.getInteger("holdfast.fuzz.seconds", 60)))))
                : Stream.empty();
    }
}
