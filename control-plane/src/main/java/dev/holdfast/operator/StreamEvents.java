package dev.holdfast.operator;

import dev.holdfast.web.Fields;
import dev.holdfast.core.Environment;
import dev.holdfast.journal.Recorded;
import java.util.List;

/// What the stream says of an entry of the journal.
final class StreamEvents {
    private final Rooms rooms;
    private final FleetView fleet;

    StreamEvents(Rooms rooms, FleetView fleet) {
        this.rooms = rooms;
        this.fleet = fleet;
    }

    record Event(String name, Fields data) {}

    /// Events about other things than devices, whose marks are told apart from this.
    List<Event> of(Recorded entry) {
        return List.of();
    }

    Fields entry(Recorded entry) {
        return JournalEndpoint.entry(entry, rooms.access());
    }

    Fields marks(List<FleetView.Mark> marks) {
        return Fields.of("devices", marks.stream().map(FleetView.Mark::fields).toList());
    }

    Fields counters(Environment environment) {
        return FleetEndpoint.counters(rooms, fleet.snapshot(environment));
    }
}
