package dev.holdfast.telemetry;

import java.util.Map;

/// What a measurement may hold: few metrics, names of a plain form, finite numbers.
public final class Metrics {
    public static final int MOST = 64;
    private static final int LONGEST = 64;

    private Metrics() {}

    /// Whether the text can name a metric: the characters of a SenML name (RFC 8428 section 4.5.1), at most 64.
    public static boolean isName(String text) {
        if (text.isEmpty() || text.length() > LONGEST || !isLetterOrDigit(text.charAt(0))) {
            return false;
        }
        for (int i = 1; i < text.length(); i++) {
            char c = text.charAt(i);
            if (!isLetterOrDigit(c) && c != '-' && c != ':' && c != '.' && c != '/' && c != '_') {
                return false;
            }
        }
        return true;
    }

    private static boolean isLetterOrDigit(char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    }

    /// @throws IllegalArgumentException beginning with `which`
    static void check(String which, Map<String, Double> values) {
        if (values.isEmpty() || values.size() > MOST) {
            throw new IllegalArgumentException(which + "a measurement has 1 to " + MOST + " values");
        }
        values.forEach((metric, value) -> {
            if (!isName(metric)) {
                throw new IllegalArgumentException(
                        which + "'" + SafeText.of(metric, LONGEST) + "' is not the name of a metric");
            }
            if (!Double.isFinite(value)) {
                throw new IllegalArgumentException(which + metric + " is " + value + ", not a finite number");
            }
        });
    }
}
