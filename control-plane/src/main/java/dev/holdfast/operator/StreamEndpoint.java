package dev.holdfast.operator;

import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.api.FleetView;
import dev.holdfast.api.Rooms;
import dev.holdfast.api.StreamEvents;
import dev.holdfast.core.DeviceId;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Environment;
import dev.holdfast.journal.Recorded;
import dev.holdfast.web.Call;
import dev.holdfast.web.Fields;
import dev.holdfast.web.Problem;
import dev.holdfast.web.ProblemType;
import dev.holdfast.web.StreamClient;
import io.vertx.core.Context;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServerRequest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// `GET /stream`: what changes, as it changes, to every page that looks.
///
/// What the journal says goes out at once; what only time changes (health, connections, rates) is found by comparing
/// snapshots, as often as they are affordable. The journal's thread only drops a number into a queue: reading states
/// and writing to browsers happens on a thread of our own. A browser that does not read is told to fetch again
/// rather than waited for.
final class StreamEndpoint {
    private static final Logger LOG = LoggerFactory.getLogger(StreamEndpoint.class);
    private static final int MOST_CLIENTS = 200;
    private static final int MOST_RESUMED = 2_000;
    private static final int MOST_QUEUED = 10_000;
    private static final int MARKS_AT_ONCE = 500;
    private static final Duration BEAT = Duration.ofSeconds(2);

    private final Rooms rooms;
    private final FleetView fleet;
    private final StreamEvents events;
    private final List<StreamClient> clients = new CopyOnWriteArrayList<>();
    private final LinkedBlockingQueue<Recorded> news = new LinkedBlockingQueue<>(MOST_QUEUED);
    private final Map<Environment, Map<DeviceId, FleetView.Mark>> shown = new ConcurrentHashMap<>();
    private final Map<Environment, Long> lastFindings = new ConcurrentHashMap<>();
    private final Map<Environment, String> lastCounters = new ConcurrentHashMap<>();
    private final Thread thread;
    private volatile boolean closing;
    private volatile boolean lost;

    StreamEndpoint(Vertx vertx, Rooms rooms, FleetView fleet) {
        this.rooms = rooms;
        this.fleet = fleet;
        this.events = new StreamEvents(rooms, fleet);
        rooms.journal().subscribe(entry -> {
            if (!clients.isEmpty() && !news.offer(entry)) {
                lost = true;
            }
        });
        thread = Thread.ofVirtual().name("operator-stream").start(this::run);
        vertx.setPeriodic(15_000, _ -> clients.forEach(StreamClient::comment));
    }

    /// On the request's virtual thread, after every check.
    void open(HttpServerRequest request, Call call, Context context) {
        if (clients.size() >= MOST_CLIENTS) {
            throw Problem.later(ProblemType.OVERLOADED, "more than " + MOST_CLIENTS + " streams are open", 30);
        }
        StreamClient client =
                new StreamClient(request, context, call.environment(), call.flag("journal"), clients::remove);
        long now = rooms.journal().delivered();
        long from = resumeFrom(call, now);
        clients.add(client);
        client.begin(call.caller().expiresAt(), rooms.clock().instant());
        boolean resync = from < 0;
        client.send(
                "hello",
                resync ? now : from,
                Fields.of("journal", now)
                        .with("environment", call.environment().value())
                        .with("resync", resync));
        if (!resync && from < now) {
            Map<String, Recorded> latest = new HashMap<>();
            for (Recorded entry : rooms.journal().read(from, MOST_RESUMED)) {
                latest.put(
                        call.flag("journal")
                                ? "" + entry.number()
                                : entry.json().path("subject").asText(),
                        entry);
            }
            latest.values().stream()
                    .sorted(java.util.Comparator.comparingLong(Recorded::number))
                    .forEach(entry -> deliver(entry, List.of(client)));
        }
        client.send("fleet", now, events.counters(call.environment()));
    }

    /// Where to go on, or -1 when the page must fetch what it shows again.
    private static long resumeFrom(Call call, long now) {
        String last = call.headers().get("last-event-id");
        if (last == null) {
            return now;
        }
        try {
            long number = Long.parseLong(last);
            return number >= 0 && number <= now && now - number <= MOST_RESUMED ? number : -1;
        } catch (NumberFormatException e) {
            return -1;
        }
    }

    private void run() {
        long nextBeat = System.nanoTime();
        while (!closing) {
            try {
                Recorded entry = news.poll(BEAT.toMillis(), TimeUnit.MILLISECONDS);
                if (entry != null) {
                    batch(entry);
                }
                if (lost) {
                    lost = false;
                    clients.forEach(c -> c.resync(rooms.journal().delivered()));
                }
                if (System.nanoTime() - nextBeat >= 0 && !clients.isEmpty()) {
                    beat();
                    nextBeat = System.nanoTime() + BEAT.toNanos();
                }
            } catch (InterruptedException e) {
                return;
            } catch (RuntimeException e) {
                LOG.warn("the stream could not tell of a change: {}", e.toString());
            }
        }
    }

    /// A change, with those that came together with it: one event for all their devices.
    private void batch(Recorded first) {
        List<Recorded> entries = new ArrayList<>();
        entries.add(first);
        news.drainTo(entries, MARKS_AT_ONCE);
        Map<Environment, Set<DeviceId>> devices = new HashMap<>();
        for (Recorded entry : entries) {
            JsonNode json = entry.json();
            String subject = json.path("subject").asText();
            if (subject.startsWith("device:")) {
                devices.computeIfAbsent(new Environment(json.path("environment").asText()), _ -> new LinkedHashSet<>())
                        .add(new DeviceId(subject.substring("device:".length())));
            }
            boolean isolation = json.path("kind").asText().startsWith("isolation.");
            if (!subject.startsWith("device:") || isolation || clients.stream().anyMatch(StreamClient::wantsJournal)) {
                deliver(entry, clients);
            }
        }
        long number = entries.getLast().number();
        devices.forEach((environment, ids) -> {
            List<FleetView.Mark> marks = ids.stream()
                    .flatMap(id -> fleet.mark(new DeviceRef(environment, id)).stream())
                    .toList();
            Map<DeviceId, FleetView.Mark> seen = shown.get(environment);
            if (seen != null) {
                marks.forEach(mark -> seen.put(mark.id(), mark));
            }
            tell(environment, "device-changed", number, events.marks(marks));
        });
    }

    private void deliver(Recorded entry, List<StreamClient> to) {
        Environment environment =
                new Environment(entry.json().path("environment").asText());
        List<StreamEvents.Event> told = events.of(entry);
        for (StreamClient client : to) {
            if (client.environment().equals(environment)) {
                told.forEach(event -> client.send(event.name(), entry.number(), event.data()));
            }
            if (client.wantsJournal()) {
                client.send("entry", entry.number(), events.entry(entry));
            }
        }
    }

    /// What only time has changed since the last beat.
    private void beat() {
        Set<Environment> watched = new LinkedHashSet<>();
        clients.forEach(c -> watched.add(c.environment()));
        shown.keySet().retainAll(watched);
        for (Environment environment : watched) {
            FleetView.Snapshot snapshot = fleet.snapshot(environment);
            Map<DeviceId, FleetView.Mark> before = shown.get(environment);
            Map<DeviceId, FleetView.Mark> after = new ConcurrentHashMap<>();
            List<FleetView.Mark> changed = new ArrayList<>();
            for (FleetView.Mark mark : snapshot.marks()) {
                after.put(mark.id(), mark);
                if (before != null && !mark.equals(before.get(mark.id()))) {
                    changed.add(mark);
                }
            }
            shown.put(environment, after);
            for (int i = 0; i < changed.size(); i += MARKS_AT_ONCE) {
                tell(
                        environment,
                        "device-changed",
                        snapshot.journal(),
                        events.marks(changed.subList(i, Math.min(i + MARKS_AT_ONCE, changed.size()))));
            }
            tellFindings(environment, snapshot.journal());
            Fields counters = events.counters(environment);
            Map<String, Object> comparable = new HashMap<>(counters.values());
            comparable.remove("at");
            String text = comparable.toString();
            if (!text.equals(lastCounters.put(environment, text))) {
                tell(environment, "fleet", snapshot.journal(), counters);
            }
        }
    }

    private void tellFindings(Environment environment, long number) {
        Long last = lastFindings.get(environment);
        if (last != null) {
            events.findingsSince(environment, last).forEach(e -> tell(environment, e.name(), number, e.data()));
        }
        lastFindings.put(environment, events.lastFinding(environment));
    }

    private void tell(Environment environment, String event, long number, Fields data) {
        for (StreamClient client : clients) {
            if (client.environment().equals(environment)) {
                client.send(event, number, data);
            }
        }
    }

    void close() {
        closing = true;
        thread.interrupt();
        clients.forEach(StreamClient::end);
    }
}
