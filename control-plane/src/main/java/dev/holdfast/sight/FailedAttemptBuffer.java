package dev.holdfast.sight;

import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// What failed on this node and is not written yet: alike attempts are one, and each [Shelf] has room of its own,
/// so a flood of strangers drops strangers. Nothing here blocks for longer than a look into a map.
final class FailedAttemptBuffer {
    static final int MOST_OF_A_SHELF = 5_000;

    private final Map<Shelf, Map<FailedAttempt.Key, FailedAttempt>> waiting = new EnumMap<>(Shelf.class);
    private long dropped;

    synchronized void add(FailedAttempt attempt) {
        Map<FailedAttempt.Key, FailedAttempt> shelf =
                waiting.computeIfAbsent(attempt.shelf(), _ -> new LinkedHashMap<>());
        if (shelf.size() < MOST_OF_A_SHELF || shelf.containsKey(attempt.key())) {
            shelf.merge(attempt.key(), attempt, FailedAttempt::and);
        } else {
            dropped++;
        }
    }

    /// All of it; the buffer is empty then.
    synchronized List<FailedAttempt> take() {
        List<FailedAttempt> all = peek();
        waiting.values().forEach(Map::clear);
        return all;
    }

    synchronized List<FailedAttempt> peek() {
        List<FailedAttempt> all = new ArrayList<>();
        waiting.values().stream().map(Map::values).forEach(all::addAll);
        return all;
    }

    /// What could not be written comes back, as far as there is room.
    void putBack(Collection<FailedAttempt> attempts) {
        attempts.forEach(this::add);
    }

    synchronized void dropped(long more) {
        dropped += more;
    }

    /// Attempts of which nothing is kept, since this node started.
    synchronized long dropped() {
        return dropped;
    }
}
