package dev.holdfast.detection;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Environment;
import dev.holdfast.core.ModelId;
import dev.holdfast.detection.Finding.Cause;
import dev.holdfast.inventory.Model;
import dev.holdfast.telemetry.Observation;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

/// Synthetic fleets with seeded faults: how many of them are found, how many findings are wrong, and how soon.
class DetectionQualityTest {
    private static final Instant START = Instant.parse("2026-03-02T00:00:00Z");
    private static final Duration STEP = Duration.ofMinutes(15);
    private static final int METERS = 300;
    private static final Expectation EXPECTED = Expectation.of(new Model(
            new Environment("development"),
            new ModelId("meter"),
            "Acme",
            "hw-1",
            STEP,
            Map.of("kwh", new Model.Band(0, 100, "kWh"), "volt", new Model.Band(150, 300, "V")),
            List.of(),
            Map.of()));

    /// A household: its own level, evening peak, noise, and now and then a kettle.
    private record Household(double level, double peak, double noise, double volt) {
        static Household of(Random random) {
            return new Household(
                    0.3 + random.nextDouble(),
                    0.5 + 2 * random.nextDouble(),
                    0.05 + 0.25 * random.nextDouble(),
                    225 + 10 * random.nextDouble());
        }

        Map<String, Double> at(Instant at, Random random) {
            double hour = at.getEpochSecond() / 3600.0 % 24;
            double season = level + peak * Math.exp(-Math.pow((hour - 19) / 2.5, 2));
            double kwh = season * (1 + noise * random.nextGaussian()) + (random.nextInt(100) == 0 ? 0.4 : 0);
            return Map.of("kwh", Math.max(0, kwh), "volt", volt + 1.2 * random.nextGaussian());
        }
    }

    private enum Fault {
        NONE,
        STUCK_AT_ZERO_VOLT_DROP,
        TRIPLED,
        NIGHT_BECAME_DAY
    }

    private static Map<String, Double> faulty(Fault fault, Household home, Instant at, Random random) {
        Map<String, Double> usual = home.at(at, random);
        return switch (fault) {
            case NONE -> usual;
            case STUCK_AT_ZERO_VOLT_DROP -> Map.of("kwh", 0.0, "volt", 190.0);
            case TRIPLED -> with(usual, 3 * of(usual) + 3);
            case NIGHT_BECAME_DAY -> with(usual, of(home.at(at.plus(Duration.ofHours(12)), random)) + 2);
        };
    }

    private static double of(Map<String, Double> values) {
        return values.getOrDefault("kwh", 0.0);
    }

    private static Map<String, Double> with(Map<String, Double> values, double kwh) {
        return Map.of("kwh", kwh, "volt", values.getOrDefault("volt", 0.0));
    }

    @Test
    void mostFaultsAreFoundSoonAndFewFindingsAreWrong() {
        long chosen = Long.getLong("holdfast.seed", System.nanoTime() & 0xffff);
        for (long seed : new long[] {1, 2, 3, chosen}) {
            measure(seed);
        }
    }

    private static void measure(long seed) {
        Random random = new Random(seed);
        int truePositives = 0;
        int falsePositives = 0;
        int faults = 0;
        long delays = 0;
        for (int meter = 0; meter < METERS; meter++) {
            DeviceRef device = DeviceRef.of("development", "m-" + meter);
            Household home = Household.of(random);
            Fault fault = random.nextInt(10) == 0 ? Fault.values()[1 + random.nextInt(3)] : Fault.NONE;
            faults += fault == Fault.NONE ? 0 : 1;
            Baseline baseline = Baseline.NEW;
            for (Instant at = START.minus(Duration.ofDays(7)); at.isBefore(START); at = at.plus(STEP)) {
                baseline = Detector.assess(
                                EXPECTED,
                                baseline,
                                new Observation.Measurement(device, START, at, home.at(at, random), true))
                        .next();
            }
            Instant begins = START.plus(Duration.ofHours(random.nextInt(24)));
            boolean found = false;
            boolean wrong = false;
            for (Instant at = START; at.isBefore(START.plus(Duration.ofDays(2))); at = at.plus(STEP)) {
                Fault now = at.isBefore(begins) ? Fault.NONE : fault;
                Assessment assessment = Detector.assess(
                        EXPECTED,
                        baseline,
                        new Observation.Measurement(device, at, at, faulty(now, home, at, random), false));
                baseline = assessment.next();
                boolean any = assessment.findings().stream()
                        .anyMatch(f ->
                                f.cause() == Cause.TELEMETRY_OUT_OF_HISTORY || f.cause() == Cause.TELEMETRY_IMPOSSIBLE);
                if (any && now == Fault.NONE) {
                    wrong = true;
                } else if (any && !found) {
                    found = true;
                    delays += Duration.between(begins, at).toMinutes();
                }
            }
            truePositives += found ? 1 : 0;
            falsePositives += wrong ? 1 : 0;
        }
        double precision = (double) truePositives / Math.max(1, truePositives + falsePositives);
        double recall = (double) truePositives / Math.max(1, faults);
        System.out.printf(
                "seed %d: %d meters, %d faulty: precision %.2f, recall %.2f, mean delay %d min%n",
                seed, METERS, faults, precision, recall, truePositives == 0 ? -1 : delays / truePositives);
        assertThat(precision).as("precision with seed " + seed).isGreaterThan(0.8);
        assertThat(recall).as("recall with seed " + seed).isGreaterThan(0.8);
    }
}
