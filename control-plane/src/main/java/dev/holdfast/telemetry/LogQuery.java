package dev.holdfast.telemetry;

import dev.holdfast.core.DeviceId;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Environment;
import java.time.Instant;
import java.util.Optional;

/// Which log lines are sought, newest first.
///
/// @param atLeast this grave or graver
/// @param text a part of the line, any case; empty for all
/// @param before the cursor of the last line of the page before
public record LogQuery(
        Environment environment,
        Optional<DeviceId> device,
        Optional<Severity> atLeast,
        String text,
        Instant from,
        Instant to,
        Optional<Cursor> before,
        int limit) {
    private static final int MOST = 1_000;
    private static final int LONGEST = 200;

    public LogQuery {
        if (limit < 1 || limit > MOST) {
            throw new IllegalArgumentException("a page has 1 to " + MOST + " log lines");
        }
        if (text.length() > LONGEST) {
            throw new IllegalArgumentException("a search text has at most " + LONGEST + " characters");
        }
    }

    /// Where a page ended.
    public record Cursor(Instant at, long number) {
        /// Opaque to whoever passes it back.
        public String text() {
            return at.getEpochSecond() + "." + at.getNano() + "." + number;
        }

        /// @throws IllegalArgumentException when it is not one of ours
        public static Cursor parse(String text) {
            String[] parts = text.split("\\.", 4);
            if (parts.length != 3) {
                throw new IllegalArgumentException("not a cursor of the log search");
            }
            try {
                return new Cursor(
                        Instant.ofEpochSecond(Long.parseLong(parts[0]), Long.parseLong(parts[1])),
                        Long.parseLong(parts[2]));
            } catch (NumberFormatException | java.time.DateTimeException e) {
                throw new IllegalArgumentException("not a cursor of the log search", e);
            }
        }
    }

    public record Line(Cursor cursor, DeviceRef device, Instant at, Severity severity, String text) {}
}
