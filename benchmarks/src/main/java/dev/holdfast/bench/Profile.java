package dev.holdfast.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordedFrame;
import jdk.jfr.consumer.RecordedStackTrace;
import jdk.jfr.consumer.RecordingFile;

/// Where the server's CPU goes during one round: by sort of thread, as the kernel counts it, and for Java threads by
/// room and by innermost frame, as JFR samples CPU time (JEP 509), native code included. The recording is switched on
/// in the running server, which so has no other flags than anybody's.
///
/// @param threads microseconds of CPU for each operation; `PostgreSQL` is all of its processes
/// @param rooms shares of the samples
/// @param frames shares of the samples
record Profile(
        String id, int samples, Map<String, Double> threads, Map<String, Double> rooms, Map<String, Double> frames) {
    private static final String SETTINGS = """
            <?xml version="1.0" encoding="UTF-8"?>
            <configuration version="2.0">
              <event name="jdk.CPUTimeSample">
                <setting name="enabled">true</setting>
                <setting name="throttle">2ms</setting>
                <setting name="stackTrace">true</setting>
              </event>
            </configuration>
            """;
    private static final String OURS = "dev.holdfast.";

    /// Operations to look at.
    interface Work {
        int run() throws IOException;
    }

    static Profile take(String id, ServerProcess server, Path folder, Work work) throws IOException {
        Path settings = folder.resolve("cpu.jfc");
        Files.writeString(settings, SETTINGS);
        Path recording = folder.resolve(id + ".jfr");
        String started = server.jcmd("JFR.start", "name=bench", "settings=" + settings);
        if (!started.contains("Started recording")) {
            throw new IOException("JFR does not start: " + started);
        }
        Map<String, Duration> before = CpuMeter.threads(server.handle());
        Duration databaseBefore = CpuMeter.descendants(server.handle());
        int done = work.run();
        Map<String, Duration> after = CpuMeter.threads(server.handle());
        Duration database = CpuMeter.descendants(server.handle()).minus(databaseBefore);
        String stopped = server.jcmd("JFR.stop", "name=bench", "filename=" + recording);
        if (!Files.exists(recording)) {
            throw new IOException("JFR wrote nothing: " + stopped);
        }
        Map<String, Double> threads = new HashMap<>();
        threads.put("PostgreSQL", Bench.micros(database, done));
        after.forEach((name, used) ->
                threads.put(name, Bench.micros(used.minus(before.getOrDefault(name, Duration.ZERO)), done)));
        return read(id, recording, sorted(threads, 8));
    }

    private static Profile read(String id, Path recording, Map<String, Double> threads) throws IOException {
        Map<String, Double> rooms = new TreeMap<>();
        Map<String, Double> frames = new TreeMap<>();
        int samples = 0;
        try (RecordingFile file = new RecordingFile(recording)) {
            while (file.hasMoreEvents()) {
                RecordedEvent event = file.readEvent();
                if (!event.getEventType().getName().equals("jdk.CPUTimeSample") || event.getStackTrace() == null) {
                    continue;
                }
                List<String> stack = new ArrayList<>();
                RecordedStackTrace trace = event.getStackTrace();
                for (RecordedFrame frame : trace.getFrames()) {
                    stack.add(frame.getMethod().getType().getName() + "."
                            + frame.getMethod().getName());
                }
                if (!stack.isEmpty()) {
                    samples++;
                    rooms.merge(place(stack), 1.0, Double::sum);
                    frames.merge(stack.getFirst(), 1.0, Double::sum);
                }
            }
        }
        int all = Math.max(1, samples);
        rooms.replaceAll((_, count) -> count / all);
        frames.replaceAll((_, count) -> count / all);
        return new Profile(id, samples, threads, sorted(rooms, 14), sorted(frames, 16));
    }

    /// The room whose code is innermost; else the library that does the work of none of them.
    private static String place(List<String> stack) {
        String library = "other";
        for (String frame : stack) {
            if (frame.startsWith(OURS)) {
                String rest = frame.substring(OURS.length());
                int dot = rest.indexOf('.');
                return "room " + (dot < 0 ? rest : rest.startsWith("protocol") ? "protocol" : rest.substring(0, dot));
            }
            if (library.equals("other")) {
                library = library(frame);
            }
        }
        return library;
    }

    private static String library(String frame) {
        if (frame.startsWith("io.netty.internal.tcnative") || frame.startsWith("io.netty.handler.ssl")) {
            return "TLS (Netty, BoringSSL)";
        }
        if (frame.startsWith("io.netty.")) {
            return "Netty";
        }
        if (frame.startsWith("io.vertx.")) {
            return "Vert.x";
        }
        if (frame.startsWith("sun.nio.ch") || frame.startsWith("java.nio")) {
            return "sockets";
        }
        return frame.startsWith("jdk.jfr") ? "the profiler" : "other";
    }

    private static Map<String, Double> sorted(Map<String, Double> shares, int most) {
        Map<String, Double> sorted = new LinkedHashMap<>();
        shares.entrySet().stream()
                .filter(entry -> entry.getValue() > 0)
                .sorted(Map.Entry.<String, Double>comparingByValue(Comparator.reverseOrder()))
                .limit(most)
                .forEach(entry -> sorted.put(entry.getKey(), entry.getValue()));
        return sorted;
    }

    List<String> lines() {
        List<String> lines = new ArrayList<>();
        lines.add("Where the time goes: " + id);
        lines.add("  threads, us CPU for each operation:");
        threads.forEach((name, micros) -> lines.add("    %8s  %s".formatted(Spread.figure(micros), name)));
        lines.add("  Java threads, shares of " + samples + " samples of CPU time, by room:");
        rooms.forEach((name, share) -> lines.add("    %7.1f%%  %s".formatted(100 * share, name)));
        lines.add("  by innermost frame:");
        frames.forEach((name, share) -> lines.add("    %7.1f%%  %s".formatted(100 * share, name)));
        return lines;
    }
}
