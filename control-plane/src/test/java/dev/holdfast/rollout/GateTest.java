package dev.holdfast.rollout;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.core.Environment;
import dev.holdfast.core.ModelId;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import java.util.Random;
import org.junit.jupiter.api.Test;

class GateTest {
    private static final Instant NOW = Instant.parse("2026-03-02T06:00:00Z");

    static Plan plan(double threshold, boolean wayBack, String... sizes) {
        List<Plan.Batch> batches = new ArrayList<>();
        for (String size : sizes) {
            batches.add(new Plan.Batch(
                    "batch" + batches.size(),
                    "",
                    size,
                    10,
                    Duration.ofMinutes(10),
                    Duration.ofMinutes(10),
                    threshold,
                    Duration.ofHours(1)));
        }
        return new Plan(
                new Environment("development"), new ModelId("meter"), "", 2, wayBack ? 1L : null, false, null, batches);
    }

    private static Gate.Progress progress(int size, int pending, int undecided, int healthy, int failed) {
        return new Gate.Progress(0, size, pending, undecided, healthy, failed, 0, NOW);
    }

    private static boolean stops(Gate.Decision decision) {
        return decision instanceof Gate.Decision.RollBack || decision instanceof Gate.Decision.Pause;
    }

    @Test
    void holdsItsPropertiesForEveryProgress() {
        long seed = System.nanoTime();
        System.out.println("seed " + seed);
        Random random = new Random(seed);
        for (int i = 0; i < 200_000; i++) {
            int size = 1 + random.nextInt(500);
            int failed = random.nextInt(size + 1);
            int healthy = random.nextInt(size - failed + 1);
            int undecided = random.nextInt(Math.min(10, size - failed - healthy) + 1);
            int pending = size - failed - healthy - undecided;
            double threshold = random.nextInt(50) / 100.0;
            boolean wayBack = random.nextBoolean();
            Plan plan = plan(threshold, wayBack, "50%", "100%");
            Instant now = NOW.plusSeconds(random.nextInt(100_000));
            Gate.Decision decision = Gate.evaluate(progress(size, pending, undecided, healthy, failed), plan, now);
            String what = "size %d pending %d undecided %d healthy %d failed %d threshold %s"
                    .formatted(size, pending, undecided, healthy, failed, threshold);

            // Over the threshold it never goes on, and it goes back only where there is a way back.
            if (failed > threshold * size + 1e-9) {
                assertThat(stops(decision)).as(what).isTrue();
            }
            assertThat(decision instanceof Gate.Decision.RollBack && !wayBack)
                    .as(what)
                    .isFalse();
            assertThat(decision instanceof Gate.Decision.Pause && wayBack)
                    .as(what)
                    .isFalse();
            // Nothing advances over undecided devices, or without one healthy device while others are pending.
            if (decision instanceof Gate.Decision.Advance) {
                assertThat(undecided).as(what).isZero();
                assertThat(pending == 0 || healthy > 0).as(what).isTrue();
            }
            // No failure, no stop.
            if (failed == 0) {
                assertThat(stops(decision)).as(what).isFalse();
            }
            // One more failure never mends a stop, and one more healthy device never makes one.
            if (pending > 0) {
                Gate.Decision worse =
                        Gate.evaluate(progress(size, pending - 1, undecided, healthy, failed + 1), plan, now);
                Gate.Decision better =
                        Gate.evaluate(progress(size, pending - 1, undecided, healthy + 1, failed), plan, now);
                assertThat(stops(decision) && !stops(worse)).as(what).isFalse();
                assertThat(!stops(decision) && stops(better)).as(what).isFalse();
            }
            // What the console says is what the gate does.
            Gate.Reading reading = Gate.read(progress(size, pending, undecided, healthy, failed), plan);
            assertThat(reading.failuresToStop() == 0).as(what).isEqualTo(stops(decision));
            if (reading.failuresToStop() > 0 && reading.failuresToStop() <= pending) {
                int more = reading.failuresToStop();
                assertThat(stops(Gate.evaluate(
                                progress(size, pending - more, undecided, healthy, failed + more), plan, now)))
                        .as(what)
                        .isTrue();
            }
        }
    }

    @Test
    void aCanaryOfOneThatFailsStops() {
        assertThat(Gate.evaluate(progress(1, 0, 0, 0, 1), plan(0.1, true, "1", "100%"), NOW))
                .isInstanceOf(Gate.Decision.RollBack.class);
    }

    @Test
    void advancesWithoutTheAbsentAfterPatienceButNeverOutOfTheLastBatch() {
        Plan plan = plan(0.1, true, "50%", "100%");
        Instant later = NOW.plus(Duration.ofHours(2));
        assertThat(Gate.evaluate(progress(10, 2, 0, 8, 0), plan, NOW)).isInstanceOf(Gate.Decision.Wait.class);
        assertThat(Gate.evaluate(progress(10, 2, 0, 8, 0), plan, later)).isInstanceOf(Gate.Decision.Advance.class);
        assertThat(Gate.evaluate(progress(10, 10, 0, 0, 0), plan, later)).isInstanceOf(Gate.Decision.Wait.class);
        assertThat(Gate.evaluate(new Gate.Progress(1, 10, 2, 0, 8, 0, 0, NOW), plan, later))
                .isInstanceOf(Gate.Decision.Wait.class);
    }

    private record Outcome(int exposed, boolean stopped) {}

    private record Result(double at, boolean failed) {}

    /// One rollout to 2,000 devices, in simulated time: devices ask at random, download, and fail soon after or are
    /// healthy when the soak is over.
    private static Outcome simulate(double failing, Random random) {
        Plan plan = plan(0.2, true, "10", "10%", "50%", "100%");
        int population = 2_000;
        int taken = 0;
        int exposed = 0;
        double now = 0;
        for (int batch = 0; batch < plan.batches().size(); batch++) {
            int size = plan.batches().get(batch).count(population, taken);
            taken += size;
            int pending = size;
            int healthy = 0;
            int failed = 0;
            PriorityQueue<Result> inFlight = new PriorityQueue<>(Comparator.comparingDouble(Result::at));
            while (true) {
                while (pending > 0
                        && inFlight.size() < plan.batches().get(batch).cap()) {
                    pending--;
                    exposed++;
                    boolean bad = random.nextDouble() < failing;
                    // A boot loop shows within three minutes; health after a soak of ten.
                    double wait = random.nextDouble() * 60 + (bad ? random.nextDouble() * 180 : 600);
                    inFlight.add(new Result(now + wait, bad));
                }
                Gate.Progress progress =
                        new Gate.Progress(batch, size, pending, inFlight.size(), healthy, failed, 0, NOW);
                Gate.Decision decision = Gate.evaluate(progress, plan, NOW);
                if (stops(decision)) {
                    return new Outcome(exposed, true);
                }
                if (decision instanceof Gate.Decision.Advance) {
                    break;
                }
                Result next = inFlight.remove();
                now = next.at();
                if (next.failed()) {
                    failed++;
                } else {
                    healthy++;
                }
            }
        }
        return new Outcome(exposed, false);
    }

    private static int medianExposure(double failing, Random random) {
        List<Integer> exposed = new ArrayList<>();
        for (int i = 0; i < 2_000; i++) {
            exposed.add(simulate(failing, random).exposed());
        }
        exposed.sort(null);
        return exposed.get(exposed.size() / 2);
    }

    @Test
    void keepsTheExposurePromise() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        int atHalf = medianExposure(0.5, random);
        int atFifth = medianExposure(0.2, random);
        int falseStops = 0;
        for (int i = 0; i < 5_000; i++) {
            falseStops += simulate(0.01, random).stopped() ? 1 : 0;
        }
        System.out.printf(
                "exposure, cap 10, seed %d: median %d at 50%%, %d at 20%%; a release failing on 1%% stopped %d of"
                        + " 5000 times%n",
                seed, atHalf, atFifth, falseStops);
        assertThat(atHalf).isLessThanOrEqualTo(15);
        assertThat(atFifth).isLessThanOrEqualTo(40);
        // 1 % of 5,000 is 50; three standard deviations of chance above it.
        assertThat(falseStops).isLessThanOrEqualTo(50 + 21);
    }
}
