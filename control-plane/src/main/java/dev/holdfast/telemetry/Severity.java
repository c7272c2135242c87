package dev.holdfast.telemetry;

import java.util.Locale;
import java.util.Optional;

/// How grave a log line is (RFC 5424 section 6.2.1, table 2).
public enum Severity {
    EMERG(0),
    ALERT(1),
    CRIT(2),
    ERR(3),
    WARNING(4),
    NOTICE(5),
    INFO(6),
    DEBUG(7);

    private final int number;

    Severity(int number) {
        this.number = number;
    }

    /// As on the wire: 0 is the gravest.
    public int number() {
        return number;
    }

    public String keyword() {
        return name().toLowerCase(Locale.ROOT);
    }

    /// Accepts the keywords and the common longer forms (`error`, `warn`, `critical`, `emergency`).
    public static Optional<Severity> parse(String text) {
        return switch (text) {
            case "emerg", "emergency", "panic" -> Optional.of(EMERG);
            case "alert" -> Optional.of(ALERT);
            case "crit", "critical" -> Optional.of(CRIT);
            case "err", "error" -> Optional.of(ERR);
            case "warning", "warn" -> Optional.of(WARNING);
            case "notice" -> Optional.of(NOTICE);
            case "info" -> Optional.of(INFO);
            case "debug" -> Optional.of(DEBUG);
            default -> Optional.empty();
        };
    }

    /// @param number 0 to 7
    public static Severity of(int number) {
        for (Severity severity : values()) {
            if (severity.number == number) {
                return severity;
            }
        }
        throw new IllegalArgumentException("not a severity of RFC 5424: " + number);
    }
}
