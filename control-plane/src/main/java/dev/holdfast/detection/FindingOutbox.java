package dev.holdfast.detection;

import dev.holdfast.core.Actor;
import dev.holdfast.core.Environment;
import dev.holdfast.inventory.Inventory;
import dev.holdfast.journal.Entry;
import dev.holdfast.journal.Journal;
import dev.holdfast.journal.Transaction;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The findings of one shard on their way to the database, bounded: while that is away they wait; when there are too
/// many, the oldest of the least severe goes, and the journal says how many went. Of one thread.
final class FindingOutbox {
    private static final Logger LOG = LoggerFactory.getLogger(FindingOutbox.class);
    private static final Actor.Holdfast ACTOR = new Actor.Holdfast("detection");

    private final Journal journal;
    private final int most;
    private final Map<Finding.Severity, Deque<Finding>> bySeverity = new EnumMap<>(Finding.Severity.class);
    private int size;
    private long lost;
    private boolean failing;
    private volatile boolean behind;

    FindingOutbox(Journal journal, int most) {
        this.journal = journal;
        this.most = most;
    }

    /// Whether something waits that should have been stored: the baseline that has seen it must wait too.
    boolean isBehind() {
        return behind;
    }

    int size() {
        return size;
    }

    /// Stores them at once; but while the database is away only [#save], called now and then, tries, so that the shard
    /// goes on.
    void add(Collection<Finding> findings) {
        boolean waiting = behind;
        gather(findings);
        if (!waiting) {
            save();
        }
    }

    /// Keeps them for the next [#save].
    void gather(Collection<Finding> findings) {
        behind |= !findings.isEmpty();
        for (Finding finding : findings) {
            bySeverity
                    .computeIfAbsent(finding.severity(), _ -> new ArrayDeque<>())
                    .add(finding);
            size++;
            if (size > most) {
                forgetOne();
            }
        }
    }

    private void forgetOne() {
        for (Deque<Finding> ofOneSeverity : bySeverity.values()) {
            @Nullable Finding oldest = ofOneSeverity.poll();
            if (oldest != null) {
                size--;
                lost++;
                return;
            }
        }
    }

    void save() {
        if (size == 0) {
            return;
        }
        List<Finding> batch = new ArrayList<>(size);
        for (Finding.Severity severity : List.of(Finding.Severity.values()).reversed()) {
            batch.addAll(bySeverity.getOrDefault(severity, new ArrayDeque<>()));
        }
        try {
            journal.run(tx -> {
                batch.forEach(finding -> record(tx, finding));
                if (lost > 0) {
                    recordLoss(tx, batch.getFirst().device().environment());
                }
            });
            bySeverity.clear();
            size = 0;
            lost = 0;
            behind = false;
            failing = false;
        } catch (RuntimeException e) {
            if (!failing) {
                failing = true;
                LOG.warn("{} findings wait to be stored, and those found from here on: {}", batch.size(), e.toString());
            }
        }
    }

    static void record(Transaction tx, Finding finding) {
        long id = DetectionStore.insert(tx.sql(), finding);
        tx.record(new Entry(
                "finding.raised",
                finding.device().environment(),
                Inventory.subject(finding.device()),
                ACTOR,
                finding.cause().name() + ": " + finding.seen(),
                Map.of(
                        "finding", id,
                        "cause", finding.cause().name(),
                        "severity", finding.severity().name(),
                        "provenance", finding.provenance().name(),
                        "since", finding.since().toString())));
    }

    private void recordLoss(Transaction tx, Environment environment) {
        tx.record(new Entry(
                "finding.lost",
                environment,
                "environment:" + environment,
                ACTOR,
                "the database was away for long: the least severe of what was found could not be kept",
                Map.of("count", lost)));
    }
}
