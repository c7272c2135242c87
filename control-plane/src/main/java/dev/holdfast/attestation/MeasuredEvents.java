package dev.holdfast.attestation;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.core.Json;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// The measured events behind registers, from a log that replays to them.
///
/// @param byRegister `sha256:7` to its events, in order
record MeasuredEvents(Map<String, List<Measured>> byRegister) {
    private static final int MOST_KEPT = 2_000;
    private static final int MOST_CHANGES = 20;
    private static final int MOST_ALIGNED = 400;
    private static final int DIGEST_SHOWN = 16;

    /// @param digest hexadecimal
    /// @param words its type and what its data says
    record Measured(String digest, String words) {
        String text() {
            return words + " (" + digest.substring(0, Math.min(DIGEST_SHOWN, digest.length())) + "...)";
        }
    }

    MeasuredEvents {
        Map<String, List<Measured>> copy = new TreeMap<>();
        byRegister.forEach((register, events) -> copy.put(register, List.copyOf(events)));
        byRegister = Map.copyOf(copy);
    }

    /// Those behind the registers of a reference.
    MeasuredEvents only(Map<String, String> values) {
        Map<String, List<Measured>> some = new TreeMap<>(byRegister);
        some.keySet().retainAll(values.keySet());
        return new MeasuredEvents(some);
    }

    /// Whether they are few enough to be kept with a reference.
    boolean isKept() {
        return byRegister.values().stream().mapToInt(List::size).sum() <= MOST_KEPT;
    }

    /// What of a register's events is other than expected: the events of both are aligned by their longest
    /// common subsequence, and what is left over on both sides at the same place is one event that changed.
    ///
    /// @return none where either side has no events of the register
    static List<Verdict.Change> changes(MeasuredEvents expected, MeasuredEvents seen, String register) {
        List<Measured> from = expected.byRegister.getOrDefault(register, List.of());
        List<Measured> to = seen.byRegister.getOrDefault(register, List.of());
        if (from.isEmpty() || to.isEmpty() || from.size() > MOST_ALIGNED || to.size() > MOST_ALIGNED) {
            return List.of();
        }
        int[][] common = common(from, to);
        List<Verdict.Change> changes = new ArrayList<>();
        int i = 0;
        int j = 0;
        while ((i < from.size() || j < to.size()) && changes.size() < MOST_CHANGES) {
            if (i < from.size() && j < to.size() && same(from.get(i), to.get(j))) {
                i++;
                j++;
            } else if (i < from.size() && j < to.size() && common[i + 1][j + 1] == common[i][j]) {
                changes.add(new Verdict.Change(
                        Optional.of(from.get(i++).text()),
                        Optional.of(to.get(j++).text())));
            } else if (j >= to.size() || (i < from.size() && common[i + 1][j] >= common[i][j + 1])) {
                changes.add(new Verdict.Change(Optional.of(from.get(i++).text()), Optional.empty()));
            } else {
                changes.add(new Verdict.Change(
                        Optional.empty(), Optional.of(to.get(j++).text())));
            }
        }
        return changes;
    }

    /// How many events the rest of both have in common, from each pair of places on.
    private static int[][] common(List<Measured> from, List<Measured> to) {
        int[][] length = new int[from.size() + 1][to.size() + 1];
        for (int i = from.size() - 1; i >= 0; i--) {
            for (int j = to.size() - 1; j >= 0; j--) {
                length[i][j] = same(from.get(i), to.get(j))
                        ? length[i + 1][j + 1] + 1
                        : Math.max(length[i + 1][j], length[i][j + 1]);
            }
        }
        return length;
    }

    private static boolean same(Measured one, Measured other) {
        return one.digest().equals(other.digest());
    }

    String json() {
        Map<String, Object> all = new TreeMap<>();
        byRegister.forEach((register, events) -> all.put(
                register,
                events.stream().map(e -> List.of(e.digest(), e.words())).toList()));
        return Json.text(all);
    }

    static MeasuredEvents parse(String json) {
        try {
            Map<String, List<Measured>> all = new TreeMap<>();
            for (Map.Entry<String, JsonNode> register : Json.tree(json).properties()) {
                List<Measured> events = new ArrayList<>();
                register.getValue()
                        .forEach(e -> events.add(
                                new Measured(e.path(0).asText(), e.path(1).asText())));
                all.put(register.getKey(), events);
            }
            return new MeasuredEvents(all);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("stored events can't be read", e);
        }
    }
}
