package dev.holdfast.rollout;

import dev.holdfast.core.Environment;
import java.time.Instant;
import java.util.Optional;

/// A row of the rollout table.
record RolloutRow(
        long id,
        Environment environment,
        Plan plan,
        Kind kind,
        Optional<Long> parent,
        RolloutState state,
        String stateReason,
        Instant stateSince,
        long epoch,
        boolean frozen,
        int batch,
        Instant batchSince,
        int cap,
        int undecided,
        long stopSequence,
        Optional<Instant> stoppedAt,
        Optional<Instant> stopCompleteAt,
        Instant createdAt) {
    enum Kind {
        UPDATE,
        /// Brings devices back to the previous release.
        WAY_BACK;

        String text() {
            return this == UPDATE ? "update" : "way_back";
        }

        static Kind of(String text) {
            return text.equals("update") ? UPDATE : WAY_BACK;
        }
    }

    /// Whether it may grant and serve at all.
    boolean serving() {
        return state == RolloutState.RUNNING && !frozen;
    }

    Plan.Batch currentBatch() {
        return plan.batches().get(batch);
    }

    String subject() {
        return "rollout:" + id;
    }
}
