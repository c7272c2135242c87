package dev.holdfast.bench;

import dev.holdfast.Server;
import dev.holdfast.config.Configuration;
import dev.holdfast.core.DeviceId;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.telemetry.Observation;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The first stage of detection alone, in a process of its own, on one thread: measurements of five values each of
/// many devices, ten minutes apart, so that each teaches its device's history something.
final class DetectionMain {
    private static final PrintStream OUT = System.out;
    private static final int ROUNDS = 30;

    private DetectionMain() {}

    /// Prints the measurements a second of CPU of several rounds, then the octets of heap for each device.
    ///
    /// @param args data folder, number of devices
    public static void main(String[] args) throws Exception {
        int devices = Integer.parseInt(args[1]);
        Configuration configuration = Configuration.load(Optional.empty(), ServerProcess.variables());
        try (Server server =
                Server.start(configuration, Path.of(args[0]), InstantSource.system(), new SecureRandom())) {
            List<DeviceRef> refs = new ArrayList<>();
            for (int n = 0; n < devices; n++) {
                refs.add(new DeviceRef(FleetMain.ENVIRONMENT, new DeviceId("meter-" + n)));
            }
            long before = used();
            Instant at = Instant.now();
            List<String> rates = new ArrayList<>();
            for (int round = 0; round < ROUNDS; round++) {
                at = at.plus(Duration.ofMinutes(10));
                List<Observation> batch = batch(refs, at, round);
                long begun = ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
                for (Observation observation : batch) {
                    server.detection().observed(0, observation);
                }
                long nanos = ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime() - begun;
                if (round >= ROUNDS - 9) {
                    rates.add(Long.toString(batch.size() * 1_000_000_000L / Math.max(1, nanos)));
                }
            }
            long after = used();
            OUT.println("RATES " + String.join(" ", rates));
            OUT.println("OCTETS " + (after - before) / devices);
        }
    }

    private static List<Observation> batch(List<DeviceRef> refs, Instant at, int round) {
        List<Observation> batch = new ArrayList<>(refs.size());
        int n = 0;
        for (DeviceRef ref : refs) {
            Map<String, Double> values = new HashMap<>();
            double wave = Math.sin(n++ + round * 0.26);
            values.put("kwh", 1.2 + 0.2 * wave);
            values.put("v", 230 + wave);
            values.put("a", 5 + wave);
            values.put("hz", 50 + 0.01 * wave);
            values.put("temp", 20 + 3 * wave);
            batch.add(new Observation.Measurement(ref, at, at, values, false));
        }
        return batch;
    }

    @SuppressWarnings("SystemGC")
    private static long used() throws InterruptedException {
        for (int i = 0; i < 3; i++) {
            System.gc();
            Thread.sleep(100);
        }
        Runtime runtime = Runtime.getRuntime();
        return runtime.totalMemory() - runtime.freeMemory();
    }
}
