package dev.holdfast.keys;

import dev.holdfast.testkit.RealClient;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// Tokens of SoftHSM2, a PKCS #11 module in software. The module reads its configuration once in a process, so
/// all tokens are made before it is first loaded; each test takes one of its own.
final class SoftToken {
    static final String PIN = "1234-5678";
    private static final Path FOLDER = folder();
    private static final List<String> LABELS = List.of("sign", "server", "removed", "locked");
    private static final Map<String, Long> SLOTS = initialise();

    private SoftToken() {}

    private static Path folder() {
        try {
            return Files.createTempDirectory("holdfast-softhsm");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Map<String, Long> initialise() {
        try {
            Path configuration = FOLDER.resolve("softhsm2.conf");
            Files.createDirectories(FOLDER.resolve("tokens"));
            Files.writeString(
                    configuration,
                    "directories.tokendir = " + FOLDER.resolve("tokens")
                            + "\nobjectstore.backend = file\nlog.level = ERROR\n");
            setEnvironment("SOFTHSM2_CONF", configuration.toString());
            Map<String, Long> slots = new java.util.HashMap<>();
            for (String label : LABELS) {
                String said = RealClient.of(
                                "softhsm2-util",
                                "--init-token",
                                "--free",
                                "--label",
                                label,
                                "--pin",
                                PIN,
                                "--so-pin",
                                "so-" + PIN)
                        .with("SOFTHSM2_CONF", configuration.toString())
                        .run()
                        .succeeded()
                        .text();
                Matcher slot = Pattern.compile("reassigned to slot (\\d+)").matcher(said);
                if (!slot.find()) {
                    throw new IllegalStateException("softhsm2-util did not say the slot: " + said);
                }
                slots.put(label, Long.parseLong(slot.group(1)));
            }
            return slots;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Of this very process, which Java itself can't do: the module asks the C library.
    private static void setEnvironment(String name, String value) {
        try (Arena arena = Arena.ofConfined()) {
            Linker linker = Linker.nativeLinker();
            var setenv = linker.downcallHandle(
                    linker.defaultLookup().find("setenv").orElseThrow(),
                    FunctionDescriptor.of(
                            ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.ADDRESS, ValueLayout.JAVA_INT));
            int _ = (int) setenv.invokeExact(arena.allocateFrom(name), arena.allocateFrom(value), 1);
        } catch (Throwable e) {
            throw new IllegalStateException("setenv", e);
        }
    }

    static Path library() {
        return Stream.of("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so")
                .map(Path::of)
                .filter(Files::exists)
                .findFirst()
                .orElseThrow(() -> new IllegalStateException("SoftHSM2 is missing: apt-get install softhsm2"));
    }

    static Path tokens() {
        return FOLDER.resolve("tokens");
    }

    static Path configuration() {
        return FOLDER.resolve("softhsm2.conf");
    }

    static long slot(String label) {
        return java.util.Objects.requireNonNull(SLOTS.get(label), label);
    }

    /// What the server's configuration says about it.
    static Map<String, String> settings(String label, String pin) {
        try {
            Path pinFile = Files.writeString(Files.createTempFile(FOLDER, "pin", ""), pin + "\n");
            Files.setPosixFilePermissions(pinFile, PosixFilePermissions.fromString("rw-------"));
            return Map.of(
                    "HOLDFAST_KEYS_PKCS11_LIBRARY", library().toString(),
                    "HOLDFAST_KEYS_PKCS11_SLOT", Long.toString(slot(label)),
                    "HOLDFAST_KEYS_PKCS11_PIN_FILE", pinFile.toString());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
