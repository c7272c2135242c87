package dev.holdfast.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/// What processes have used, as the kernel counts it in `/proc`.
final class CpuMeter {
    private static final long NANOS_PER_TICK = 10_000_000; // CLK_TCK is 100 on every Linux this runs on

    private CpuMeter() {}

    /// CPU of the process alone.
    static Duration own(ProcessHandle process) {
        return sum(List.of(process.pid()));
    }

    /// CPU of all descendants of the process, and of those of them that ended and were waited for.
    static Duration descendants(ProcessHandle process) {
        return sum(below(process));
    }

    /// CPU of the process and all its descendants.
    static Duration family(ProcessHandle process) {
        return own(process).plus(descendants(process));
    }

    /// CPU of the threads of a Java process that compile its code: a cost of the first minutes, not of an operation.
    static Duration compiler(ProcessHandle process) {
        Map<String, Duration> threads = threads(process);
        // As the kernel cuts off names.
        return threads.getOrDefault("C1 CompilerThre", Duration.ZERO)
                .plus(threads.getOrDefault("C2 CompilerThre", Duration.ZERO));
    }

    /// CPU of the threads that read requests and send answers.
    static Duration eventLoops(ProcessHandle process) {
        return threads(process).getOrDefault("vert.x-eventloo", Duration.ZERO); // as the kernel cuts off names
    }

    private static Duration sum(List<Long> pids) {
        long ticks = 0;
        for (long pid : pids) {
            String[] fields = stat(Path.of("/proc", Long.toString(pid), "stat"));
            if (fields.length > 14) {
                // After the name: state is field 3; utime 14, stime 15, cutime 16, cstime 17 (proc(5)).
                ticks += Long.parseLong(fields[11]) + Long.parseLong(fields[12]);
                ticks += Long.parseLong(fields[13]) + Long.parseLong(fields[14]);
            }
        }
        return Duration.ofNanos(ticks * NANOS_PER_TICK);
    }

    /// CPU of each sort of thread of a process: those whose names differ by their number alone are one sort.
    static Map<String, Duration> threads(ProcessHandle process) {
        Map<String, Duration> sorts = new TreeMap<>();
        try (Stream<Path> tasks = Files.list(Path.of("/proc", Long.toString(process.pid()), "task"))) {
            for (Path task : tasks.toList()) {
                String[] fields = stat(task.resolve("stat"));
                if (fields.length > 14) {
                    String name =
                            Files.readString(task.resolve("comm")).strip().replaceAll("[-#\\s]*[0-9]+[-0-9]*$", "");
                    long ticks = Long.parseLong(fields[11]) + Long.parseLong(fields[12]);
                    sorts.merge(name, Duration.ofNanos(ticks * NANOS_PER_TICK), Duration::plus);
                }
            }
        } catch (IOException ended) {
            return sorts; // a thread that ended meanwhile
        }
        return sorts;
    }

    /// Resident memory of the process alone, in octets.
    static long resident(ProcessHandle process) {
        return field(Path.of("/proc", Long.toString(process.pid()), "status"), "VmRSS:");
    }

    /// Memory of the descendants, in octets, what several of them share counted once.
    static long proportionalOfDescendants(ProcessHandle process) {
        return below(process).stream()
                .mapToLong(pid -> field(Path.of("/proc", Long.toString(pid), "smaps_rollup"), "Pss:"))
                .sum();
    }

    private static long field(Path file, String name) {
        try {
            for (String line : Files.readAllLines(file)) {
                if (line.startsWith(name)) {
                    return Long.parseLong(line.replaceAll("\\D", "")) * 1024;
                }
            }
        } catch (IOException gone) {
            return 0;
        }
        return 0;
    }

    private static List<Long> below(ProcessHandle root) {
        List<Long> all = new ArrayList<>();
        root.descendants().forEach(child -> all.add(child.pid()));
        return all;
    }

    private static String[] stat(Path file) {
        try {
            String text = Files.readString(file);
            return text.substring(text.lastIndexOf(')') + 2).split(" ", -1);
        } catch (IOException ended) {
            return new String[0];
        }
    }
}
