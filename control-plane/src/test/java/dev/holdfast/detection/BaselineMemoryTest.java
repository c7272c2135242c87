package dev.holdfast.detection;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Environment;
import dev.holdfast.core.ModelId;
import dev.holdfast.core.Serial;
import dev.holdfast.inventory.Model;
import dev.holdfast.telemetry.Observation;
import dev.holdfast.telemetry.Provenance;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/// Measured on the heap, not computed: every detector has something to remember of every device.
class BaselineMemoryTest {
    private static final int DEVICES = 5_000;
    private static final Instant START = Instant.parse("2026-03-02T00:00:00Z");

    @Test
    void aDeviceWithFiveMetricsAndEverySuspicionTakesAtMostTwoKilobytes() {
        Map<String, Model.Band> bands = new HashMap<>();
        for (int i = 0; i < 5; i++) {
            bands.put("metric-" + i, new Model.Band(0, 100, "V"));
        }
        Expectation expected = Expectation.of(new Model(
                new Environment("development"),
                new ModelId("meter"),
                "Acme",
                "hw-1",
                Duration.ofMinutes(15),
                bands,
                List.of(new Model.AllowedFlow("10.0.0.0/24", "tcp", 8883)),
                Map.of("a", "b")));
        Baseline[] all = new Baseline[DEVICES];
        full(expected, 0); // classes and constants are not a device's
        long before = used();
        for (int i = 0; i < DEVICES; i++) {
            all[i] = full(expected, i);
        }
        long each = (used() - before) / DEVICES;
        System.out.println("memory of a baseline with 5 metrics and every detector in use: " + each + " octets"
                + ", checkpoint " + BaselineCodec.encode(all[0]).length);
        assertThat(all[DEVICES - 1].ongoing).hasSizeGreaterThanOrEqualTo(4);
        assertThat(each).isLessThanOrEqualTo(2_048);
    }

    private static Baseline full(Expectation expected, int number) {
        DeviceRef device = DeviceRef.of("development", "m-" + number);
        Baseline baseline = Baseline.NEW;
        Instant now = START;
        for (int i = 0; i < 24; i++) {
            Map<String, Double> values = new HashMap<>();
            for (int metric = 0; metric < 5; metric++) {
                values.put(new String("metric-" + metric), 1.0 * number);
            }
            now = now.plusSeconds(3_600);
            baseline = see(expected, baseline, new Observation.Measurement(device, now, now, values, false));
        }
        for (int i = 0; i < 30; i++) {
            now = now.plusSeconds(1);
            baseline = see(
                    expected,
                    baseline,
                    new Observation.Flow(
                            device, now, Provenance.OBSERVED, device, now, now, "192.0.2." + i, i, "tcp", 1, 1));
            baseline = see(
                    expected,
                    baseline,
                    new Observation.SessionActivity(
                            device,
                            now,
                            1 + i % 2,
                            new Serial("7"),
                            "mqtt",
                            "198.51.100." + i % 2 + ":1",
                            Observation.SessionActivity.Kind.USED));
            for (Observation.Violation.Rule rule : Observation.Violation.Rule.values()) {
                baseline = see(expected, baseline, new Observation.Violation(device, now, rule, "x"));
            }
            baseline = see(expected, baseline, new Observation.AuthenticationFailure(device, now, "x", "y:1"));
        }
        return see(expected, baseline, new Observation.ConfigurationReport(device, now, Map.of()));
    }

    private static Baseline see(Expectation expected, Baseline baseline, Observation observation) {
        return Detector.assess(expected, baseline, observation).next();
    }

    private static long used() {
        long least = Long.MAX_VALUE;
        for (int i = 0; i < 4; i++) {
            System.gc();
            Runtime runtime = Runtime.getRuntime();
            least = Math.min(least, runtime.totalMemory() - runtime.freeMemory());
        }
        return least;
    }
}
