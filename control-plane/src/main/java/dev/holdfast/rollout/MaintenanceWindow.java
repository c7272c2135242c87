package dev.holdfast.rollout;

import java.time.DayOfWeek;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalTime;
import java.time.ZoneId;
import java.time.ZonedDateTime;
import java.util.Set;

/// When the devices of a site may be updated. It may pass midnight.
///
/// @param days on which it begins
/// @param start local time
/// @param length up to a day
/// @param zone such as `Europe/Berlin`
public record MaintenanceWindow(Set<DayOfWeek> days, LocalTime start, Duration length, ZoneId zone) {
    public MaintenanceWindow {
        days = Set.copyOf(days);
        if (days.isEmpty() || !length.isPositive() || length.compareTo(Duration.ofDays(1)) > 0) {
            throw new IllegalArgumentException("a maintenance window has days, and a length of up to 24 hours");
        }
    }

    public boolean open(Instant now) {
        ZonedDateTime local = now.atZone(zone);
        for (int daysAgo = 0; daysAgo <= 1; daysAgo++) {
            ZonedDateTime begin =
                    local.toLocalDate().minusDays(daysAgo).atTime(start).atZone(zone);
            if (days.contains(begin.getDayOfWeek())
                    && !local.isBefore(begin)
                    && local.toInstant().isBefore(begin.toInstant().plus(length))) {
                return true;
            }
        }
        return false;
    }
}
