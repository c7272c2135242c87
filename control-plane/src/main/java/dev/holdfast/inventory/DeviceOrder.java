package dev.holdfast.inventory;

import java.time.Instant;
import java.util.Locale;

/// In which order devices are listed, each order made total by the id.
public record DeviceOrder(By by, boolean descending) {
    public static final DeviceOrder BY_ID = new DeviceOrder(By.ID, false);

    public enum By {
        ID,
        LAST_CONTACT,
        STATE_SINCE,
        RISK
    }

    /// Where a page ended: the value of its last device, as text, and its id.
    public record Position(String value, String id) {}

    public Position positionOf(Device device) {
        String value = switch (by) {
            case ID -> "";
            case LAST_CONTACT -> device.lastContact().orElse(Instant.EPOCH).toString();
            case STATE_SINCE -> device.stateSince().toString();
            case RISK -> device.risk().level().name().toLowerCase(Locale.ROOT);
        };
        return new Position(value, device.ref().id().value());
    }

    /// The SQL expression it orders by.
    String expression() {
        return switch (by) {
            case ID -> "''::text";
            case LAST_CONTACT -> "coalesce(last_contact, 'epoch'::timestamptz)";
            case STATE_SINCE -> "state_since";
            case RISK -> rank("risk");
        };
    }

    /// How the position's value is made comparable with the expression.
    String bound() {
        return switch (by) {
            case ID -> "?::text";
            case LAST_CONTACT, STATE_SINCE -> "?::timestamptz";
            case RISK -> rank("?");
        };
    }

    private static String rank(String risk) {
        return "array_position(array['unknown','low','medium','high','critical'], " + risk + "::text)";
    }

    /// @throws IllegalArgumentException when the value can't be one of this order
    void check(Position position) {
        boolean good = switch (by) {
            case ID -> position.value().isEmpty();
            case LAST_CONTACT, STATE_SINCE ->
                position.value().length() < 40
                        && position.value().toUpperCase(Locale.ROOT).matches("[-+0-9T:.Z]+");
            case RISK -> position.value().matches("unknown|low|medium|high|critical");
        };
        if (!good) {
            throw new IllegalArgumentException("not a position in a list ordered by " + by);
        }
    }
}
