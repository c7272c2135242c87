package dev.holdfast.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.testkit.Recipe;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// docs/recipes/keys-on-a-token-with-softhsm.md as it stands, with the real server and SoftHSM2.
class TokenRecipeTest {
    @TempDir
    private Path folder;

    @Test
    void thePageIsRunAsItStands() throws Exception {
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx--x--x"));
        Path work = Files.createDirectory(folder.resolve("work"));
        Files.setPosixFilePermissions(work, PosixFilePermissions.fromString("rwx--x--x"));
        Path holdfast = Files.writeString(folder.resolve("holdfast"), """
                #!/bin/sh
                exec %s/bin/java -XX:+UseSerialGC -XX:TieredStopAtLevel=1 --enable-native-access=ALL-UNNAMED \
                  --sun-misc-unsafe-memory-access=allow -cp %s dev.holdfast.Main "$@"
                """.formatted(
                        System.getProperty("java.home"), System.getProperty("java.class.path")));
        Files.setPosixFilePermissions(holdfast, PosixFilePermissions.fromString("rwx------"));
        Map<String, String> variables = new TreeMap<>(InstallationProcess.freePorts());
        variables.put("PATH", folder + ":" + System.getenv("PATH"));
        var said = Recipe.read(Path.of(System.getProperty("holdfast.root", ".."))
                        .resolve("docs/recipes/keys-on-a-token-with-softhsm.md"))
                .run(work, variables, Duration.ofMinutes(3));
        assertThat(said.text())
                .contains("726f6f742d31", "7365727665722d31") // root-1, server-1
                .contains("never extractable")
                .contains("listener-device.key");
        assertThat(said.text().lines().filter(line -> line.endsWith(".key")))
                .allMatch(name -> name.startsWith("listener-"));
    }
}
