package dev.holdfast.journal;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;

/// Compares the chain with checkpoints that left the machine.
final class CheckpointVerifier {
    private static final int PAGE = 5_000;
    private final JournalStore store;
    private final CheckpointKey key;

    CheckpointVerifier(JournalStore store, CheckpointKey key) {
        this.store = store;
        this.key = key;
    }

    Optional<Journal.Fault> compare(List<JournalStreamStore> streams) throws IOException {
        Map<String, Long> kept = store.branches();
        TreeMap<Long, Checkpoint> expected = new TreeMap<>();
        for (JournalStreamStore stream : streams) {
            Long last = kept.get(stream.name());
            if (last == null) {
                return Optional.of(new Journal.Fault(0, "the stream " + stream.name() + " is of another history"));
            }
            for (Checkpoint checkpoint : stream.checkpoints()) {
                if (!key.verifies(checkpoint) || !checkpoint.branch().equals(stream.name())) {
                    return Optional.of(new Journal.Fault(
                            checkpoint.number(), "a checkpoint of stream " + stream.name() + " is not signed by us"));
                }
                if (checkpoint.number() <= last) {
                    Checkpoint other = expected.put(checkpoint.number(), checkpoint);
                    if (other != null && !other.chainHash().equals(checkpoint.chainHash())) {
                        return Optional.of(new Journal.Fault(checkpoint.number(), "two checkpoints contradict"));
                    }
                }
            }
        }
        return walk(expected);
    }

    private Optional<Journal.Fault> walk(NavigableMap<Long, Checkpoint> expected) {
        long after = 0;
        while (!expected.isEmpty()) {
            after = Math.max(after, expected.firstKey() - 1);
            List<Recorded> page = store.read(after, PAGE);
            for (Recorded entry : page) {
                Checkpoint checkpoint = expected.remove(entry.number());
                if (checkpoint != null && !checkpoint.chainHash().equals(entry.chainHash())) {
                    return Optional.of(new Journal.Fault(
                            entry.number(), "the history up to here is not the one whose checkpoint left the machine"));
                }
                after = entry.number();
            }
            if (page.isEmpty() || (!expected.isEmpty() && expected.firstKey() <= after)) {
                return Optional.of(new Journal.Fault(
                        expected.firstKey(), "missing: a checkpoint of it left the machine, the entry is not here"));
            }
        }
        return Optional.empty();
    }
}
