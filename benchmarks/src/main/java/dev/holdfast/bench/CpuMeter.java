package dev.holdfast.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/// What a process and all its children have used, as the kernel counts it in `/proc`.
final class CpuMeter {
    private static final long NANOS_PER_TICK = 10_000_000; // CLK_TCK is 100 on every Linux this runs on

    private CpuMeter() {}

    /// CPU of the process and its living descendants, and of the ended ones that were waited for.
    static Duration cpu(ProcessHandle root) {
        long ticks = 0;
        for (long pid : family(root)) {
            String[] fields = stat(pid);
            if (fields.length > 14) {
                // After the name: state is field 3; utime 14, stime 15, cutime 16, cstime 17 (proc(5)).
                ticks += Long.parseLong(fields[11]) + Long.parseLong(fields[12]);
                ticks += Long.parseLong(fields[13]) + Long.parseLong(fields[14]);
            }
        }
        return Duration.ofNanos(ticks * NANOS_PER_TICK);
    }

    /// Resident memory of the process alone, in octets.
    static long residentOf(long pid) {
        try {
            for (String line : Files.readAllLines(Path.of("/proc", Long.toString(pid), "status"))) {
                if (line.startsWith("VmRSS:")) {
                    return Long.parseLong(line.replaceAll("\\D", "")) * 1024;
                }
            }
        } catch (IOException gone) {
            return 0;
        }
        return 0;
    }

    private static List<Long> family(ProcessHandle root) {
        List<Long> all = new ArrayList<>(List.of(root.pid()));
        root.descendants().forEach(child -> all.add(child.pid()));
        return all;
    }

    private static String[] stat(long pid) {
        try {
            String text = Files.readString(Path.of("/proc", Long.toString(pid), "stat"));
            return text.substring(text.lastIndexOf(')') + 2).split(" ", -1);
        } catch (IOException ended) {
            return new String[0];
        }
    }
}
