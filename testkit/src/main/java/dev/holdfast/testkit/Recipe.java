package dev.holdfast.testkit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The shell commands of a page of documentation, run as a reader would run them: what is printed is what is tested.
///
/// A block is fenced and marked `sh` or `bash`; a word after that names it (```` ```sh enrol ````), so that a test can
/// take some blocks of a page only.
public final class Recipe {
    private static final Pattern FENCE = Pattern.compile("^(`{3,})\\s*([A-Za-z]*)\\s*(.*)$");
    private final Path page;
    private final List<Block> blocks;

    /// @param line where it begins on the page, from 1
    public record Block(String name, int line, String commands) {}

    private Recipe(Path page, List<Block> blocks) {
        this.page = page;
        this.blocks = List.copyOf(blocks);
    }

    public static Recipe read(Path page) {
        try {
            return new Recipe(page, parse(Files.readAllLines(page)));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static List<Block> parse(List<String> lines) {
        List<Block> blocks = new ArrayList<>();
        for (int i = 0; i < lines.size(); i++) {
            Matcher open = FENCE.matcher(lines.get(i));
            if (!open.matches()) {
                continue;
            }
            int start = i + 1;
            String fence = open.group(1);
            StringBuilder commands = new StringBuilder();
            for (i++; i < lines.size() && !lines.get(i).strip().equals(fence); i++) {
                commands.append(lines.get(i)).append('\n');
            }
            if (open.group(2).equals("sh") || open.group(2).equals("bash")) {
                blocks.add(new Block(open.group(3).strip(), start, commands.toString()));
            }
        }
        return blocks;
    }

    public List<Block> blocks() {
        return blocks;
    }

    /// The page with only the blocks of these names.
    ///
    /// @throws IllegalArgumentException when a name is not on the page: a renamed block must not pass unseen
    public Recipe only(String... names) {
        List<Block> chosen = new ArrayList<>();
        for (String name : names) {
            List<Block> found =
                    blocks.stream().filter(block -> block.name().equals(name)).toList();
            if (found.isEmpty()) {
                throw new IllegalArgumentException(page + " has no block named '" + name + "'");
            }
            chosen.addAll(found);
        }
        return new Recipe(page, chosen);
    }

    /// Runs every block, in order, in one shell that stops at the first command that fails.
    ///
    /// @throws AssertionError when a block fails or does not end in time, naming its line
    public RealClient.Result run(Path folder, Map<String, String> environment, Duration timeout) {
        if (blocks.isEmpty()) {
            throw new IllegalStateException(page + " has no block of shell commands");
        }
        StringBuilder script = new StringBuilder("set -euo pipefail\n");
        for (Block block : blocks) {
            script.append("echo '--- ")
                    .append(page.getFileName())
                    .append(':')
                    .append(block.line())
                    .append("' >&2\n")
                    .append(block.commands());
        }
        return RealClient.of("bash", "-c", script.toString())
                .in(folder)
                .with(environment)
                .timeout(timeout)
                .run()
                .succeeded();
    }
}
