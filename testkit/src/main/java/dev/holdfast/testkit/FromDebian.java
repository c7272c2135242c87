package dev.holdfast.testkit;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/// What a later Debian has and this system's release lacks, as `scripts/from-debian` fetches it. That it can't be
/// had is a failure, never a skip.
public final class FromDebian {
    private FromDebian() {}

    /// @param what as the script takes it: `wycheproof`, `openssl`
    /// @return the folder
    /// @throws AssertionError with the reason when it can't be had
    public static Path folder(String what) {
        Path above = Path.of("").toAbsolutePath();
        while (!Files.isExecutable(above.resolve("scripts/from-debian"))) {
            Path parent = above.getParent();
            if (parent == null) {
                throw new AssertionError(
                        "there is no scripts/from-debian above " + Path.of("").toAbsolutePath());
            }
            above = parent;
        }
        return Path.of(RealClient.of(above.resolve("scripts/from-debian").toString(), what)
                .timeout(Duration.ofMinutes(6))
                .run()
                .succeeded()
                .text()
                .strip());
    }

    /// A newer `openssl` than this system's, to be run like it.
    public static String openssl() {
        return folder("openssl").resolve("openssl").toString();
    }
}
