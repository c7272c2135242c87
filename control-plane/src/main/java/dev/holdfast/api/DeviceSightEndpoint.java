package dev.holdfast.api;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.holdfast.access.Scope;
import dev.holdfast.commands.Desired;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.detection.Detection;
import dev.holdfast.inventory.Device;
import dev.holdfast.inventory.Inventory;
import dev.holdfast.inventory.Model;
import dev.holdfast.journal.Recorded;
import dev.holdfast.telemetry.LogQuery;
import dev.holdfast.telemetry.Observation;
import dev.holdfast.telemetry.Series;
import dev.holdfast.telemetry.Severity;
import dev.holdfast.web.Call;
import dev.holdfast.web.Fields;
import dev.holdfast.web.Handlers;
import dev.holdfast.web.Problem;
import dev.holdfast.web.Reply;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;

/// What was seen of a device: its timeline, its measurements, its log, its configuration.
final class DeviceSightEndpoint {
    private static final int MOST_FINDINGS = 500;
    private static final int MOST_POINTS = 2_000;
    private static final Duration FINE = Duration.ofHours(33);
    /// Keys of the desired state that belong to segmentation, which keeps them itself.
    private static final List<String> NOT_FOR_PEOPLE = List.of("members", "isolated");

    private final Rooms rooms;

    DeviceSightEndpoint(Rooms rooms) {
        this.rooms = rooms;
    }

    void register(Handlers handlers) {
        handlers.on("getDeviceTimeline", Scope.READ, this::timeline);
        handlers.on("getDeviceSeries", Scope.READ, this::series);
        handlers.on("getDeviceConfiguration", Scope.READ, this::configuration);
        handlers.on("putDeviceConfiguration", Scope.DEVICES_WRITE, this::configure);
        handlers.on("searchLogs", Scope.READ, this::logs);
    }

    private Device find(Call call) {
        return rooms.inventory().find(call.device()).orElseThrow(() -> Problem.notFound("device " + call.id()));
    }

    // ------------------------------------------------------------------ timeline

    /// One thing that happened, with the moment by which it is ordered.
    private record Happened(Instant at, Fields fields) {}

    /// Entries of the journal, findings and events, merged by time. The cursor is a time: pages of each source end at
    /// it.
    private Reply timeline(Call call) {
        Device device = find(call);
        int limit = call.limit();
        Instant before = Instant.ofEpochMilli(
                call.numberCursor(Instant.parse("9999-01-01T00:00:00Z").toEpochMilli()));
        List<Happened> all = new ArrayList<>();
        changes(device.ref(), before, limit + 1, all);
        for (Detection.Stored stored : rooms.detection().findings(device.ref(), Long.MAX_VALUE, MOST_FINDINGS)) {
            if (stored.finding().at().isBefore(before)) {
                all.add(new Happened(stored.finding().at(), found(stored)));
            }
        }
        for (Observation.Event event : rooms.telemetry().events(device.ref(), before, limit + 1)) {
            all.add(new Happened(
                    event.receivedAt(),
                    Fields.of("at", event.receivedAt())
                            .with("kind", "event")
                            .with("title", "reported " + event.name())
                            .with("detail", details(event.details()))
                            .with("provenance", "claimed")));
        }
        all.sort(Comparator.comparing(Happened::at).reversed());
        List<Happened> page = all.subList(0, Math.min(limit, all.size()));
        Fields reply = Fields.of("items", page.stream().map(Happened::fields).toList());
        if (all.size() > limit) {
            reply.with("next", call.nextCursor(page.getLast().at().toEpochMilli() + 1));
        }
        return Reply.ok(reply);
    }

    private static Fields found(Detection.Stored stored) {
        return Fields.of("at", stored.finding().at())
                .with("kind", "finding")
                .with("title", IncidentShapes.lower(stored.finding().cause()).replace('_', ' '))
                .with(
                        "detail",
                        "expected " + stored.finding().expected() + "; seen "
                                + stored.finding().seen())
                .with("severity", IncidentShapes.lower(stored.finding().severity()))
                .with("provenance", IncidentShapes.lower(stored.finding().provenance()))
                .with("incident", stored.incident().map(String::valueOf));
    }

    private void changes(DeviceRef ref, Instant before, int limit, List<Happened> all) {
        long number = Long.MAX_VALUE;
        int found = 0;
        while (found < limit) {
            List<Recorded> entries = rooms.journal().about(Inventory.subject(ref), number, 200);
            for (Recorded entry : entries) {
                if (entry.at().isBefore(before)
                        && entry.json()
                                .path("environment")
                                .asText()
                                .equals(ref.environment().value())
                        && found++ < limit) {
                    all.add(new Happened(entry.at(), change(entry)));
                }
            }
            if (entries.size() < 200) {
                return;
            }
            number = entries.getLast().number();
        }
    }

    private Fields change(Recorded entry) {
        var json = entry.json();
        String kind = json.path("kind").asText();
        String actor = json.path("actor").asText();
        return Fields.of("at", entry.at())
                .with("kind", kindOf(kind))
                .with("title", kind.substring(kind.indexOf('.') + 1).replace('-', ' '))
                .with("detail", json.path("reason").asText())
                .with("actor", rooms.access().nameOf(actor).orElse(actor))
                .with("journal", entry.number());
    }

    private static String kindOf(String kind) {
        return kind.startsWith("incident.") || kind.startsWith("isolation.")
                ? "incident"
                : kind.startsWith("rollout.") ? "rollout" : "change";
    }

    private static Optional<String> details(Map<String, String> details) {
        return details.isEmpty()
                ? Optional.empty()
                : Optional.of(String.join(
                        ", ",
                        new TreeMap<>(details)
                                .entrySet().stream()
                                        .map(e -> e.getKey() + " " + e.getValue())
                                        .toList()));
    }

    // ------------------------------------------------------------------ measurements

    private Reply series(Call call) {
        Device device = find(call);
        Instant to = call.time("to").orElse(rooms.clock().instant());
        Instant from = call.time("from").orElse(to.minus(Duration.ofDays(1)));
        if (!from.isBefore(to)) {
            throw Problem.malformed("?from", "is not before `to`");
        }
        Series.Resolution resolution =
                Duration.between(from, to).compareTo(FINE) <= 0 ? Series.Resolution.MINUTE : Series.Resolution.HOUR;
        Map<String, Model.Band> bands = rooms.inventory()
                .model(device.ref().environment(), device.model())
                .map(Model::bands)
                .orElse(Map.of());
        TreeSet<String> metrics = new TreeSet<>();
        call.text("metric")
                .ifPresentOrElse(
                        metrics::add,
                        () -> metrics.addAll(
                                rooms.telemetry().latest(device.ref()).keySet()));
        return Reply.ok(Fields.of("from", from)
                .with("to", to)
                .with(
                        "series",
                        metrics.stream()
                                .map(metric -> one(device.ref(), metric, from, to, resolution, bands.get(metric)))
                                .toList()));
    }

    private Fields one(
            DeviceRef device,
            String metric,
            Instant from,
            Instant to,
            Series.Resolution resolution,
            Model.@org.jspecify.annotations.Nullable Band band) {
        List<Series.Point> points = rooms.telemetry().series(device, metric, from, to, resolution, MOST_POINTS);
        Fields fields = Fields.of("metric", metric)
                .with("step", resolution.width().toSeconds())
                .with("at", points.stream().map(p -> p.at().getEpochSecond()).toList())
                .with("min", points.stream().map(Series.Point::min).toList())
                .with("max", points.stream().map(Series.Point::max).toList())
                .with("mean", points.stream().map(Series.Point::mean).toList())
                .with("count", points.stream().map(Series.Point::count).toList())
                .with("imported", points.stream().map(Series.Point::imported).toList());
        return band == null ? fields : fields.with("unit", band.unit()).with("band", ModelsEndpoint.band(band));
    }

    // ------------------------------------------------------------------ log

    private Reply logs(Call call) {
        LogQuery query;
        try {
            query = new LogQuery(
                    call.environment(),
                    call.deviceParameter().map(DeviceRef::id),
                    call.text("severity").flatMap(Severity::parse),
                    call.text("search").orElse(""),
                    call.time("from").orElse(Instant.EPOCH),
                    call.time("to").orElse(rooms.clock().instant().plus(Duration.ofDays(1))),
                    call.cursor().map(LogQuery.Cursor::parse),
                    call.limit());
        } catch (IllegalArgumentException e) {
            throw Call.badCursor();
        }
        List<LogQuery.Line> lines = rooms.telemetry().logs(query);
        Fields reply = Fields.of(
                "lines",
                lines.stream()
                        .map(line -> Fields.of("at", line.at())
                                .with("device", line.device().id().value())
                                .with("severity", line.severity().keyword())
                                .with("text", line.text()))
                        .toList());
        if (lines.size() == call.limit()) {
            reply.with("next", call.nextCursor(lines.getLast().cursor().text()));
        }
        return Reply.ok(reply);
    }

    // ------------------------------------------------------------------ configuration

    private Reply configuration(Call call) {
        Device device = find(call);
        Optional<Desired> desired = rooms.commands().desired(device.ref());
        return Reply.ok(shape(device, desired)).etag(etag(desired));
    }

    private Reply configure(Call call) {
        Device device = find(call);
        call.checkIfMatch(etag(rooms.commands().desired(device.ref())));
        ObjectNode wanted = (ObjectNode) call.body().get("desired");
        for (String key : NOT_FOR_PEOPLE) {
            if (wanted.has(key)) {
                throw Problem.malformed("/desired/" + key, "is kept by Holdfast itself");
            }
        }
        try {
            Desired now = rooms.commands()
                    .change(
                            device.ref(),
                            before -> {
                                ObjectNode next = wanted.deepCopy();
                                NOT_FOR_PEOPLE.stream()
                                        .filter(before::has)
                                        .forEach(key -> next.set(key, before.get(key)));
                                return next;
                            },
                            call.reason(),
                            call.actor());
            return Reply.ok(shape(device, Optional.of(now))).etag(etag(Optional.of(now)));
        } catch (IllegalArgumentException e) {
            throw Problem.malformed("/desired", String.valueOf(e.getMessage()));
        }
    }

    private static String etag(Optional<Desired> desired) {
        return "\"r" + desired.map(Desired::revision).orElse(0L) + "\"";
    }

    private Fields shape(Device device, Optional<Desired> desired) {
        Optional<Observation.ConfigurationReport> report = rooms.telemetry().configuration(device.ref());
        Map<String, String> expected = rooms.inventory()
                .model(device.ref().environment(), device.model())
                .map(Model::desiredConfiguration)
                .orElse(Map.of());
        List<Fields> differences = new ArrayList<>();
        report.ifPresent(r -> new TreeMap<>(expected).forEach((key, value) -> {
            String reported = r.settings().get(key);
            if (!value.equals(reported)) {
                differences.add(Fields.of("key", key).with("expected", value).with("reported", reported));
            }
        }));
        Fields fields = Fields.of("differences", differences);
        report.ifPresent(r -> fields.with(
                "reported",
                Fields.of("at", r.receivedAt())
                        .with("settings", r.settings())
                        .with("revision", desired.map(Desired::applied).filter(n -> n > 0))));
        desired.ifPresent(d -> fields.with(
                "desired",
                Fields.of("revision", d.revision())
                        .with("state", d.state())
                        .with("at", d.changedAt())
                        .with("delivered", d.delivered() >= d.revision())));
        return fields;
    }
}
