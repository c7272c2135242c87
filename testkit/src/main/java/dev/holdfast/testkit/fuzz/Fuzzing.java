package dev.holdfast.testkit.fuzz;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/// Tries targets: what was once found, then seeded mutations; or for a while guided by coverage, in a process of
/// its own, as Jazzer instruments what it loads.
///
/// Jazzer starts this class in that process: [#fuzzerInitialize] and [#fuzzerTestOneInput] are its names.
public final class Fuzzing {
    private static final int WARM_UPS = 3;
    private static FuzzTarget chosen = new FuzzTarget("none", 0, _ -> false, List.of());

    private Fuzzing() {}

    /// Each seed is taken; each input of `findings` that is this target's, and the mutations of a fixed seed, do
    /// no harm.
    ///
    /// @param findings lines of a target's name and an input in base64; others are remarks
    /// @return how many of the mutated inputs the parser has taken
    public static int regress(FuzzTarget target, List<String> findings) {
        for (int i = 0; i < WARM_UPS; i++) { // what classes cost when they are loaded is not an input's doing
            for (byte[] seed : target.seeds()) {
                warm(target, seed);
            }
        }
        for (byte[] seed : target.seeds()) {
            if (!target.attempt(seed)) {
                throw new AssertionError(target.name() + ": a good input is not taken: "
                        + Base64.getEncoder().encodeToString(seed));
            }
        }
        for (byte[] found : of(target, findings)) {
            target.attempt(found);
        }
        Mutation mutation = new Mutation(new Random(target.name().hashCode()), target.seeds());
        int taken = 0;
        for (int round = 0; round < target.rounds(); round++) {
            taken += target.attempt(mutation.next()) ? 1 : 0;
        }
        return taken;
    }

    private static void warm(FuzzTarget target, byte[] seed) {
        try {
            target.property().holds(seed.clone());
        } catch (Exception e) {
            throw new AssertionError(target.name() + ": a good input is not taken", e);
        }
    }

    private static List<byte[]> of(FuzzTarget target, List<String> findings) {
        return findings.stream()
                .map(line -> line.split(" ", 3))
                .filter(parts -> parts.length >= 2 && parts[0].equals(target.name()))
                .map(parts -> Base64.getDecoder().decode(parts[1]))
                .toList();
    }

    /// Fuzzes for a while; the child's own output is in the failure.
    ///
    /// @param targets whose class has a public constructor without arguments
    /// @param folder where the corpus grows, so that the next run goes on from this one
    public static void soak(
            Class<? extends Supplier<List<FuzzTarget>>> targets, FuzzTarget target, Path folder, Duration time)
            throws IOException, InterruptedException {
        Path corpus = Files.createDirectories(folder.resolve(target.name()));
        int number = 0;
        for (byte[] seed : target.seeds()) {
            Files.write(corpus.resolve("seed-" + number++), seed);
        }
        Path log = folder.resolve(target.name() + ".log");
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "-Xmx512m",
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-cp",
                System.getProperty("java.class.path"),
                "com.code_intelligence.jazzer.Jazzer",
                "--target_class=" + Fuzzing.class.getName(),
                "--target_args=" + targets.getName() + " " + target.name(),
                "--instrumentation_includes=dev.holdfast.**:org.bouncycastle.asn1.**"
                        + ":com.fasterxml.jackson.**:com.nimbusds.jose.**",
                "--disabled_hooks=com.code_intelligence.jazzer.sanitizers.**",
                "--reproducer_path=" + folder,
                "-max_total_time=" + time.toSeconds(),
                "-timeout=20",
                "-rss_limit_mb=2048",
                "-max_len=" + Math.max(4_096, 2 * longest(target)),
                "-artifact_prefix=" + folder + File.separator + target.name() + "-",
                "-print_final_stats=1",
                corpus.toString()));
        Process jazzer = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        try {
            if (!jazzer.waitFor(time.toSeconds() + 120, TimeUnit.SECONDS) || jazzer.exitValue() != 0) {
                String said = Files.readString(log);
                throw new AssertionError("fuzzing " + target.name() + " failed, see " + log + "; last words:\n"
                        + said.substring(Math.max(0, said.length() - 6_000)));
            }
        } finally {
            jazzer.destroyForcibly();
        }
    }

    private static int longest(FuzzTarget target) {
        return target.seeds().stream().mapToInt(seed -> seed.length).max().orElse(0);
    }

    /// Jazzer's start.
    public static void fuzzerInitialize(String[] args) throws ReflectiveOperationException {
        Supplier<?> all = Class.forName(args[0])
                .asSubclass(Supplier.class)
                .getDeclaredConstructor()
                .newInstance();
        chosen = ((List<?>) all.get())
                .stream()
                        .map(FuzzTarget.class::cast)
                        .filter(target -> target.name().equals(args[1]))
                        .findFirst()
                        .orElseThrow();
        for (int i = 0; i < WARM_UPS; i++) {
            chosen.seeds().forEach(seed -> warm(chosen, seed));
        }
    }

    /// Jazzer's one input.
    public static void fuzzerTestOneInput(byte[] input) {
        chosen.attempt(input);
    }
}
