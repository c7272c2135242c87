package dev.holdfast.database;

import dev.holdfast.core.Actor;
import dev.holdfast.core.Environment;
import dev.holdfast.journal.Entry;
import dev.holdfast.journal.Journal;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;

/// A process of its own that holds a database, for tests that kill it or fill its disk. Prints what it does.
public final class DatabaseProbe {
    private DatabaseProbe() {}

    public static void main(String[] args) throws Exception {
        Path folder = Path.of(args[1]);
        switch (args[0]) {
            case "hold" -> hold(folder);
            case "fill" -> fill(folder);
            default -> throw new IllegalArgumentException(args[0]);
        }
    }

    /// Starts the database, says where, and waits to be killed.
    private static void hold(Path folder) throws Exception {
        try (EmbeddedPostgresStore server = start(folder)) {
            System.out.println("holding pid=" + server.process().orElseThrow().pid());
            TimeUnit.MINUTES.sleep(5);
        }
    }

    private static EmbeddedPostgresStore start(Path folder) throws IOException {
        return EmbeddedPostgresStore.start(folder, TestDatabase.binaries(), "test-only");
    }

    /// Commits until the disk is full, makes room, and commits again; every acknowledged entry must be there.
    private static void fill(Path folder) throws Exception {
        Path ballast = folder.resolveSibling("ballast");
        try (EmbeddedPostgresStore server = start(folder);
                Database database = Database.open(server.address(), 4);
                Journal journal = Journal.open(database, InstantSource.system())) {
            Files.write(ballast, new byte[24 << 20]);
            Random random = new Random(7);
            List<Integer> acknowledged = new ArrayList<>();
            String refused = "";
            for (int n = 0; refused.isEmpty() && n < 20_000; n++) {
                refused = commit(journal, n, random, acknowledged);
            }
            System.out.println("refused: " + refused.replace('\n', ' '));
            Files.delete(ballast);
            int next = 1_000_000;
            long deadline = System.nanoTime() + Duration.ofSeconds(60).toNanos();
            String again = refused;
            while (!again.isEmpty() && System.nanoTime() < deadline) {
                again = commit(journal, next++, random, acknowledged);
                TimeUnit.MILLISECONDS.sleep(100);
            }
            System.out.println(again.isEmpty() ? "commits again" : "still refused: " + again.replace('\n', ' '));
            List<Integer> kept =
                    database.read(sql -> sql.fetch("select (content::json -> 'body' ->> 'n')::int from journal_entry")
                            .map(row -> row.get(0, Integer.class)));
            List<Integer> lost = new ArrayList<>(acknowledged);
            lost.removeAll(kept);
            System.out.println(
                    "acknowledged " + acknowledged.size() + ", lost " + lost + ", fault " + journal.verify());
        }
    }

    private static String commit(Journal journal, int n, Random random, List<Integer> acknowledged) {
        byte[] noise = new byte[50_000];
        random.nextBytes(noise);
        try {
            journal.run(tx -> tx.record(new Entry(
                    "probe.filled",
                    new Environment("development"),
                    "probe:" + n,
                    new Actor.Holdfast("probe"),
                    "fills the disk",
                    Map.of("n", n, "noise", HexFormat.of().formatHex(noise)))));
            acknowledged.add(n);
            return "";
        } catch (RuntimeException e) {
            return String.valueOf(e.getMessage());
        }
    }
}
