package dev.holdfast.rollout;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jooq.DSLContext;

/// Renders rollouts for people.
final class Views {
    private Views() {}

    static RolloutView view(DSLContext sql, RolloutRow row, Judge judge, Instant now) {
        List<RolloutStore.Counts> counts = RolloutStore.counts(sql, row.id());
        List<RolloutView.BatchView> batches = new ArrayList<>();
        for (RolloutStore.Counts c : counts) {
            batches.add(new RolloutView.BatchView(
                    row.plan().batches().get(c.number()).name(),
                    c.size(),
                    c.pending(),
                    c.undecided(),
                    c.healthy(),
                    c.failed(),
                    c.withdrawn(),
                    c.recalled(),
                    c.skipped(),
                    c.exposed()));
        }
        Gate.Progress progress = Judge.progress(row, row.batch(), counts);
        Optional<String> waiting = row.state() == RolloutState.RUNNING
                ? Optional.of(
                        switch (judge.decide(row, progress, now)) {
                            case Gate.Decision.Wait wait -> wait.until();
                            case Gate.Decision.Advance _ -> "the next batch";
                            case Gate.Decision.Pause pause -> pause.reason();
                            case Gate.Decision.RollBack back -> back.reason();
                        })
                : Optional.empty();
        LeaseStore.Total bytes = LeaseStore.total(sql, row.id());
        return new RolloutView(
                row.id(),
                row.plan(),
                row.kind().text(),
                row.parent(),
                RolloutStore.wayBackOf(sql, row.id()),
                row.state(),
                row.stateReason(),
                row.stateSince(),
                row.frozen(),
                row.epoch(),
                row.batch(),
                row.batchSince(),
                counts.stream().mapToInt(RolloutStore.Counts::size).sum(),
                counts.stream().mapToInt(RolloutStore.Counts::exposed).sum(),
                batches,
                row.kind() == RolloutRow.Kind.UPDATE ? Optional.of(Gate.read(progress, row.plan())) : Optional.empty(),
                waiting,
                row.stoppedAt().map(at -> new RolloutView.Stop(at, row.stopCompleteAt())),
                bytes.bytes(),
                bytes.afterStop(),
                bytes.lastByteAt(),
                row.createdAt());
    }
}
