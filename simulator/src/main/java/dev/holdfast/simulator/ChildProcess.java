package dev.holdfast.simulator;

import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// A program of ours in a process of its own, on this process's class path. It ends when we do.
final class ChildProcess implements AutoCloseable {
    private static final int KEPT_LINES = 200;

    private final String name;
    private final Process process;
    private final Deque<String> lines = new ArrayDeque<>();
    private volatile boolean closing;

    /// @param log gets all it says
    static ChildProcess start(String name, Path log, int megabytes, Map<String, String> environment, List<String> run)
            throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "-XX:+UseCompactObjectHeaders",
                "-XX:-UsePerfData",
                "-Xmx" + megabytes + "m",
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow"));
        for (String property : List.of("java.util.logging.config.file", "holdfast.home")) {
            String value = System.getProperty(property);
            if (value != null) {
                command.add("-D" + property + "=" + value);
            }
        }
        String cache = System.getProperty("holdfast.aot");
        if (cache != null) {
            command.addAll(List.of("-XX:AOTCache=" + cache, "-Xlog:aot=off"));
        }
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), Tethered.class.getName()));
        command.addAll(run);
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().keySet().removeIf(key -> key.startsWith("HOLDFAST_"));
        builder.environment().putAll(environment);
        return new ChildProcess(name, builder.start(), log);
    }

    private ChildProcess(String name, Process process, Path log) {
        this.name = name;
        this.process = process;
        Thread.ofPlatform().daemon().name(name + " output").start(() -> {
            try (BufferedReader reader = new BufferedReader(
                            new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
                    BufferedWriter writer = Files.newBufferedWriter(log)) {
                for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                    writer.write(line);
                    writer.newLine();
                    writer.flush();
                    keep(line);
                }
            } catch (IOException processGone) {
                keep("(its output ended: " + processGone.getMessage() + ")");
            }
        });
    }

    private void keep(String line) {
        synchronized (lines) {
            lines.addLast(line);
            if (lines.size() > KEPT_LINES) {
                lines.removeFirst();
            }
            lines.notifyAll();
        }
    }

    /// Waits for a line that holds the pattern.
    ///
    /// @throws IOException when the process ends first, or the time does
    Matcher await(Pattern pattern, Duration atMost) throws IOException, InterruptedException {
        long deadline = System.nanoTime() + atMost.toNanos();
        synchronized (lines) {
            while (true) {
                Optional<Matcher> found = lines.stream()
                        .map(pattern::matcher)
                        .filter(Matcher::find)
                        .findFirst();
                if (found.isPresent()) {
                    return found.get();
                }
                long left = deadline - System.nanoTime();
                if (left <= 0 || !process.isAlive()) {
                    throw new IOException("the " + name + (process.isAlive() ? " is not ready in time" : " ended")
                            + "; it said:\n" + String.join("\n", lines));
                }
                lines.wait(Math.clamp(left / 1_000_000, 1, 200));
            }
        }
    }

    /// The matches among the lines said lately.
    Optional<Matcher> find(Pattern pattern) {
        synchronized (lines) {
            return lines.stream().map(pattern::matcher).filter(Matcher::find).findFirst();
        }
    }

    List<String> lastLines() {
        synchronized (lines) {
            return List.copyOf(lines);
        }
    }

    /// Tells of an end that nobody here asked for, with the last of what it said.
    void onUnexpectedEnd(Consumer<String> heard) {
        Thread.ofVirtual().name(name + " watch").start(() -> {
            Process gone = process.onExit().join();
            if (!closing) {
                List<String> said = lastLines();
                heard.accept("the " + name + " ended by itself (exit code " + gone.exitValue() + "); it said last:\n  "
                        + String.join("\n  ", said.subList(Math.max(0, said.size() - 8), said.size())));
            }
        });
    }

    boolean isAlive() {
        return process.isAlive();
    }

    int waitFor(Duration atMost) throws InterruptedException, IOException {
        if (!process.waitFor(atMost.toMillis(), TimeUnit.MILLISECONDS)) {
            throw new IOException("the " + name + " did not end within " + atMost.toSeconds() + " s");
        }
        return process.exitValue();
    }

    /// Asks it to stop, waits, then makes it.
    @Override
    public void close() {
        closing = true;
        process.destroy();
        try {
            if (!process.waitFor(15, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }
}
