package dev.holdfast.agent;

import java.io.InputStream;
import java.lang.management.ManagementFactory;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// A real machine: measures itself. Its firmware is only kept and counted, not run; its reboot restarts the agent.
final class HostPlatform implements Platform {
    @Override
    public Optional<String> start(String version, InputStream image) {
        return Optional.empty();
    }

    @Override
    public Optional<String> selfTest() {
        return Optional.empty();
    }

    @Override
    public Map<String, Double> measure(Instant now) {
        Map<String, Double> values = new TreeMap<>();
        double load = ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage();
        if (load >= 0) {
            values.put("load", load);
        }
        if (ManagementFactory.getOperatingSystemMXBean() instanceof com.sun.management.OperatingSystemMXBean machine) {
            values.put("memoryFree", (double) machine.getFreeMemorySize());
        }
        values.put("uptime", ManagementFactory.getRuntimeMXBean().getUptime() / 1000.0);
        return values;
    }
}
