package dev.holdfast.api;

import dev.holdfast.access.Scope;
import dev.holdfast.ca.Authority;
import dev.holdfast.telemetry.Telemetry;
import dev.holdfast.web.Fields;
import dev.holdfast.web.Handlers;
import dev.holdfast.web.Identities;
import dev.holdfast.web.Reply;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/// What this server is, and how it does.
final class ServerEndpoint {
    private static final long LITTLE_ROOM = 2L << 30;
    private static final long NO_ROOM = 256L << 20;

    private final Rooms rooms;
    private final Identities identities;

    ServerEndpoint(Rooms rooms, Identities identities) {
        this.rooms = rooms;
        this.identities = identities;
    }

    void register(Handlers handlers) {
        handlers.on("getServer", Scope.READ, _ -> status());
    }

    private Reply status() {
        return Reply.ok(Fields.of("version", Rooms.version())
                .with("now", rooms.clock().instant())
                .with(
                        "startedAt",
                        Instant.ofEpochMilli(
                                ManagementFactory.getRuntimeMXBean().getStartTime()))
                .with("environment", rooms.configuration().environment())
                .with("publicHostName", rooms.configuration().publicHostName())
                .with("development", !rooms.developmentBecause().isEmpty())
                .with("developmentBecause", rooms.developmentBecause())
                .with("listeners", listeners())
                .with("checks", checks())
                .with("switches", FleetEndpoint.switches(rooms)));
    }

    private List<Fields> listeners() {
        List<Fields> listeners = new ArrayList<>();
        listeners.add(Fields.of("name", "operator")
                .with("host", rooms.configuration().listeners().operator().host())
                .with("port", identities.port())
                .with("tls", identities.origin().startsWith("https"))
                .with("url", identities.origin()));
        rooms.listeners()
                .get()
                .forEach(l -> listeners.add(Fields.of("name", l.name())
                        .with("host", l.host())
                        .with("port", l.port())
                        .with("tls", l.tls())
                        .with("url", l.url())));
        return listeners;
    }

    private List<Fields> checks() {
        List<Fields> checks = new ArrayList<>();
        checks.add(database());
        checks.add(disk());
        checks.add(queues());
        checks.add(developmentMark());
        checks.add(frozen());
        checks.add(authorities());
        checks.add(expiring());
        checks.add(switches());
        return checks;
    }

    private static Fields check(String name, String result, String sentence, Optional<String> fix) {
        return Fields.of("name", name)
                .with("result", result)
                .with("sentence", sentence)
                .with("fix", fix);
    }

    private Fields database() {
        long begun = System.nanoTime();
        long number = rooms.journal().head().number();
        long millis = (System.nanoTime() - begun) / 1_000_000;
        return check(
                "database",
                millis < 200 ? "ok" : "warning",
                "answers in " + millis + " ms; the journal has " + number + " entries",
                millis < 200 ? Optional.empty() : Optional.of("look at the load and the disk of the database"));
    }

    private Fields disk() {
        try {
            FileStore store = Files.getFileStore(rooms.dataFolder());
            long free = store.getUsableSpace();
            String sentence = "%.1f GB free of %.1f GB under %s"
                    .formatted(free / 1e9, store.getTotalSpace() / 1e9, rooms.dataFolder());
            return check(
                    "disk",
                    free > LITTLE_ROOM ? "ok" : free > NO_ROOM ? "warning" : "failed",
                    sentence,
                    free > LITTLE_ROOM ? Optional.empty() : Optional.of("make room, or move the data folder (--data)"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Fields queues() {
        Telemetry.Fill fill = rooms.telemetry().fill();
        boolean well = fill.dropped() == 0 && fill.failed() == 0;
        return check(
                "telemetry",
                well ? "ok" : "warning",
                fill.waiting() + " observations wait for the detectors, " + fill.waitingToBeKept() + " to be kept, "
                        + fill.dropped() + " dropped, " + fill.failed() + " failed since the start",
                well ? Optional.empty() : Optional.of("see the server's log for the cause"));
    }

    private Fields developmentMark() {
        List<String> because = rooms.developmentBecause();
        return check(
                "production",
                because.isEmpty() ? "ok" : "warning",
                because.isEmpty() ? "ready for production" : "marked DEVELOPMENT: " + String.join("; ", because),
                because.isEmpty()
                        ? Optional.empty()
                        : Optional.of("fine for trying out; for production set publicHostName and hold the root key"
                                + " ceremony"));
    }

    private Fields authorities() {
        Instant now = rooms.clock().instant();
        Authority first = rooms.ca().authorities().all().stream()
                .min(Comparator.comparing(a -> a.certificate().getNotAfter()))
                .orElseThrow();
        Instant end = first.certificate().getNotAfter().toInstant();
        long days = Duration.between(now, end).toDays();
        return check(
                "authorities",
                days > 90 ? "ok" : days > 0 ? "warning" : "failed",
                "the first to end is " + first.id() + ", in " + days + " days",
                days > 90 ? Optional.empty() : Optional.of("rotate it, with overlap, before it ends"));
    }

    private Fields expiring() {
        int soon = rooms.identity()
                .certificatesEndingBefore(
                        rooms.environment(), rooms.clock().instant().plus(Duration.ofDays(3)), 1_000)
                .size();
        return check(
                "device certificates",
                soon == 0 ? "ok" : "warning",
                soon == 0
                        ? "none ends within 3 days without having been renewed"
                        : soon + (soon == 1_000 ? " or more" : "") + " end within 3 days and were not renewed",
                soon == 0 ? Optional.empty() : Optional.of("see why these devices don't renew: holdfast cert list"));
    }

    private Fields frozen() {
        return rooms.freeze()
                .state()
                .map(state -> check(
                        "freeze",
                        "failed",
                        "no device is let in, nothing issued or offered since " + state.since() + ": " + state.reason(),
                        Optional.of("merge the journal stream that left the machine (holdfast db merge), or have two"
                                + " people accept the loss (holdfast db accept-loss)")))
                .orElseGet(() -> check("freeze", "ok", "not frozen", Optional.empty()));
    }

    private Fields switches() {
        var switches = rooms.configuration().switches();
        boolean all = switches.rolloutGate() && switches.automaticIsolation();
        return check(
                "safety switches",
                all ? "ok" : "warning",
                all
                        ? "the rollout gate and automatic isolation are on"
                        : "switched off by configuration:" + (switches.rolloutGate() ? "" : " rolloutGate")
                                + (switches.automaticIsolation() ? "" : " automaticIsolation"),
                all ? Optional.empty() : Optional.of("remove the switch from the configuration and restart"));
    }
}
