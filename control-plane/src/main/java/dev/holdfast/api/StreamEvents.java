package dev.holdfast.api;

import dev.holdfast.core.Environment;
import dev.holdfast.detection.Detection;
import dev.holdfast.journal.Recorded;
import dev.holdfast.response.IncidentId;
import dev.holdfast.web.Fields;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/// What the stream says of an entry of the journal.
public final class StreamEvents {
    private final Rooms rooms;
    private final FleetView fleet;

    public StreamEvents(Rooms rooms, FleetView fleet) {
        this.rooms = rooms;
        this.fleet = fleet;
    }

    public record Event(String name, Fields data) {}

    /// Events about other things than devices, whose marks are told apart from this.
    public List<Event> of(Recorded entry) {
        var json = entry.json();
        String kind = json.path("kind").asText();
        String subject = json.path("subject").asText();
        Environment environment = new Environment(json.path("environment").asText());
        String id = subject.substring(subject.indexOf(':') + 1);
        if (subject.startsWith("incident:")) {
            return number(id)
                    .flatMap(n -> rooms.response().find(environment, new IncidentId(n)))
                    .map(c -> List.of(new Event("incident-changed", IncidentShapes.summary(c))))
                    .orElse(List.of());
        }
        if (subject.startsWith("rollout:")) {
            return number(id)
                    .flatMap(rooms.rollouts()::get)
                    .map(r -> r.parent().flatMap(rooms.rollouts()::get).orElse(r))
                    .map(r -> List.of(new Event("rollout-changed", RolloutsEndpoint.summary(rooms, r))))
                    .orElse(List.of());
        }
        if (kind.startsWith("isolation.")) {
            return number(json.path("body").path("incident").asText())
                    .flatMap(n -> rooms.response().find(environment, new IncidentId(n)))
                    .map(c -> List.of(new Event("incident-changed", IncidentShapes.summary(c))))
                    .orElse(List.of());
        }
        return List.of();
    }

    private static Optional<Long> number(String text) {
        try {
            return Optional.of(Long.parseLong(text));
        } catch (NumberFormatException e) {
            return Optional.empty();
        }
    }

    /// Findings made since, oldest first.
    public List<Event> findingsSince(Environment environment, long after) {
        return rooms.detection().findings(environment, Long.MAX_VALUE, 200).stream()
                .filter(f -> f.id() > after)
                .sorted(Comparator.comparingLong(Detection.Stored::id))
                .map(f -> new Event("finding", IncidentShapes.finding(f)))
                .toList();
    }

    public long lastFinding(Environment environment) {
        return rooms.detection().findings(environment, Long.MAX_VALUE, 1).stream()
                .mapToLong(Detection.Stored::id)
                .max()
                .orElse(0);
    }

    public Fields entry(Recorded entry) {
        return JournalEndpoint.entry(entry, rooms.access());
    }

    public Fields marks(List<FleetView.Mark> marks) {
        return Fields.of("devices", marks.stream().map(FleetView.Mark::fields).toList());
    }

    public Fields counters(Environment environment) {
        return FleetEndpoint.counters(rooms, environment, fleet.snapshot(environment));
    }
}
