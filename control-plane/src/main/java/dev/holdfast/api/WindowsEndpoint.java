package dev.holdfast.api;

import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.access.Scope;
import dev.holdfast.rollout.MaintenanceWindow;
import dev.holdfast.web.Call;
import dev.holdfast.web.Fields;
import dev.holdfast.web.Handlers;
import dev.holdfast.web.Problem;
import dev.holdfast.web.Reply;
import java.time.DateTimeException;
import java.time.DayOfWeek;
import java.time.Duration;
import java.time.LocalTime;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/// When the devices of a site may be updated. A site is a value of the label `site`, which only operators set.
final class WindowsEndpoint {
    private final Rooms rooms;

    WindowsEndpoint(Rooms rooms) {
        this.rooms = rooms;
    }

    void register(Handlers handlers) {
        handlers.on("listMaintenanceWindows", Scope.READ, this::list);
        handlers.on("setMaintenanceWindows", Scope.ROLLOUTS_WRITE, this::set);
    }

    private Reply list(Call call) {
        List<Fields> sites = new ArrayList<>();
        rooms.rollouts()
                .control()
                .windows(call.environment())
                .forEach((site, windows) -> sites.add(shown(site, windows)));
        return Reply.ok(Fields.of("sites", sites));
    }

    private Reply set(Call call) {
        List<MaintenanceWindow> windows = new ArrayList<>();
        JsonNode asked = call.body().path("windows");
        for (int i = 0; i < asked.size(); i++) {
            windows.add(read("/windows/" + i, asked.get(i)));
        }
        rooms.rollouts().control().setWindows(call.environment(), call.id(), windows, call.reason(), call.actor());
        return Reply.ok(shown(call.id(), windows));
    }

    /// @param at where it stands in the request
    static MaintenanceWindow read(String at, JsonNode window) {
        Set<DayOfWeek> days = EnumSet.noneOf(DayOfWeek.class);
        window.path("days")
                .forEach(day -> days.add(DayOfWeek.valueOf(day.asText().toUpperCase(Locale.ROOT))));
        try {
            LocalTime from = LocalTime.parse(window.path("from").asText());
            Duration length =
                    Duration.between(from, LocalTime.parse(window.path("to").asText()));
            return new MaintenanceWindow(
                    days.isEmpty() ? EnumSet.allOf(DayOfWeek.class) : days,
                    from,
                    length.isPositive() ? length : length.plusDays(1),
                    ZoneId.of(window.path("zone").asText()));
        } catch (DateTimeException e) {
            throw Problem.malformed(at, "needs from and to as 22:00 and a zone such as Europe/Berlin");
        }
    }

    private static Fields shown(String site, List<MaintenanceWindow> windows) {
        return Fields.of("site", site)
                .with("windows", windows.stream().map(WindowsEndpoint::shown).toList());
    }

    private static Fields shown(MaintenanceWindow window) {
        return Fields.of(
                        "days",
                        window.days().stream()
                                .sorted()
                                .map(day -> day.name().toLowerCase(Locale.ROOT))
                                .toList())
                .with("from", window.start().toString())
                .with("to", window.start().plus(window.length()).toString())
                .with("zone", window.zone().getId());
    }
}
