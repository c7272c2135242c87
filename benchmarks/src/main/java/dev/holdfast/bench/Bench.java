package dev.holdfast.bench;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// What every measurement needs: the fleet, the server, and how to run rounds of the same thing beside a yardstick.
final class Bench {
    private static final PrintStream OUT = System.out;

    private final Path home;
    private final Path work;
    private final boolean small;
    private final long begun = System.nanoTime();
    private final List<Profile> profiles = new ArrayList<>();

    Bench(Path home, Path work, boolean small) {
        this.home = home;
        this.work = work;
        this.small = small;
    }

    Path home() {
        return home;
    }

    Path work() {
        return work;
    }

    boolean isSmall() {
        return small;
    }

    /// @param ordinary how many in a run that is meant
    int size(int ordinary, int whenSmall) {
        return small ? whenSmall : ordinary;
    }

    int rounds() {
        return small ? 1 : 3;
    }

    List<Profile> profiles() {
        return profiles;
    }

    void say(String text) {
        long seconds = (System.nanoTime() - begun) / 1_000_000_000;
        OUT.printf("%2d:%02d  %s%n", seconds / 60, seconds % 60, text);
    }

    /// A number of operations of the same kind.
    @FunctionalInterface
    interface Round {
        /// @param number 0 warms up
        /// @return how many operations were done
        int run(int number) throws IOException;
    }

    /// Microseconds for each operation.
    ///
    /// @param total CPU of the server and its PostgreSQL, without the compiler's
    /// @param own CPU of the server alone, without the compiler's
    /// @param loops CPU of the event loops alone: what is answered by them costs no other thread anything
    /// @param compiler CPU of the threads that compile the server's Java while it is measured
    /// @param wall includes the clients' own work
    record Cost(
            Spread total,
            Spread own,
            Spread loops,
            Spread compiler,
            Spread wall,
            Spread yardstick,
            Spread yardstickWall) {
        Cost beside(Spread theirs, Spread theirWall) {
            return new Cost(total, own, loops, compiler, wall, theirs, theirWall);
        }
    }

    /// What is measured beside the server.
    record Beside(ProcessHandle process, Round round) {}

    /// Warms up, measures ours and the yardstick in turns, then once more with the profiler.
    ///
    /// @param settle what the server still has to do after the last answer belongs to it
    Cost compare(String id, ServerProcess server, Duration settle, Round ours, @Nullable Beside beside)
            throws IOException {
        List<Double> total = new ArrayList<>();
        List<Double> own = new ArrayList<>();
        List<Double> loops = new ArrayList<>();
        List<Double> compiler = new ArrayList<>();
        List<Double> wall = new ArrayList<>();
        List<Double> theirs = new ArrayList<>();
        List<Double> theirWall = new ArrayList<>();
        for (int number = 0; number <= rounds(); number++) {
            Duration compilerBefore = CpuMeter.compiler(server.handle());
            Duration ownBefore = CpuMeter.own(server.handle());
            Duration loopsBefore = CpuMeter.eventLoops(server.handle());
            Duration databaseBefore = CpuMeter.descendants(server.handle());
            long start = System.nanoTime();
            int done = ours.run(number);
            long end = System.nanoTime();
            Load.pause(settle.toMillis());
            if (number > 0) {
                Duration compilerUsed = CpuMeter.compiler(server.handle()).minus(compilerBefore);
                Duration ownUsed =
                        CpuMeter.own(server.handle()).minus(ownBefore).minus(compilerUsed);
                Duration databaseUsed = CpuMeter.descendants(server.handle()).minus(databaseBefore);
                compiler.add(micros(compilerUsed, done));
                loops.add(micros(CpuMeter.eventLoops(server.handle()).minus(loopsBefore), done));
                own.add(micros(ownUsed, done));
                total.add(micros(ownUsed.plus(databaseUsed), done));
                wall.add((end - start) / 1e3 / done);
            }
            if (beside != null) {
                Duration before = CpuMeter.family(beside.process());
                long theirStart = System.nanoTime();
                int theirDone = beside.round().run(number);
                long theirEnd = System.nanoTime();
                if (number > 0) {
                    theirs.add(micros(CpuMeter.family(beside.process()).minus(before), theirDone));
                    theirWall.add((theirEnd - theirStart) / 1e3 / theirDone);
                }
            }
        }
        if (!small) {
            profiles.add(Profile.take(id, server, work, () -> {
                int done = ours.run(rounds() + 1);
                Load.pause(settle.toMillis());
                return done;
            }));
        }
        Cost cost = new Cost(
                Spread.of(total),
                Spread.of(own),
                Spread.of(loops),
                Spread.of(compiler),
                Spread.of(wall),
                beside == null ? Spread.NONE : Spread.of(theirs),
                beside == null ? Spread.NONE : Spread.of(theirWall));
        say(id + ": " + cost.total().text() + " us CPU"
                + (cost.yardstick().isKnown()
                        ? ", yardstick " + cost.yardstick().text()
                        : ""));
        return cost;
    }

    /// Waits until a server that has just started has done what it does at its start (it looks through all
    /// certificates, its database through what was filled in), at most a minute.
    void settle(ServerProcess server) {
        for (int second = 0; second < size(60, 1); second++) {
            Duration before = CpuMeter.family(server.handle());
            Load.pause(1_000);
            if (CpuMeter.family(server.handle()).minus(before).toMillis() < 60) {
                return;
            }
        }
        say("the server did not come to rest within a minute of its start");
    }

    static double micros(Duration cpu, int operations) {
        return cpu.toNanos() / 1e3 / operations;
    }

    /// A row about CPU for each operation.
    static Row row(String id, String name, Cost cost, String beside, Optional<Row.Promise> promise, int operations) {
        return new Row(
                id,
                name,
                "us CPU",
                cost.total(),
                beside,
                cost.yardstick(),
                promise,
                false,
                java.util.Map.of(
                        "operationsEachRound", operations,
                        "serverAlone", cost.own(),
                        "eventLoops", cost.loops(),
                        "compiler", cost.compiler(),
                        "postgres", cost.total().median() - cost.own().median(),
                        "wallMicros", cost.wall(),
                        "yardstickWallMicros", cost.yardstickWall()));
    }
}
