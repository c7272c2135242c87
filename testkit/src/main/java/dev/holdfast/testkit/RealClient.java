package dev.holdfast.testkit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// A program that was not written by us, run against what was: `mosquitto_pub`, `pki`, `openssl`, `swupdate`.
///
/// A missing program is a failure that says what to install, never a skip. Whatever it started is killed at the
/// end.
public final class RealClient {
    /// Programs whose Debian package has another name.
    private static final Map<String, String> PACKAGES = Map.of(
            "softhsm2-util", "softhsm2",
            "pkcs11-tool", "opensc",
            "mosquitto_pub", "mosquitto-clients",
            "mosquitto_sub", "mosquitto-clients",
            "pki", "strongswan-pki",
            "nft", "nftables",
            "ip", "iproute2",
            "softflowd", "softflowd");
    private static final int MOST_OUTPUT = 4_000_000;

    private final List<String> command;
    private final Map<String, String> environment = new HashMap<>();
    private @Nullable Path folder;
    private byte[] input = new byte[0];
    private Duration timeout = Duration.ofSeconds(30);
    private boolean inputStaysOpen;

    private RealClient(List<String> command) {
        this.command = List.copyOf(command);
    }

    /// @throws IllegalStateException when the program is not installed
    public static RealClient of(String program, String... arguments) {
        List<String> command = new ArrayList<>();
        command.add(locate(program).toString());
        command.addAll(List.of(arguments));
        return new RealClient(command);
    }

    /// The program's path.
    ///
    /// @throws IllegalStateException when the program is not installed
    public static Path locate(String program) {
        if (program.contains("/")) {
            return Path.of(program);
        }
        String path = Optional.ofNullable(System.getenv("PATH")).orElse("") + ":/usr/sbin:/sbin:/usr/bin:/bin";
        for (String place : path.split(":", -1)) {
            Path candidate = Path.of(place.isEmpty() ? "." : place, program);
            if (Files.isExecutable(candidate) && !Files.isDirectory(candidate)) {
                return candidate;
            }
        }
        throw new IllegalStateException("the program '" + program
                + "' is missing; ./check installs it, or: apt-get install " + PACKAGES.getOrDefault(program, program));
    }

    public RealClient in(Path where) {
        folder = where;
        return this;
    }

    public RealClient with(String variable, String value) {
        environment.put(variable, value);
        return this;
    }

    public RealClient with(Map<String, String> variables) {
        environment.putAll(variables);
        return this;
    }

    /// What it reads from its standard input; by default nothing.
    public RealClient input(byte[] bytes) {
        input = bytes.clone();
        return this;
    }

    public RealClient input(String text) {
        return input(text.getBytes(StandardCharsets.UTF_8));
    }

    /// For one that ends when its input does: the input stays open until the process is closed.
    public RealClient keepInputOpen() {
        inputStaysOpen = true;
        return this;
    }

    /// The longest it may run; 30 seconds where not given.
    public RealClient timeout(Duration longest) {
        timeout = longest;
        return this;
    }

    /// What it did.
    public static final class Result {
        private final List<String> command;
        private final int exit;
        private final byte[] output;
        private final String errors;

        Result(List<String> command, int exit, byte[] output, String errors) {
            this.command = command;
            this.exit = exit;
            this.output = output;
            this.errors = errors;
        }

        public int exit() {
            return exit;
        }

        /// What it printed, as it came.
        public byte[] bytes() {
            return output.clone();
        }

        /// What it printed to its standard error.
        public String errors() {
            return errors;
        }

        /// What it printed, as UTF-8.
        public String text() {
            return new String(output, StandardCharsets.UTF_8);
        }

        /// This, when it ended with 0.
        ///
        /// @throws AssertionError with all that it printed otherwise
        public Result succeeded() {
            return ended(0);
        }

        public Result failed() {
            if (exit == 0) {
                throw new AssertionError("should have failed: " + this);
            }
            return this;
        }

        public Result ended(int expected) {
            if (exit != expected) {
                throw new AssertionError("expected exit code " + expected + ": " + this);
            }
            return this;
        }

        @Override
        public String toString() {
            return String.join(" ", command) + "\nexit code " + exit + "\n--- output\n" + text() + "\n--- errors\n"
                    + errors;
        }
    }

    /// Runs it to its end.
    ///
    /// @throws AssertionError when it does not end in time (it is killed then)
    public Result run() {
        try {
            Process process = builder().start();
            FutureTask<byte[]> output = reader(process.getInputStream());
            FutureTask<byte[]> errors = reader(process.getErrorStream());
            try {
                Thread.ofPlatform().daemon().start(() -> feed(process));
                if (!process.waitFor(timeout.toMillis(), TimeUnit.MILLISECONDS)) {
                    throw new AssertionError("still running after " + timeout + ": " + String.join(" ", command));
                }
                return new Result(
                        command,
                        process.exitValue(),
                        output.get(10, TimeUnit.SECONDS),
                        new String(errors.get(10, TimeUnit.SECONDS), StandardCharsets.UTF_8));
            } catch (java.util.concurrent.TimeoutException e) {
                throw new AssertionError("its output did not end: " + String.join(" ", command), e);
            } finally {
                kill(process.toHandle());
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (ExecutionException e) {
            throw new IllegalStateException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while running " + command, e);
        }
    }

    /// Starts it and leaves it running until closed.
    public RunningClient start() {
        try {
            Process process = builder().redirectErrorStream(true).start();
            if (!inputStaysOpen) {
                feed(process);
            }
            return new RunningClient(command, process);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private ProcessBuilder builder() {
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.environment().putAll(environment);
        if (folder != null) {
            builder.directory(folder.toFile());
        }
        return builder;
    }

    private void feed(Process process) {
        try (var stdin = process.getOutputStream()) {
            stdin.write(input);
        } catch (IOException e) {
            // it ended, or closed its input, without reading all: its exit code tells
        }
    }

    private static FutureTask<byte[]> reader(java.io.InputStream stream) {
        FutureTask<byte[]> task = new FutureTask<>(() -> {
            byte[] kept = stream.readNBytes(MOST_OUTPUT);
            stream.transferTo(java.io.OutputStream.nullOutputStream());
            return kept;
        });
        // Not a virtual thread, whose carrier would be held for as long as the pipe is silent.
        Thread.ofPlatform().daemon().start(task);
        return task;
    }

    static void kill(ProcessHandle process) {
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly();
    }
}
