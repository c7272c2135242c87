package dev.holdfast.protocol.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.testkit.fuzz.FuzzTarget;
import dev.holdfast.testkit.fuzz.Fuzzing;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Whatever bytes come, a parser answers with a value or with its one checked exception, in bounded time and
/// memory; what it takes as DER is DER; what it can write it reads back.
///
/// In every check a fixed row of mutations, and what was ever found (`fuzz/findings.txt`); with
/// `-Dholdfast.long=true` a minute of fuzzing guided by coverage for each, whose corpus stays in `target/fuzz`.
class FuzzTest {
    private static final List<String> FINDINGS = findings();
    private static final List<FuzzTarget> TARGETS = new ProtocolTargets().get();

    private static List<String> findings() {
        try {
            return Files.readAllLines(Path.of("src/test/resources/fuzz/findings.txt"));
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    static Stream<String> targets() {
        return TARGETS.stream().map(FuzzTarget::name);
    }

    private static FuzzTarget target(String name) {
        return TARGETS.stream()
                .filter(target -> target.name().equals(name))
                .findFirst()
                .orElseThrow();
    }

    @ParameterizedTest
    @MethodSource("targets")
    void whateverComesIsReadOrRefused(String name) {
        FuzzTarget target = target(name);
        int taken = Fuzzing.regress(target, FINDINGS);
        System.out.println("fuzzed " + name + ": " + target.rounds() + " inputs, " + taken + " of them taken");
    }

    /// Of `./check --long`.
    @TestFactory
    Stream<DynamicTest> aMinuteGuidedByCoverageFindsNothing() {
        return Boolean.getBoolean("holdfast.long")
                ? targets()
                        .map(name -> DynamicTest.dynamicTest(
                                name,
                                () -> Fuzzing.soak(
                                        ProtocolTargets.class,
                                        target(name),
                                        Path.of("target/fuzz"),
                                        Duration.ofSeconds(Integer.getInteger("holdfast.fuzz.seconds", 60)))))
                : Stream.empty();
    }

    @Test
    void everySeedIsStored() {
        assertThat(StoredSeeds.made()).describedAs("run StoredSeeds.main").isEmpty();
    }

    @Test
    void everyFindingBelongsToATarget() {
        assertThat(FINDINGS.stream()
                        .filter(line -> !line.isBlank() && !line.startsWith("#"))
                        .map(line -> line.split(" ", 2)[0]))
                .isSubsetOf(targets().toList());
    }
}
