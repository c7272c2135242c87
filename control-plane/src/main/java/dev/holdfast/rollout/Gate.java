package dev.holdfast.rollout;

import java.time.Instant;
import java.util.Locale;

/// Whether a rollout may go on: a pure function of its progress and its plan.
///
/// It stops on the first of two tests, both within the current batch:
/// 1. **Budget**: more devices have failed than the threshold allows of the whole batch, so it can't
///    be met any more.
/// 2. **Evidence**: Wald's sequential probability ratio test of "devices fail at the threshold" against
///    "at a tenth of it"; it stops a large batch long before the budget is used up. A failure weighs `ln(p1/p0)`, a
/// healthy
///    device `ln((1-p1)/(1-p0))`; the limit `ln((1-beta)/alpha)` keeps false stops below one in a hundred.
public final class Gate {
    /// The test of evidence treats stricter thresholds as this, or one failure would be evidence enough.
    private static final double STRICTEST = 0.05;

    private static final double LENIENT_SHARE = 0.1;
    /// One in a thousand for the test alone, because failures show before health does: a boot loop in minutes, a
    /// healthy device after its soak.
    private static final double FALSE_STOPS = 0.001;
    private static final double MISSED = 0.05;
    static final double LIMIT = Math.log((1 - MISSED) / FALSE_STOPS);

    private Gate() {}

    /// What the gate measures, against what.
    ///
    /// @param failuresAllowed by the budget
    /// @param evidence of the sequential test; it stops at `evidenceLimit`
    /// @param failuresToStop how many more failing devices would stop the rollout now
    public record Reading(
            int healthy, int failed, int failuresAllowed, double evidence, double evidenceLimit, int failuresToStop) {
        /// For people: "will stop if 2 more devices of this batch fail".
        public String sentence() {
            return failuresToStop == 0
                    ? "stops"
                    : "will stop if " + failuresToStop + " more " + (failuresToStop == 1 ? "device" : "devices")
                            + " of this batch " + (failuresToStop == 1 ? "fails" : "fail");
        }
    }

    public static Reading read(Progress progress, Plan plan) {
        Plan.Batch batch = plan.batches().get(progress.batch());
        int allowed = allowed(progress, batch);
        int more = 0;
        while (progress.failed() + more <= allowed
                && evidence(progress.healthy(), progress.failed() + more, batch) < LIMIT) {
            more++;
        }
        return new Reading(
                progress.healthy(),
                progress.failed(),
                allowed,
                evidence(progress.healthy(), progress.failed(), batch),
                LIMIT,
                more);
    }

    /// @param now for the patience with devices that never come
    public static Decision evaluate(Progress progress, Plan plan, Instant now) {
        Plan.Batch batch = plan.batches().get(progress.batch());
        if (progress.failed() > allowed(progress, batch)) {
            return fail(
                    plan,
                    String.format(
                            Locale.ROOT,
                            "batch %s: %d of %d devices failed, %d allowed",
                            batch.name(),
                            progress.failed(),
                            progress.size(),
                            allowed(progress, batch)));
        }
        if (evidence(progress.healthy(), progress.failed(), batch) >= LIMIT) {
            return fail(
                    plan,
                    String.format(
                            Locale.ROOT,
                            "batch %s: %d failed and %d healthy is too many failures for a release that fails"
                                    + " on fewer than %.0f%% of devices",
                            batch.name(),
                            progress.failed(),
                            progress.healthy(),
                            100 * Math.max(batch.errorThreshold(), STRICTEST)));
        }
        return advance(progress, batch, now);
    }

    /// As [#evaluate] with the gate switched off: nothing fails.
    static Decision evaluateWithoutGate(Progress progress, Plan plan, Instant now) {
        return advance(progress, plan.batches().get(progress.batch()), now);
    }

    private static Decision advance(Progress progress, Plan.Batch batch, Instant now) {
        if (progress.undecided() > 0) {
            return new Decision.Wait(progress.undecided() + " devices are undecided");
        }
        if (progress.pending() == 0) {
            return new Decision.Advance();
        }
        // Devices that sleep or are broken must not hold the others up for ever, but somebody must have come, and
        // the last batch waits for all.
        boolean patienceOver =
                !now.isBefore(progress.batchSince().plus(batch.timeout()).plus(batch.window()));
        if (patienceOver && progress.healthy() > 0 && !batch.size().equals("100%")) {
            return new Decision.Advance();
        }
        return new Decision.Wait(progress.pending() + " devices have not asked yet");
    }

    private static Decision fail(Plan plan, String reason) {
        return plan.previous() == null
                ? new Decision.Pause(reason + "; there is no release to go back to")
                : new Decision.RollBack(reason);
    }

    private static int allowed(Progress progress, Plan.Batch batch) {
        return (int) Math.floor(batch.errorThreshold() * progress.size() + 1e-9);
    }

    private static double evidence(int healthy, int failed, Plan.Batch batch) {
        double bad = Math.clamp(batch.errorThreshold(), STRICTEST, 0.95);
        double good = bad * LENIENT_SHARE;
        return failed * Math.log(bad / good) + healthy * Math.log((1 - bad) / (1 - good));
    }

    /// How far the current batch of a rollout is.
    ///
    /// @param batch its index in the plan
    /// @param size devices in it; every number below counts devices of this batch
    /// @param pending not offered yet
    /// @param undecided offered, downloading, installing or soaking
    /// @param skipped had the version already, or were withdrawn
    public record Progress(
            int batch, int size, int pending, int undecided, int healthy, int failed, int skipped, Instant batchSince) {

        public int decided() {
            return healthy + failed;
        }
    }

    /// What the gate says.
    public sealed interface Decision {
        /// The batch is done and was good: the next one may begin, or the rollout has finished.
        record Advance() implements Decision {}

        /// @param until what is waited for
        record Wait(String until) implements Decision {}

        /// It fails and there is no way back: stop, and let a person fix forward.
        record Pause(String reason) implements Decision {}

        /// It fails: stop, and send everyone who was exposed back.
        record RollBack(String reason) implements Decision {}
    }
}
