package dev.holdfast.sight;

import dev.holdfast.core.Environment;
import dev.holdfast.database.Database;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jooq.DSLContext;

/// Brings what a node has gathered of failed attempts into the database, so much a turn, and takes away what is too
/// old or too much. On one thread.
final class FailedAttemptWriter {
    private static final Duration TRIM_EVERY = Duration.ofMinutes(1);
    private static final Duration KEPT = Duration.ofDays(7);
    private static final Duration HOSTS_KEPT = Duration.ofDays(90);

    private final Database database;
    private final Environment environment;
    private final FailedAttemptBuffer buffer;
    private final DeviceHosts hosts;

    FailedAttemptWriter(Database database, Environment environment, FailedAttemptBuffer buffer, DeviceHosts hosts) {
        this.database = database;
        this.environment = environment;
        this.buffer = buffer;
        this.hosts = hosts;
    }

    /// Writes what was gathered, as much of it as one turn may.
    void turn(Instant now) {
        List<DeviceHosts.Seen> seen = hosts.take(now);
        if (!seen.isEmpty()) {
            database.run(sql -> FailedAttemptStore.writeHosts(sql, seen, now.minus(Duration.ofHours(12))));
            hosts.written(seen);
        }
        List<FailedAttempt> taken = buffer.take();
        if (!taken.isEmpty()) {
            trim(written(taken));
        }
        if (Boolean.TRUE.equals(
                database.transact(sql -> FailedAttemptStore.takeTurn(sql, now, now.minus(TRIM_EVERY))))) {
            database.run(sql -> FailedAttemptStore.trimAll(sql, now.minus(KEPT), now.minus(HOSTS_KEPT)));
        }
    }

    private List<FailedAttempt> written(List<FailedAttempt> taken) {
        try {
            List<FailedAttempt> placed = database.read(sql -> placed(sql, taken));
            List<FailedAttempt> chosen = chosen(placed);
            database.run(sql -> FailedAttemptStore.write(sql, chosen));
            buffer.dropped(placed.size() - chosen.size());
            return chosen;
        } catch (RuntimeException e) {
            buffer.putBack(taken);
            throw e;
        }
    }

    /// Finds which of them come from where a device of ours was heard last.
    private List<FailedAttempt> placed(DSLContext sql, List<FailedAttempt> taken) {
        List<FailedAttempt> named =
                taken.stream().filter(a -> a.shelf() == Shelf.NAMED).toList();
        Set<String> strangers = taken.stream()
                .filter(a -> a.shelf() == Shelf.STRANGER)
                .map(FailedAttempt::host)
                .collect(Collectors.toCollection(HashSet::new));
        Set<String> atHome = named.isEmpty() ? Set.of() : FailedAttemptStore.atHome(sql, named);
        Set<String> homes = strangers.isEmpty() ? Set.of() : FailedAttemptStore.homes(sql, environment, strangers);
        return taken.stream()
                .map(a -> switch (a.shelf()) {
                    case PROVEN, AT_HOME -> a;
                    case NAMED -> atHome.contains(FailedAttemptStore.place(a)) ? a.on(Shelf.AT_HOME) : a;
                    case STRANGER -> homes.contains(a.host()) ? a.on(Shelf.AT_HOME) : a;
                })
                .toList();
    }

    /// The newest of each shelf, as many as one turn writes; in the order of their keys.
    private static List<FailedAttempt> chosen(List<FailedAttempt> placed) {
        Map<Shelf, Integer> room = new EnumMap<>(Shelf.class);
        Map<FailedAttempt.Key, FailedAttempt> chosen = new TreeMap<>();
        placed.stream()
                .sorted(Comparator.comparing(FailedAttempt::lastAt).reversed())
                .filter(a -> room.merge(a.shelf(), 1, Integer::sum) <= a.shelf().mostWritten)
                .forEach(a -> chosen.merge(a.key(), a, FailedAttempt::and));
        return List.copyOf(chosen.values());
    }

    private void trim(List<FailedAttempt> written) {
        Map<Shelf, Set<String>> subjects = new EnumMap<>(Shelf.class);
        written.forEach(a -> subjects.computeIfAbsent(a.shelf(), _ -> new HashSet<>())
                .add(a.device().isEmpty() ? a.host() : a.device()));
        Set<String> environments =
                written.stream().map(a -> a.environment().value()).collect(Collectors.toSet());
        subjects.forEach(
                (shelf, those) -> database.run(sql -> FailedAttemptStore.trimEach(sql, environments, shelf, those)));
    }
}
