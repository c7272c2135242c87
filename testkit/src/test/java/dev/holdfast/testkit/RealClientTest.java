package dev.holdfast.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RealClientTest {
    @Test
    void givesExitCodeOutputAndErrors() {
        RealClient.Result result = RealClient.of("bash", "-c", "cat; echo bad >&2; exit 3")
                .input("good")
                .run();
        assertThat(result.exit()).isEqualTo(3);
        assertThat(result.text()).isEqualTo("good");
        assertThat(result.errors()).isEqualTo("bad\n");
        assertThatThrownBy(result::succeeded).isInstanceOf(AssertionError.class).hasMessageContaining("bad");
    }

    @Test
    void aMissingProgramIsAFailureThatSaysWhatToInstall() {
        assertThatThrownBy(() -> RealClient.of("no-such-program-here"))
                .hasMessageContaining("'no-such-program-here' is missing")
                .hasMessageContaining("apt-get install");
    }

    @Test
    void aProgramThatDoesNotEndIsKilledWithItsChildren() {
        RealClient endless =
                RealClient.of("bash", "-c", "sleep 987 & sleep 987").timeout(Duration.ofMillis(300));
        assertThatThrownBy(endless::run).isInstanceOf(AssertionError.class).hasMessageContaining("still running");
    }

    @Test
    void aRunningProgramsLinesCanBeAwaited() {
        try (RunningClient running = RealClient.of("bash", "-c", "echo one; echo two; read x; echo got; sleep 987")
                .input("go\n")
                .start()) {
            assertThat(running.awaitLine(line -> line.startsWith("t"), Duration.ofSeconds(10)))
                    .isEqualTo("two");
            assertThat(running.awaitLine("got"::equals, Duration.ofSeconds(10))).isEqualTo("got");
            assertThat(running.isAlive()).isTrue();
        }
    }

    @Test
    void aRecipeRunsItsBlocksInOneShellAndOthersNot(@TempDir Path folder) throws Exception {
        Path page = folder.resolve("page.md");
        Files.writeString(page, """
                # Page
                ```sh first
                X=$WHO
                ```
                ```json
                { "not": "shell" }
                ```
                ```bash second
                echo "hello $X"
                ```
                ````sh quoted
                cat <<'END'
                ```
                END
                ````
                """);
        Recipe recipe = Recipe.read(page);
        assertThat(recipe.blocks()).extracting(Recipe.Block::name).isEqualTo(List.of("first", "second", "quoted"));
        assertThat(recipe.run(folder, Map.of("WHO", "city"), Duration.ofSeconds(10))
                        .text())
                .isEqualTo("hello city\n```\n");
        assertThatThrownBy(() -> recipe.only("renamed")).hasMessageContaining("no block named 'renamed'");
    }

    @Test
    void aRecipeStopsAtTheFirstFailure(@TempDir Path folder) throws Exception {
        Path page = folder.resolve("page.md");
        Files.writeString(page, "```sh\nfalse\necho reached\n```\n");
        Recipe recipe = Recipe.read(page);
        assertThatThrownBy(() -> recipe.run(folder, Map.of(), Duration.ofSeconds(10)))
                .hasMessageContaining("page.md:1")
                .hasMessageNotContaining("reached\n---");
    }
}
