package dev.holdfast.simulator;

import java.io.PrintStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// Tells the story on the terminal: acts, what happens while it lasts, what was measured, and a table at the end.
final class Narrator {
    private static final long EVERY_NANOS = Duration.ofSeconds(3).toNanos();

    private final PrintStream out;
    private final boolean live;
    private final List<String[]> table = new ArrayList<>();
    private int act;
    private String title = "";
    private long actBegun;
    private long lastProgress;
    private boolean progressShown;

    /// @param live a person watches: progress is shown on one line that changes
    Narrator(PrintStream out, boolean live) {
        this.out = out;
        this.live = live;
    }

    void say(String line) {
        endProgress();
        out.println(line);
        out.flush();
    }

    void act(String name, String sentence) {
        act++;
        title = name;
        actBegun = System.nanoTime();
        say("");
        say("Act " + act + ": " + name + ". " + sentence);
    }

    void detail(String line) {
        say("   " + line);
    }

    void measured(String what) {
        say("measured: " + what);
        table.add(new String[] {Integer.toString(act), title, what});
        title = "";
    }

    void progress(String line) {
        long now = System.nanoTime();
        if (live) {
            out.print("\r\u001b[K   " + line);
            out.flush();
            progressShown = true;
        } else if (now - lastProgress > EVERY_NANOS) {
            lastProgress = now;
            out.println("   " + line);
            out.flush();
        }
    }

    String sinceActBegan() {
        return seconds(System.nanoTime() - actBegun);
    }

    private void endProgress() {
        if (progressShown) {
            out.print("\r\u001b[K");
            progressShown = false;
        }
    }

    void table() {
        say("");
        int width = table.stream().mapToInt(row -> row[1].length()).max().orElse(0);
        for (String[] row : table) {
            say(String.format(
                    Locale.ROOT,
                    "  %-2s %-" + Math.max(1, width) + "s  %s",
                    row[1].isEmpty() ? "" : row[0],
                    row[1],
                    row[2]));
        }
    }

    static String seconds(long nanos) {
        return String.format(Locale.ROOT, "%.1f s", nanos / 1e9);
    }

    static String millis(Duration duration) {
        return duration.toMillis() < 10_000
                ? duration.toMillis() + " ms"
                : String.format(Locale.ROOT, "%.1f s", duration.toMillis() / 1000.0);
    }
}
