package dev.holdfast.testkit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Predicate;

/// A real program that runs beside the test; its lines are kept, and it is killed when closed.
public final class RunningClient implements AutoCloseable {
    private static final int MOST_LINES = 100_000;

    private final List<String> command;
    private final Process process;
    private final List<String> lines = new ArrayList<>();
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition more = lock.newCondition();
    private boolean ended;

    RunningClient(List<String> command, Process process) {
        this.command = command;
        this.process = process;
        // A platform thread: reading a pipe holds the carrier of a virtual one, and two of them would hold them all.
        Thread.ofPlatform().daemon().name("client-output").start(this::read);
    }

    private void read() {
        try (var reader = process.inputReader(StandardCharsets.UTF_8)) {
            for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                add(line, false);
            }
        } catch (IOException closed) {
            // killed while we read
        } finally {
            add("", true);
        }
    }

    private void add(String line, boolean last) {
        lock.lock();
        try {
            ended |= last;
            if (!last && lines.size() < MOST_LINES) {
                lines.add(line);
            }
            more.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /// The first line, already printed or still to come, that is as wished.
    ///
    /// @throws AssertionError with all that it printed when none comes in time, or it ends before
    public String awaitLine(Predicate<String> wished, Duration longest) {
        long left = longest.toNanos();
        lock.lock();
        try {
            int seen = 0;
            while (true) {
                for (; seen < lines.size(); seen++) {
                    if (wished.test(lines.get(seen))) {
                        return lines.get(seen);
                    }
                }
                if (ended || left <= 0) {
                    throw new AssertionError((ended ? "it ended" : "waited " + longest) + " without the wished line: "
                            + String.join(" ", command) + "\n" + String.join("\n", lines));
                }
                left = more.awaitNanos(left);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        } finally {
            lock.unlock();
        }
    }

    /// Writes to its input, which stayed open ([RealClient#keepInputOpen]).
    public void send(String text) {
        try {
            process.getOutputStream().write(text.getBytes(StandardCharsets.UTF_8));
            process.getOutputStream().flush();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// What it has printed so far, output and errors together.
    public List<String> lines() {
        lock.lock();
        try {
            return List.copyOf(lines);
        } finally {
            lock.unlock();
        }
    }

    public boolean isAlive() {
        return process.isAlive();
    }

    public long pid() {
        return process.pid();
    }

    public ProcessHandle handle() {
        return process.toHandle();
    }

    /// Waits for its end.
    ///
    /// @return its exit code
    /// @throws AssertionError when it does not end in time
    public int awaitExit(Duration longest) {
        try {
            if (!process.waitFor(longest.toMillis(), TimeUnit.MILLISECONDS)) {
                throw new AssertionError("still running after " + longest + ": " + String.join(" ", command) + "\n"
                        + String.join("\n", lines()));
            }
            return process.exitValue();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    /// Asks it to end (SIGTERM).
    public void terminate() {
        process.destroy();
    }

    /// Kills it and all it started (SIGKILL), and waits until it is gone.
    @Override
    public void close() {
        RealClient.kill(process.toHandle());
        awaitExit(Duration.ofSeconds(20));
    }
}
